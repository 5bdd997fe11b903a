/* SPDX-License-Identifier: MIT */
/* apart.h: apply-logging behind a socket, as a user of its own, without systemd as the
 * first process: what systemd-socket-activate of the same package starts. Needs root. */
#ifndef APART_H
#define APART_H

#include <sys/types.h>

/* Ids which no user of a Debian has. Groups have the same numbers. */
#define APART_LICTOR 61001 /* apply-logging and the shipper */
#define APART_CONSUL 61002 /* the agent and its handlers */
#define APART_OTHER  61003 /* anybody else */

/* Begin main() with it: mounts and network of our own, /etc read-only, and the tree with
 * the programs reachable for every user, wherever it is checked out. Ends the process
 * with a text and code 99 where that cannot be had: root is needed. */
void apart_enter(void);

/* For good: that user and group alone, no capability, no new privileges. For a child. */
void apart_become(uid_t user);

/* what(arg) in a child as that user; returns its result (0..125). */
int apart_run(uid_t user, int (*what)(void *arg), void *arg);

/* Listen at socket (in a directory of root), owner APART_CONSUL, mode 0600; each
 * connection is stdin and stdout of TEST_BIN/apply-logging, APART_LICTOR without a
 * network. limits: LICTOR_LIMITS. Returns once it listens; the process is a child that
 * dies with the test. */
pid_t apart_listen(const char *socket, const char *config_dir, const char *apply_dir,
                   const char *limits);

#endif
