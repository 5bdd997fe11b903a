/* SPDX-License-Identifier: MIT */
/* kills.h: the ends that a log shipper can come to. */
#ifndef KILLS_H
#define KILLS_H

#include "harness.h"

/* SIGKILL to the rsyslogd of server i, as a crash; to what it runs. False when there was none. */
bool kill_shipper(struct cluster *c, int i);
bool kill_indexer(struct cluster *c, int i);

/* What the heartbeat starts finds it dead. False when that could not be: no agent, no room. */
bool revive_shipper(struct cluster *c, int i);

#endif
