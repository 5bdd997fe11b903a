/* SPDX-License-Identifier: MIT */
/* server.h: private to the harness: the files and the process of one server. */
#ifndef SERVER_H
#define SERVER_H

#include "harness.h"

/* How a program gets another clock (Debian's libfaketime; ld.so replaces $LIB). */
#define SERVER_FAKETIME "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1"
#define SERVER_RAW      "FAKETIME_DONT_FAKE_MONOTONIC=1"

/* Name, address and directory; node NULL: "server-<i>". */
void server_name(struct cluster *c, int i, const char *node);

/* Make the directories and files of server i for the first time. */
void server_make(struct cluster *c, int i, int expect);

/* Write 60-cluster.hcl and consul.env as they should be now (token). */
void server_enable(struct cluster *c, int i);

#define SERVER_LIMITS 400

/* "LICTOR_LIMITS=..." as everything that runs on a server gets it. Where Consul's own times are
 * quick, ours that follow from them are as well. */
void server_limits(const struct cluster *c, char ret[SERVER_LIMITS]);

/* Start the process, do not wait. */
void server_spawn(struct cluster *c, int i);

void server_wait_answer(struct cluster *c, int i);

/* Does the process still run? Fails the test with the end of its log when it does not.
 */
void server_must_run(struct cluster *c, int i);

/* How often `text` is in a file of server i; i = 0: of all. */
size_t server_count(struct cluster *c, int i, const char *file, const char *text);

/* Policies and tokens of all servers, once there is a leader. */
void acl_start(struct cluster *c);

#endif
