/* SPDX-License-Identifier: MIT */
/* bulk.h: records on their way into Elasticsearch: the bodies of _bulk requests, and what an
 * answer says of each record. No I/O.
 *
 * A record that is already there takes its own place: its id stands for it. One that is
 * refused with 400 or 413 waits: the index may be to blame. Once the caller knows that it is
 * not, the record goes to an index of its own, INDEX-refused, in a form of ours that no log can
 * spoil: {"message":"<the record>","level":"unknown","isoTimestamp":...,"refused":"<why>"}, as text
 * that can be searched. Everything else stays and is sent again.
 * Source: Elasticsearch reference 8.6, Bulk API. */
#ifndef BULK_H
#define BULK_H

#include "base/buffer.h"
#include "base/error.h"
#include "indexer/queue_line.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define BULK_TEXT    (1U << 30)   /* bytes of all records at once */
#define BULK_MESSAGE (256 * 1024) /* bytes of a record that goes as text; the rest is cut */
#define BULK_WHY     48           /* bytes of an error type with NUL */
#define BULK_REASON  200          /* bytes of an error's reason with NUL */
#define BULK_REFUSED "-refused"   /* the end of the index for what is refused */

struct bulk_record {
    size_t at;            /* of the id in the text, NUL, then of the record, NUL */
    bool done;            /* it is there; else it waits */
    bool refused;         /* by the last answer */
    bool suspect;         /* refused before while the index took others */
    bool as_text;         /* goes to INDEX-refused */
    enum queue_kind kind; /* for counting; QUEUE_LINE_NEW to begin with */
    int64_t number;       /* in the queue; 0 none */
    char why[BULK_WHY];   /* by which error type it was refused, "" unknown */
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
    size_t arrived; /* lines that are there now, but for those taken before */
    size_t taken;   /* as they are */
    size_t as_text; /* taken by INDEX-refused */
    size_t cut;     /* of these, longer than BULK_MESSAGE */
    size_t refused; /* with 400 or 413, as they are */
    size_t stuck;   /* with 400 or 413, by INDEX-refused */
    size_t again;   /* refused for now (401, 403, 404, 429, 5xx) */

    /* Of the last of `again`, else of `stuck`, else of `refused`; of strangers, printable. */
    int status;
    char why[BULK_WHY];       /* error type, "" unknown */
    char reason[BULK_REASON]; /* in Elasticsearch's words, "" unknown; may hold what we sent */
};

/* Take one more: "ID<tab>RECORD", len bytes without a newline, RECORD a JSON object in one
 * line. Returns 0, -EBADMSG (no tab), -EMSGSIZE, -ENOMEM. */
MUST_CHECK int bulk_add(struct bulk *bulk, const char *line, size_t len, struct error *err);

/* How many wait. */
size_t bulk_waiting(const struct bulk *bulk);

/* What is to be in one request. */
struct bulk_order {
    size_t begin;    /* the first record that may be in it */
    size_t records;  /* most of them */
    size_t bytes;    /* most, but for the first record */
    const char *now; /* RFC 3339, for what goes as text */
    const char *index;
};

/* Append to *body the request for waiting records. Returns 0, -EMSGSIZE, -ENOMEM. */
MUST_CHECK int bulk_body(const struct bulk *bulk, const struct bulk_order *order,
                         struct buffer *body, struct bulk_part *ret, struct error *err);

/* Judge the records of a part by the answer (not trusted) to its body. Returns 0, or
 * -EBADMSG when it does not answer that: then nothing has changed. */
MUST_CHECK int bulk_judge(struct bulk *bulk, const struct bulk_part *part, const cJSON *answer,
                          struct bulk_answer *ret, struct error *err);

/* The one record of this part was refused with the whole request. */
void bulk_refuse(struct bulk *bulk, const struct bulk_part *part, int status,
                 struct bulk_answer *ret);

/* The index takes others: what it has refused of this part is suspect, and goes as it is once more,
 * for the index may have been put right in the meantime. What was suspect already is itself to blame
 * and goes as text. Returns how many. */
size_t bulk_condemn(struct bulk *bulk, const struct bulk_part *part);

/* Forget all records. */
void bulk_clear(struct bulk *bulk);
void bulk_release(struct bulk *bulk);

#endif
