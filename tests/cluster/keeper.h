/* SPDX-License-Identifier: MIT */
/* keeper.h: nothing a cluster test starts outlives it, whatever becomes of the test.
 *
 * The test program becomes three processes: the one that was started, a keeper in a
 * session of its own, and the test. Every descendant of the test that loses its parent
 * falls to the keeper (PR_SET_CHILD_SUBREAPER), sessions and process groups of their
 * own or not. When the test ends, or the started process dies (also by SIGKILL), the
 * keeper kills them all, keeps or removes the run directory, and ends. Should the
 * keeper be killed, the kernel kills test and agents (PR_SET_PDEATHSIG). */
#ifndef KEEPER_H
#define KEEPER_H

#include <sys/types.h>

/* Run `test(arg)` under a keeper and return its exit code; 128 + number when it was
 * ended by a signal. Call first thing in main(). */
int keeper_run(const char *name, int (*test)(void *arg), void *arg);

/* Where the present run lives: <$TMPDIR>/lictor-<name>-XXXXXX, 0700, removed at the
 * end. Everything but the agents' raft data is copied to build/test-logs/<name> when
 * the test failed; stderr says so. */
const char *keeper_dir(void);

/* Where a file below keeper_dir() is found once a failed test has ended; another file's own path.
 * Valid until the next call. */
const char *keeper_kept(const char *path);

/* K of a loopback net 127.0.K.0/24 that is nobody else's on this machine until the test
 * ends; -1 when all are taken. */
int keeper_take_net(void);

/* For a child between fork() and exec(): die when `parent` dies. */
void keeper_die_with(pid_t parent);

#endif
