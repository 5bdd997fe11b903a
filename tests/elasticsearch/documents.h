/* SPDX-License-Identifier: MIT */
/* documents.h: the documents of the stand-in for Elasticsearch, in memory.
 *
 * Answers are shaped as Elasticsearch 8 shapes them; test_contract.c holds both to the
 * same assertions. What is not used here is refused, never guessed. */
#ifndef DOCUMENTS_H
#define DOCUMENTS_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>

struct documents;

/* An empty set; aborts without memory. Free with documents_free(). */
struct documents *documents_new(void);
void documents_free(struct documents *docs);

/* How many there are, in all indices. */
size_t documents_number(const struct documents *docs);

/* POST _bulk with index and create.
 *
 * index        the default index, or NULL
 * body         `len` bytes and a NUL; changed by the call
 * item_status  0, or the status with which items are refused (429)
 * nth          of these only every nth: 1 all, 2 the second, the fourth, ...
 * Returns the HTTP status; *ret_answer is the caller's, to be freed with cJSON_Delete().
 * Source: Elasticsearch reference 8.6, Bulk API. */
MUST_CHECK int documents_bulk(struct documents *docs, const char *index, char *body, size_t len,
                              int item_status, size_t nth, cJSON **ret_answer);

/* GET INDEX/_search and, with size < 0, INDEX/_count.
 *
 * query  NULL or "*": everything; FIELD:VALUE or FIELD:"VALUE", where FIELD is
 *        NAME.keyword for a string, _id, or the name of a number or truth value
 * Returns and hands over as documents_bulk().
 * Source: Elasticsearch reference 8.6, URI search. */
MUST_CHECK int documents_search(const struct documents *docs, const char *index, const char *query,
                                int size, cJSON **ret_answer);

/* POST INDEX/_search with a body: what probe.h asks for and nothing else, "size": 0, a
 * "range" of a number, "aggs" of "filter" by "match" (of one word) and "max".
 * Returns and hands over as documents_bulk().
 * Source: Elasticsearch reference 8.6, Search API, filter and max aggregation. */
MUST_CHECK int documents_aggregate(const struct documents *docs, const char *index,
                                   const char *body, cJSON **ret_answer);

/* An error as Elasticsearch words it: {"error":{"type":...,"reason":...},"status":...}. */
cJSON *documents_error(int status, const char *type, const char *reason);

#endif
