// SPDX-License-Identifier: MIT
// Open Consul's real UI and read the checks of a node there, as a person does:
//
//   look.mjs PLAYWRIGHT AGENT-URL NODE PICTURE
//
// Fails when a text is not the one that the agent has, is cut, or has lost its lines.
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';

const [playwright, agent, node, picture] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const PICTURE_MAX = 200 * 1024;
const faults = [];

function expect(true_, text) {
  if (!true_) faults.push(text);
}

// What the UI shows of one check: its texts, and whether all of each can be seen.
function readCards() {
  const whole = (element) => {
    const style = getComputedStyle(element);
    const hides = ['hidden', 'clip'].includes(style.overflowX) || style.textOverflow === 'ellipsis';
    return !(hides && element.scrollWidth > element.clientWidth) &&
      !(style.overflowY === 'hidden' && element.scrollHeight > element.clientHeight + 1) &&
      element.getClientRects().length > 0;
  };
  return [...document.querySelectorAll('.healthcheck-output')].map((card) => {
    const fields = {};
    for (const dt of card.querySelectorAll('dt')) {
      const dd = dt.parentElement.querySelector('dd');
      const text = dd.querySelector('pre') ?? dd;
      fields[dt.innerText.trim()] = { text: text.innerText.trim(), whole: whole(text) };
    }
    return { name: card.querySelector('h3').innerText.trim(), fields };
  });
}

function compare(check, card) {
  if (!card) return expect(false, `${check.CheckID} is not shown`);
  const { Notes: notes, Output: output } = card.fields;
  expect(card.name === check.Name, `${check.CheckID}: the name is shown as "${card.name}"`);
  expect(check.Notes.length > 20, `${check.CheckID}: its notes say too little`);
  expect(notes?.text === check.Notes, `${check.CheckID}: the notes are shown as "${notes?.text}"`);
  expect(notes?.whole, `${check.CheckID}: the notes are cut`);
  expect(output?.text === check.Output.trim(),
    `${check.CheckID}: shown is\n${output?.text}\nand not\n${check.Output}`);
  expect(output?.whole, `${check.CheckID}: its text is cut`);
  expect(check.Output.startsWith(`${check.Status}: `), `${check.CheckID}: it begins with no status`);
  console.log(`  ${check.Status.padEnd(8)} ${check.Name}: ${check.Output.split('\n')[0]}`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
const checks = (await (await fetch(`${agent}/v1/health/node/${node}`)).json())
  .filter((check) => check.CheckID.startsWith('cluster:'));
await page.goto(`${agent}/ui/dc1/nodes/${node}/health-checks`);
await page.waitForFunction((n) => document.querySelectorAll('.healthcheck-output').length >= n,
  checks.length);
const cards = await page.evaluate(readCards);
expect(checks.length > 0, 'the agent has no check of ours');
for (const check of checks) {
  compare(check, cards.find((card) => card.fields.CheckID?.text === check.CheckID));
}
await page.screenshot({ path: picture, fullPage: true, type: 'jpeg', quality: 60 });
await browser.close();
expect(statSync(picture).size <= PICTURE_MAX, `${picture} is larger than 200 KB`);
expect(readFileSync(picture).length > 10000, `${picture} shows nothing`);
for (const fault of faults) console.error(`look: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
