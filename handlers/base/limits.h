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

/* Each with its value. */
#define LIMITS(LIMIT)                                                                              \
    LIMIT(kill_ms, 2000)             /* 2 s: from SIGTERM to SIGKILL of a child */                 \
    LIMIT(drain_ms, 1000)            /* 1 s: a daemon may hold the output of an ended child */     \
    LIMIT(http_ms, 10000)            /* 10 s: one request to the agent, all of it */               \
    LIMIT(leader_proof_ms, 2000)     /* 2 s: the ?consistent read before a check may change */     \
    LIMIT(no_leader_ms, 30000)       /* 30 s: this long without leader is critical */              \
    LIMIT(split_ms, 30000)           /* 30 s: a living server outside our raft this long */        \
    LIMIT(follow_ms, 25000)          /* 25 s: a server may lag, or have a former one's entry */    \
    LIMIT(mute_ms, 90000)            /* 90 s: a server's programs may write nothing */             \
    LIMIT(deaf_ms, 60000)            /* 60 s: a watch may not run */                               \
    LIMIT(calm_ms, 200000)           /* 200 s: after errors a watch sleeps up to 180 s */          \
    LIMIT(rest_ms, 30000)            /* 30 s, two heartbeats: a mere text waits for membership */  \
    LIMIT(mapping_stable_ms, 60000)  /* 60 s: wholeness before the mapping is confirmed */         \
    LIMIT(look_ms, 6000)             /* 6 s: all that a verification asks the agent, to look */    \
    LIMIT(verify_ms, 8000)           /* 8 s: heartbeat's deadline for one verification */          \
    LIMIT(beat_ms, 13000)            /* 13 s: a whole heartbeat; Consul kills it after 14 s */     \
    LIMIT(run_ms, 15000)             /* 15 s: a whole run of all else that Consul starts */        \
    LIMIT(ask_ms, 30000)             /* 30 s: a rollout's questions before, after an apply */      \
    LIMIT(lock_ms, 4000)             /* 4 s: waiting for another run of the same program */        \
    LIMIT(apply_again_ms, 10000)     /* 10 s: least distance of applies after a failure */         \
    LIMIT(resync_ms, 600000)         /* 10 min: rollout-logging runs at least this often */        \
    LIMIT(unsynced_ms, 60000)        /* 60 s: a check may be missing in the catalogue */           \
    LIMIT(apply_ms, 120000)          /* 120 s: waiting for one run of apply-logging */             \
    LIMIT(request_ms, 10000)         /* 10 s: apply-logging's request must be whole */             \
    LIMIT(confirm_ms, 2000)          /* 2 s: a shipper must be the same process this long */       \
    LIMIT(clock_interval_ms, 15000)  /* 15 s: a clock record is written this often */              \
    LIMIT(clock_echo_ms, 60000)      /* 60 s: an echo of an own record older than this is none */  \
    LIMIT(clock_unproven_ms, 180000) /* 3 min: the last verdict on clocks stands this long */      \
    LIMIT(resolve_ms, 1000)          /* 1 s: finding the addresses of NTP servers */               \
    LIMIT(reference_ms, 1500)        /* 1.5 s: asking them, all of it */                           \
    LIMIT(reference_again_ms, 60000) /* 60 s: they are asked this often */                         \
    LIMIT(elasticsearch_ms, 2000)    /* 2 s: one question to Elasticsearch, all of it */           \
    LIMIT(mongodb_ms, 4000)          /* 4 s: all that is asked of all MongoDBs, side by side */    \
    LIMIT(replication_ms, 60000)     /* 60 s: a member of MongoDB may be behind its primary */     \
    LIMIT(proof_ms, 10000)           /* 10 s: looking for the own record after an apply */         \
    LIMIT(fresh_ms, 90000)           /* 90 s: a probe record this old has arrived in time */       \
    LIMIT(patience_ms, 60000)        /* 60 s: a broken link this short is no warning */            \
    LIMIT(loss_ms, 1800000)          /* 30 min: nothing from any server: critical */               \
    LIMIT(still_ms, 60000)           /* 60 s: nothing is read of a log that has lines */           \
    LIMIT(write_ms, 30000)           /* 30 s: one request that writes records */                   \
    LIMIT(write_again_ms, 250)       /* 250 ms: before it is sent again; doubled up to 40x */

struct limits {
#define LIMIT(name, value) int64_t name;
    LIMITS(LIMIT)
#undef LIMIT
};

/* Borrowed, valid for the life of the process. */
const struct limits *limits(void);

#endif
