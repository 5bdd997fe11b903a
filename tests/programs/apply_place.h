/* SPDX-License-Identifier: MIT */
/* apply_place.h: a scratch directory in which apply-logging runs as a process.
 *
 *     etc/policy.json      loopback is allowed, ports 443 and 9200
 *     etc/logging.d/       shippers, see place_target()
 *     etc/credentials/     credentials, see place_credential()
 *     apply/               --apply-dir
 *     <name>/              destination shipper.conf of shipper <name>, and what its stand-in
 *                          of a shipper (tests/cluster/shipper) writes; a file
 *                          break-<action> is run before the action
 *
 * What cannot be done fails the running test. */
#ifndef APPLY_PLACE_H
#define APPLY_PLACE_H

#include "harness.h"
#include "scratch.h"

/* Fixture of a test; its tear-down is scratch_tear_down(). */
int place_set_up(void **state);

/* Run by /bin/sh, which must succeed. '@' stands for the place. */
void place_shell(const char *command);

/* Write etc/logging.d/NAME.json, with a template, and make its directory. more: further
 * members, with a comma in front. Its confirm has the argument "{digest}". */
void place_target(const char *name, const char *escape, const char *template, const char *more);

/* Write etc/credentials/NAME.json, 0640: an object with these members, and
 * hosts 127.0.0.0/8. */
void place_credential(const char *name, const char *members);

/* Run apply-logging with these settings, members of a JSON object. */
struct outcome place_apply(const char *settings);
struct outcome place_apply_env(const char *settings, const char *variable);

/* The same; it must end so: exit code, and this text in the result. Returns the result and
 * what it said on stderr, which free() frees. */
char *place_expect(const char *settings, int code, const char *text);

/* How often that shipper was called for the action. */
size_t place_calls(const char *name, const char *action);

#endif
