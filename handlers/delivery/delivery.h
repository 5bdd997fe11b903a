/* SPDX-License-Identifier: MIT */
/* delivery.h: do the records of all servers arrive in one and the same Elasticsearch, and
 * if not, which link is broken? Pure judgement, no I/O.
 *
 * The chain is: the wanted revision is applied (server_record.h), Elasticsearch can be reached
 * (DNS, TCP, TLS, credential), it is the same one for all, records arrive, and in time.
 *
 * Records are fresh within limits()->fresh_ms: a heartbeat writes every 15 s,
 * Elasticsearch shows it after its refresh (1 s; 30 s where an index is set to it), and a
 * beat may be missed. A broken link is a warning after limits()->patience_ms: a restart of
 * Elasticsearch is no reason to wake anybody. When nothing arrives from any server for
 * limits()->loss_ms it is critical: lines wait in files and queues, but files are rotated
 * away and queues are full some day. Everything less is a warning: nothing is lost yet. */
#ifndef DELIVERY_H
#define DELIVERY_H

#include "check/verdict.h"
#include "elasticsearch/elasticsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What can be known about arrival. */
enum delivery_sight {
    DELIVERY_SEEN,          /* probe records were looked for */
    DELIVERY_NO_PROBE,      /* no shipper ships a probe log */
    DELIVERY_NO_CREDENTIAL, /* the credential to ask with is missing on this server */
    DELIVERY_BLIND          /* Elasticsearch could not be asked */
};

enum delivery_arrival {
    DELIVERY_ARRIVES,
    DELIVERY_LATE,  /* records arrive, but old ones: a queue is worked off */
    DELIVERY_SILENT /* nothing new arrives */
};

/* Whether this server's log shipper runs. */
enum delivery_shipper { DELIVERY_UNKNOWN, DELIVERY_RUNS, DELIVERY_DEAD };

/* One server which has the wanted revision in force and lives. Borrowed. */
struct delivery_server {
    const char *node;
    const char *uuid;              /* of the Elasticsearch it ships to, as it says; "" unknown */
    enum delivery_arrival arrival; /* counts with DELIVERY_SEEN */
};

/* Everything the judgement needs. Borrowed. */
struct delivery_facts {
    const struct elasticsearch_greeting *urls; /* of the wanted revision, in its order */
    size_t n_urls;
    enum delivery_sight sight;
    const char *sight_text; /* NO_PROBE, NO_CREDENTIAL, BLIND: why, a sentence; BLIND may
                               leave it empty where a greeting says it */
    const char *own;        /* this server's node */
    bool stops;             /* no server is touched before Elasticsearch answers well */
    bool unproven;          /* applied here, but no record of this revision found yet */
    enum delivery_shipper shipper;
    const char *service;  /* this server's shipper is this service of systemd, NULL none */
    const char *waits;    /* why records wait in it, a sentence; NULL they do not, or not known */
    bool waits_long;      /* longer than LOG_DELAY */
    const char *stopped;  /* why it reads no log on; the same */
    const char *unread;   /* logs that it cannot read, a sentence; NULL none, or not known */
    const char *stuck;    /* logs of which it reads nothing any more; the same */
    const char *room;     /* it has too little for its queue; the same */
    const char *nothing;  /* a glob of it that no file matches; the same */
    const char *unseen;   /* the name of one that ships probes and keeps no account; NULL none */
    int64_t damaged;      /* lines of it that were lost in its queue */
    int64_t cut;          /* lines of it of which the end is lost */
    int64_t acknowledged; /* which sum of the two an admin knows of */
    const struct delivery_server *servers; /* by node; own too, where it belongs here */
    size_t n;
    bool all;          /* these are all servers that count */
    int64_t broken_ms; /* how long delivery_broken() has been true, -1: it is not */
    int64_t lost_ms;   /* the same for delivery_lost() */
};

/* Is any link broken? Does nothing arrive from any server, as far as this one can see? */
bool delivery_broken(const struct delivery_facts *facts);
bool delivery_lost(const struct delivery_facts *facts);

/* Add what is to be said to a verdict which logging_verdict_judge() has made. */
void delivery_judge(const struct delivery_facts *facts, struct verdict *v);

/* May this server touch anything for the wanted revision (rolling)? With several URLs one
 * must answer well; one that is only down is no reason to wait, everything else is, for it
 * does not pass by itself. Returns true, or false with the reason in ret_why. */
#define DELIVERY_WHY 400
bool delivery_preflight(const struct delivery_facts *facts, char ret_why[DELIVERY_WHY]);

/* The one cluster_uuid behind all URLs that answer well; "" when none does, or they
 * differ. Borrowed from the facts. */
const char *delivery_uuid(const struct elasticsearch_greeting *urls, size_t n);

/* Judge the newest record of a stream.
 *
 * age_ms    its age by this server's clock (negative: from the future), or -1 with
 *           `found` false when there is none
 * since_ms  how long ago a newer one than before was last seen; unknown is 0 */
enum delivery_arrival delivery_arrival(bool found, int64_t age_ms, int64_t since_ms);

#endif
