/* SPDX-License-Identifier: MIT */
/* log_writer.h: logs of three servers, written all the time by a thread.
 *
 * Each server has a log of each style of rotation (log_file.h). A line has a mark that is its own,
 * "soak-SERVER-STYLE-N.", or is one of many equal ones. There are JSON and plain lines, JSON that an
 * index does not take (member "job" is no number), invalid UTF-8, NUL bytes, lines of 2 MB; empty
 * ones, which are no records, are between them. */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "harness.h"
#include "log_file.h"

#include <pthread.h>
#include <stdatomic.h>

#define WRITER_SERVERS 3
#define WRITER_STYLES  3

/* The lines of one log: with a mark, and equal ones. */
struct written {
    int lines, equal;
};

struct log_writer {
    uint64_t seed;
    pthread_t thread;
    pthread_mutex_t lock;
    atomic_bool stop;
    bool runs;
    struct log_file log[WRITER_SERVERS + 1][WRITER_STYLES];
    struct written written[WRITER_SERVERS + 1][WRITER_STYLES];
    int odd; /* JSON that is refused, invalid UTF-8, NUL */
    int huge, empty;
    char *filler; /* of huge lines */
};

/* Begin to write below log/ of each server. These fail the test. */
void log_writer_start(struct log_writer *w, struct cluster *c, uint64_t seed);

void log_writer_rotate(struct log_writer *w, int server, enum log_style style);

/* All lines so far, of all logs. */
int log_writer_lines(struct log_writer *w);

/* No line more. */
void log_writer_stop(struct log_writer *w);

void log_writer_release(struct log_writer *w);

#endif
