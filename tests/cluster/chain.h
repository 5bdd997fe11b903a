/* SPDX-License-Identifier: MIT */
/* chain.h: watching a rollout on real servers with the stand-in shipper, and a loop of
 * kills at random moments. */
#ifndef CHAIN_H
#define CHAIN_H

#include "harness.h"

/* Three servers with the stand-in shipper; nothing is set. */
struct cluster *chain_start(void);

/* The address, no wait for quiet, and the order 1, 2, 3. */
void chain_set(struct cluster *c);

/* A thread which looks some hundred times a second at every server's destination and at
 * all records. It finds
 *   - two servers "applying" at once,
 *   - a revision on two servers which nobody is done with yet,
 *   - a destination that is not whole.
 * chain_unwatch() ends it and fails the test when it has found anything. */
struct chain;
struct chain *chain_watch(struct cluster *c);
void chain_unwatch(struct chain *chain);

/* Milliseconds of the wall clock, as actions.log has them. */
int64_t chain_clock(void);

/* The servers whose shippers were touched since then, in their order: "1 2 3". Fails the
 * test when two were at the same time. free() it. */
char *chain_touched(struct cluster *c, int64_t since_ms);

/* What the server's record says: "done", ... and the begin of its revision; "" none. */
void chain_record(struct cluster *c, int i, char ret[80]);

/* Every living server looks once, as with a heartbeat. */
void chain_beat(struct cluster *c);

/* Wait until every server is done with this LOG_INDEX, with heartbeats meanwhile. */
void chain_reach(struct cluster *c, const char *index);

/* Write changes, good and bad ones, and kill programs, agents or both of a random server
 * while they are under way: `rounds` times. After a good one all must have it, after a
 * bad one exactly one server may have refused it. Needs CLUSTER_SERVERS to be set. */
void chain_kills(struct cluster *c, int rounds, uint64_t seed);

#endif
