/* SPDX-License-Identifier: MIT */
/* line_tally.h: what of the lines of log_writer.h is in Elasticsearch, by looking for each of them.
 *
 * LOG_INDEX is "left" or "right". A line may be there twice in one of them, under two ids, or in
 * both, under one. */
#ifndef LINE_TALLY_H
#define LINE_TALLY_H

#include "log_writer.h"

/* Of one log. */
struct found {
    const struct written *written;
    int arrived;             /* of the lines with a mark, once or more often */
    int twice;               /* of these, in one index */
    int moved;               /* of these, in both */
    int equal;               /* of the others */
    unsigned char *times[2]; /* how often each is in left and right */
};

struct line_tally {
    struct found found[WRITER_SERVERS + 1][WRITER_STYLES];
    int documents[WRITER_SERVERS + 1]; /* different ids of the lines of a server */
    uint64_t *ids[WRITER_SERVERS + 1]; /* hashes, with doubles */
    size_t n_ids[WRITER_SERVERS + 1];
    int strange; /* documents that are no line */
};

/* Nothing may be written any more. False when it cannot be searched. Fails the test when it finds a
 * line that was not written. */
bool line_tally_look(struct line_tally *t, const struct log_writer *w, const struct sink *sink);

/* Which lines of a log are not there, or more than once, and the ids of one of these, on stdout. */
void line_tally_tell(const struct line_tally *t, const struct sink *sink, int server,
                     enum log_style style);

void line_tally_release(struct line_tally *t);

#endif
