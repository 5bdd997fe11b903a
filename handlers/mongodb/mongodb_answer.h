/* SPDX-License-Identifier: MIT */
/* mongodb_answer.h: what one MongoDB says of itself and of its replica set, read from its answers as
 * JSON (MongoDB's Extended JSON, canonical or relaxed). Anyone may answer: every text is cut, and
 * printable. Pure: no I/O, no libmongoc. */
#ifndef MONGODB_ANSWER_H
#define MONGODB_ANSWER_H

#include "base/error.h"
#include "consul/agent.h"
#include "net/host.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONGODB_MEMBERS 50               /* MongoDB's own limit */
#define MONGODB_NAME    (HOST_TEXT + 10) /* bytes of host:port with NUL */
#define MONGODB_SET     64
#define MONGODB_VERSION 32

/* Numbers of MongoDB's member states. */
enum mongodb_state { MONGODB_IS_PRIMARY = 1, MONGODB_IS_SECONDARY = 2, MONGODB_IS_ARBITER = 7 };

enum mongodb_role {
    MONGODB_SINGLE,    /* of no replica set */
    MONGODB_UNSTARTED, /* has the name of one, which was never initiated */
    MONGODB_PRIMARY,
    MONGODB_NO_PRIMARY /* secondary, arbiter, or none of them now */
};

/* A MongoDB that was asked. All-zero is one that said nothing. */
struct mongodb_answer {
    char name[MONGODB_NAME];   /* host:port as asked */
    char node[AGENT_NAME + 1]; /* the Consul server it is on; "" none */
    bool local;                /* of this server */
    char trouble[200];         /* why there is no answer; "" there is one */
    char blind[600];           /* why it does not say who the members are; "" it does */
    enum mongodb_role role;
    char set[MONGODB_SET];
    char version[MONGODB_VERSION];
    bool tls;         /* takes connections by TLS */
    bool plain;       /* takes connections without */
    bool open;        /* lists databases for nobody in particular */
    int64_t begins_s; /* its certificate, seconds since the epoch; 0 not known */
    int64_t ends_s;
};

/* A member of a replica set, as another one or itself sees it. */
struct mongodb_member {
    char name[MONGODB_NAME];
    char node[AGENT_NAME + 1]; /* the Consul server it is on; "" none */
    int state;                 /* enum mongodb_state, or another number of MongoDB's */
    char state_name[24];       /* "RECOVERING"; for one that is not reached "DOWN" */
    bool votes;
    int64_t optime_ms; /* of its last operation, since the epoch; 0 not known */
};

/* The members, as one of them sees them. */
struct mongodb_view {
    char from[MONGODB_NAME]; /* which one */
    char set[MONGODB_SET];
    struct mongodb_member member[MONGODB_MEMBERS];
    size_t n;
};

/* Read an answer of hello or isMaster, of buildInfo. Each returns 0, or -EBADMSG with what is
 * missing. */
MUST_CHECK int mongodb_answer_hello(const cJSON *hello, struct mongodb_answer *ret,
                                    struct error *err);
MUST_CHECK int mongodb_answer_build(const cJSON *build, struct mongodb_answer *ret,
                                    struct error *err);

/* Read the answers of replSetGetStatus and replSetGetConfig (who votes). Returns 0 or -EBADMSG with
 * what is missing, wrong, or too many; then *ret is of no use. */
MUST_CHECK int mongodb_answer_members(const cJSON *status, const cJSON *config,
                                      struct mongodb_view *ret, struct error *err);

#endif
