/* shipped.h: what of the lines {"server":I,"n":N,...} of a test is in an Elasticsearch at
 * http://<address>:9200. */
#ifndef SHIPPED_H
#define SHIPPED_H

#include <cjson/cJSON.h>

/* What GET PATH answers; NULL when nothing that is JSON. cJSON_Delete() it. */
cJSON *shipped_ask(const char *address, const char *path);

/* How many documents of the index match ("*", "FIELD:VALUE"); -1 when it cannot be asked. */
int shipped_count(const char *address, const char *index, const char *query);

/* Fail the test unless every line from..to of this server is there exactly once; at most
 * 10,000 lines of a server are looked at. */
void shipped_once(const char *address, const char *index, int server, int from, int to);

#endif
