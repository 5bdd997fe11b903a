/* SPDX-License-Identifier: MIT */
/* status_view.h: the cluster as `lictor status` shows it: who the servers are by this agent, what the catalogue says
 * of each, and what the verifications find here and now. */
#ifndef STATUS_VIEW_H
#define STATUS_VIEW_H

#include "base/error.h"
#include "base/program.h"
#include "cluster/membership.h"
#include "consul/consul.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* A check: its ID in Consul, what judges it here and now, and the head of its column. */
struct status_check {
    const char *id;
    const char *program; /* NULL: nothing, only the catalogue tells */
    const char *head;
};

#define STATUS_CHECKS 6
extern const struct status_check status_checks[STATUS_CHECKS];

/* The number of a check by its ID, "cluster:quorum", or the end of it, "quorum"; -1 none. */
int status_check_find(const char *name);

#define STATUS_NONE  (-1) /* no such check, or nothing is known of it */
#define STATUS_SAID  400  /* bytes of the first line of a check, with NUL */
#define STATUS_TEXT  8192 /* bytes of a verdict, with NUL */
#define STATUS_ROWS  (AGENT_PEERS + 2 * SETTINGS_SERVERS)
#define STATUS_BUILD 24

enum status_role {
    STATUS_LEADER,
    STATUS_VOTER,
    STATUS_NO_VOTER, /* in raft */
    STATUS_DOWN,     /* a voter that is not alive, or one that gossip remembers */
    STATUS_MISSING,  /* in the mapping alone */
    STATUS_OUTSIDE   /* a living server that is not in this raft */
};

/* "leader", "voter", "no voter", "down", "missing", "outside". */
const char *status_role_name(enum status_role role);

struct status_server {
    char node[AGENT_NAME + 1];
    char server[SERVER_MAPPING_SERVER]; /* "server_2", "" in no mapping */
    char address[64];                   /* "" unknown */
    char build[STATUS_BUILD];           /* Consul's version, "" unknown */
    enum status_role role;
    bool own;                              /* this agent's */
    int check[STATUS_CHECKS];              /* enum verdict_status, or STATUS_NONE */
    char said[STATUS_CHECKS][STATUS_SAID]; /* printable */
};

/* What a verification finds here and now. */
struct status_verdict {
    bool judged;
    int code;               /* enum program_check_exit */
    char text[STATUS_TEXT]; /* printable lines */
};

struct status_view {
    char node[AGENT_NAME + 1];      /* whose view it is; "" it could not be read */
    bool led;                       /* a leader that a majority follows */
    char unreadable[STATUS_SAID];   /* why the servers are not known; "" they are */
    char uncatalogued[STATUS_SAID]; /* why the catalogue is not; "" it is */
    bool only[STATUS_CHECKS];       /* which checks are asked for */
    bool mongodb;                   /* there is one, so cluster:mongodb is judged */
    uint64_t index;                 /* the newest of the catalogue's entries, 0 none */
    time_t now;
    struct status_server server[STATUS_ROWS];
    size_t n;
    struct status_verdict verdict[STATUS_CHECKS];
};

/* Look at the agent: all but the verdicts. What cannot be read is said in *ret. wait_index: return as soon as the
 * catalogue has something newer, at the latest after wait_s seconds; 0 at once. */
void status_view_gather(struct consul *consul, const struct place *place, uint64_t wait_index,
                        struct status_view *ret);

/* Run the verifications that are asked for, side by side, as this user. */
void status_view_judge(const struct place *place, struct status_view *view);

/* The exit code: the worst of what was judged and of what the catalogue says of the living servers; CHECK_UNKNOWN
 * where the servers cannot be read. */
int status_view_code(const struct status_view *view);

#endif
