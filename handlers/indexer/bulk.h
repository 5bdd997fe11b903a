/* SPDX-License-Identifier: MIT */
/* bulk.h: records on their way into Elasticsearch: the bodies of _bulk requests, and what an
 * answer says of each record. No I/O.
 *
 * A record that is already there takes its own place: its id stands for it. One that
 * Elasticsearch will never take as it is (400: its index maps a member in another way; 413: too
 * long) goes once more as text, {"message":"<the record>","level":"unknown","refused":...}.
 * One that is refused even then is stuck: the caller decides whether the record or the index
 * is to blame. Everything else stays and is sent again.
 * Source: Elasticsearch reference 8.6, Bulk API. */
#ifndef BULK_H
#define BULK_H

#include "base/buffer.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define BULK_TEXT    (1U << 30)   /* bytes of all records at once */
#define BULK_MESSAGE (256 * 1024) /* bytes of a record that goes as text; the rest is cut */
#define BULK_WHY     48           /* bytes of an error type with NUL */

enum bulk_state { BULK_WAITING, BULK_DONE, BULK_GIVEN_UP };

struct bulk_record {
    size_t at;          /* of the id in the text, NUL, then of the record, NUL */
    bool as_text;       /* the record itself was refused */
    bool stuck;         /* as text, too, by the last answer */
    char why[BULK_WHY]; /* by which error type, "" unknown */
    enum bulk_state state;
};

/* All-zero is empty. */
struct bulk {
    struct buffer text;
    struct bulk_record *record;
    size_t n, room;
};

/* One request: the records [begin, end) which wait. */
struct bulk_part {
    size_t begin, end;
    size_t records; /* of them in the body */
};

/* What an answer said of the records of one request. */
struct bulk_answer {
    size_t done;
    size_t again;             /* refused for now (401, 403, 404, 429, 5xx): still waiting */
    int status;               /* of the last of these */
    char why_again[BULK_WHY]; /* and its error type, "" unknown */
    size_t as_text;           /* refused as they are, waiting as text from now on */
    size_t stuck;             /* refused as text */
    char why[BULK_WHY];       /* error type of the last of these two */
};

/* Take one more: "ID<tab>RECORD", len bytes without a newline, RECORD a JSON object in one
 * line. Returns 0, -EBADMSG (no tab), -EMSGSIZE, -ENOMEM. */
MUST_CHECK int bulk_add(struct bulk *bulk, const char *line, size_t len, struct error *err);

/* The same for lines that end with a newline each; one without a tab is left out. */
MUST_CHECK int bulk_add_lines(struct bulk *bulk, const char *text, size_t len, struct error *err);

/* How many wait. */
size_t bulk_waiting(const struct bulk *bulk);

/* What is to be in one request. */
struct bulk_order {
    size_t begin;    /* the first record that may be in it */
    size_t records;  /* most of them */
    size_t bytes;    /* most, but for the first record */
    const char *now; /* RFC 3339, for what goes as text */
};

/* Append to *body the request for waiting records. Returns 0, -EMSGSIZE, -ENOMEM. */
MUST_CHECK int bulk_body(const struct bulk *bulk, const struct bulk_order *order,
                         struct buffer *body, struct bulk_part *ret, struct error *err);

/* Judge the records of a part by the answer (not trusted) to its body. Returns 0, or
 * -EBADMSG when it does not answer that: then nothing has changed. */
MUST_CHECK int bulk_judge(struct bulk *bulk, const struct bulk_part *part, const cJSON *answer,
                          struct bulk_answer *ret, struct error *err);

/* The one record of this part was refused with the whole request. */
void bulk_refuse(struct bulk *bulk, const struct bulk_part *part, struct bulk_answer *ret);

/* Give up the stuck records of this part. */
void bulk_give_up(struct bulk *bulk, const struct bulk_part *part);

/* Forget all records. */
void bulk_clear(struct bulk *bulk);
void bulk_release(struct bulk *bulk);

#endif
