/* SPDX-License-Identifier: MIT */
/* limits.h: every time limit and interval of the programs, in one place.
 *
 * An installed program uses the values below and nothing else. Tests are built
 * with -DTEST_LIMITS (make builds them a second time into build/test/); only then
 * the environment variable LICTOR_LIMITS changes them: "no_leader=2s,split=1s",
 * by member name without the unit, values as in duration.h. */
#ifndef LIMITS_H
#define LIMITS_H

#include <stdint.h>

struct limits {
    int64_t kill_ms;            /* 2 s: from SIGTERM to SIGKILL of a child */
    int64_t drain_ms;           /* 1 s: a daemon may hold the output of an ended child */
    int64_t http_ms;            /* 10 s: one request to the agent, all of it */
    int64_t leader_proof_ms;    /* 2 s: the ?consistent read before a check may change */
    int64_t no_leader_ms;       /* 30 s: this long without leader is critical */
    int64_t split_ms;           /* 30 s: a living server outside our raft this long */
    int64_t mapping_stable_ms;  /* 60 s: wholeness before the mapping is confirmed */
    int64_t verify_ms;          /* 6 s: heartbeat's deadline for one verification */
    int64_t lock_ms;            /* 4 s: waiting for another run of the same program */
    int64_t apply_again_ms;     /* 10 s: least distance of applies after a failure */
    int64_t resync_ms;          /* 10 min: rollout-logging runs at least this often */
    int64_t unsynced_ms;        /* 60 s: a check may be missing in the catalogue */
    int64_t apply_ms;           /* 120 s: waiting for one run of apply-logging */
    int64_t request_ms;         /* 10 s: apply-logging's request must be whole */
    int64_t confirm_ms;         /* 2 s: a shipper must be the same process this long */
    int64_t clock_interval_ms;  /* 15 s: a clock record is written this often */
    int64_t clock_echo_ms;      /* 60 s: an echo of an own record older than this is none */
    int64_t clock_unproven_ms;  /* 3 min: the last verdict on clocks stands this long */
    int64_t resolve_ms;         /* 1 s: finding the addresses of NTP servers */
    int64_t reference_ms;       /* 1.5 s: asking them, all of it */
    int64_t reference_again_ms; /* 60 s: they are asked this often */
    int64_t elasticsearch_ms;   /* 2 s: one question to Elasticsearch, all of it */
    int64_t proof_ms;           /* 10 s: looking for the own record after an apply */
    int64_t fresh_ms;           /* 90 s: a probe record this old has arrived in time */
    int64_t patience_ms;        /* 60 s: a broken link this short is no warning */
    int64_t loss_ms;            /* 30 min: nothing from any server: critical */
    int64_t write_ms;           /* 30 s: one request that writes records */
    int64_t write_again_ms;     /* 250 ms: before it is sent again; doubled up to 40x */
};

/* Borrowed, valid for the life of the process. */
const struct limits *limits(void);

#endif
