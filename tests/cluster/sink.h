/* SPDX-License-Identifier: MIT */
/* sink.h: an Elasticsearch for a test, real or the stand-in, by tests/elasticsearch/run. */
#ifndef SINK_H
#define SINK_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <sys/types.h>

struct sink {
    char url[100]; /* "http(s)://127.0.21.9:9200" */
    pid_t pid;     /* 0: not running */
};

/* Can the real one of this name (8.6.2, 7.17.9, opensearch) be had? When not, a note says
 * that it is left out. Unpacks it where that has not been done. */
bool sink_available(const char *name);

/* Start `name` on `address` (port 9200) with everything it writes in `dir`, and wait until
 * it answers, for two minutes at most. Dies with the calling process. Returns 0, or -1
 * having said where its output is. */
int sink_start(struct sink *s, const char *name, const char *address, const char *dir);

/* The stand-in with options of its own (NULL-terminated, fake_elasticsearch.c). */
int sink_start_stand_in(struct sink *s, const char *address, const char *dir,
                        const char *const *options);

/* The same for one with https and users (a real one of 7 or 8 only): its certificate is of
 * <dir>/ca.pem, and admin, writer and reader have this password. */
int sink_start_secure(struct sink *s, const char *name, const char *address, const char *dir,
                      const char *password);

/* SIGKILL; what it has acknowledged is in `dir`. */
void sink_kill(struct sink *s);

/* Tear-down of a group whose state is a sink. */
int sink_tear_down(void **state);

/* What GET PATH answers; NULL when nothing that is JSON. cJSON_Delete() it. */
cJSON *sink_ask(const struct sink *s, const char *path);

/* How many documents of the index match ("*", "FIELD:VALUE"); -1 when it cannot be asked. */
int sink_documents(const struct sink *s, const char *index, const char *query);

/* Wait until exactly so many do, limit_ms at most. */
void sink_wait_documents(const struct sink *s, const char *index, const char *query, int n,
                         int limit_ms);

/* Call `found` with each document that matches ("_index", "_source"). Returns how many there were; -1 when
 * it cannot be asked. Not for the stand-in. */
int sink_each(const struct sink *s, const char *index, const char *query,
              void (*found)(void *arg, const cJSON *hit), void *arg);

/* Fail the test unless each of the lines {"server":SERVER,"n":from..to,...} is there exactly
 * once; at most 10,000 of a server are looked at. */
void sink_once(const struct sink *s, const char *index, int server, int from, int to);

/* A request that must be granted; body NULL: none. */
void sink_send(const struct sink *s, const char *method, const char *path, const char *body);

/* Give the stand-in a mode (fake_elasticsearch.c), for so many requests; 0: from now on. */
void sink_mode(const struct sink *s, const char *mode, int times);

/* What the stand-in counts: "requests", "bulks", "documents". */
int sink_number(const struct sink *s, const char *name);

#endif
