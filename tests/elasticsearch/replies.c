/* SPDX-License-Identifier: MIT */
#include "replies.h"

#include "documents.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGE_BYTES (64U << 20)

#define PACE 100000 /* microseconds between bytes of "slow" */

static enum MHD_Result answer_bytes(struct MHD_Connection *connection, int status, char *bytes,
                                    size_t len)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(len, bytes,
                                                                    MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, "content-type", "application/json");
    /* Clients of Elastic refuse a server without it. */
    (void)MHD_add_response_header(response, "X-elastic-product", "Elasticsearch");
    if (status == 307)
        (void)MHD_add_response_header(response, "Location", "/");
    if (status == 401)
        (void)MHD_add_response_header(response, "WWW-Authenticate",
                                      "Basic realm=\"security\" charset=\"UTF-8\"");
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned int)status, response);
    MHD_destroy_response(response);
    return rc;
}

enum MHD_Result reply(struct MHD_Connection *connection, int status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text ? answer_bytes(connection, status, text, strlen(text)) : MHD_NO;
}

enum MHD_Result reply_error(struct MHD_Connection *connection, int status, const char *type,
                            const char *reason)
{
    return reply(connection, status, documents_error(status, type, reason));
}

static ssize_t cut_off(void *context, uint64_t at, char *bytes, size_t max)
{
    (void)context;
    if (at > 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    const char start[] = "{\"took\":1,\"errors\":fal";
    size_t len = max < sizeof start - 1 ? max : sizeof start - 1;
    memcpy(bytes, start, len);
    return (ssize_t)len;
}

static ssize_t endless(void *context, uint64_t at, char *bytes, size_t max)
{
    (void)context;
    (void)at;
    memset(bytes, ' ', max);
    return (ssize_t)max;
}

static ssize_t dawdle(void *context, uint64_t at, char *bytes, size_t max)
{
    (void)context;
    (void)at;
    (void)max;
    (void)usleep(PACE);
    *bytes = ' ';
    return 1;
}

static enum MHD_Result answer_stream(struct MHD_Connection *connection, uint64_t size,
                                     MHD_ContentReaderCallback reader)
{
    struct MHD_Response *response = MHD_create_response_from_callback(size, 65536, reader, NULL,
                                                                      NULL);
    if (!response)
        return MHD_NO;
    enum MHD_Result rc = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result answer_hostile(struct MHD_Connection *connection, bool json)
{
    static const char garbage[] = "\xff\xfe<html>\0{\"cluster_uuid\":\x80}\r\n";
    char *bytes = malloc(sizeof garbage - 1);
    if (!bytes)
        return MHD_NO;
    if (!json) {
        memcpy(bytes, garbage, sizeof garbage - 1);
        return answer_bytes(connection, 200, bytes, sizeof garbage - 1);
    }
    free(bytes);
    static const char nasty[] = "\"'`$(id){{X}}\\\"\n\033[2J%s<b>";
    cJSON *root = documents_error(200, nasty, nasty);
    cJSON_AddStringToObject(root, "name", nasty);
    cJSON_AddStringToObject(root, "cluster_uuid", nasty);
    return reply(connection, 200, root);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, int status)
{
    const char *type = status == 401 || status == 403 ? "security_exception"
                       : status == 404                ? "resource_not_found_exception"
                       : status == 429                ? "circuit_breaking_exception"
                                                      : "cluster_block_exception";
    return reply_error(connection, status, type, "the stand-in was told so");
}

/* GET / of others; version NULL: of nothing that is known. */
static enum MHD_Result answer_as(struct MHD_Connection *connection, const char *version,
                                 const char *distribution, const char *uuid)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", "stand-in");
    if (version) {
        cJSON_AddStringToObject(root, "cluster_uuid", uuid);
        cJSON *inner = cJSON_AddObjectToObject(root, "version");
        cJSON_AddStringToObject(inner, "number", version);
        if (distribution)
            cJSON_AddStringToObject(inner, "distribution", distribution);
    }
    return reply(connection, 200, root);
}

static enum MHD_Result reply_foreign(struct MHD_Connection *connection, const char *mode)
{
    if (strcmp(mode, "old") == 0)
        return answer_as(connection, "6.8.23", NULL, "qbmV5lEQTXuuQTmKCbNsZg");
    if (strcmp(mode, "starting") == 0)
        return answer_as(connection, "8.6.2", NULL, "_na_");
    if (strcmp(mode, "opensearch") == 0)
        return answer_as(connection, "2.19.0", "opensearch", "qbmV5lEQTXuuQTmKCbNsZg");
    return answer_as(connection, NULL, NULL, NULL);
}

enum MHD_Result reply_spoiled(struct MHD_Connection *connection, const char *mode)
{
    if (strcmp(mode, "hang") == 0) {
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    if (strcmp(mode, "close") == 0)
        return answer_stream(connection, 1000, cut_off);
    if (strcmp(mode, "huge") == 0)
        return answer_stream(connection, HUGE_BYTES, endless);
    if (strcmp(mode, "garbage") == 0 || strcmp(mode, "quotes") == 0)
        return answer_hostile(connection, strcmp(mode, "quotes") == 0);
    if (strcmp(mode, "endless") == 0)
        return answer_stream(connection, MHD_SIZE_UNKNOWN, endless);
    if (strcmp(mode, "slow") == 0)
        return answer_stream(connection, MHD_SIZE_UNKNOWN, dawdle);
    if (strcmp(mode, "redirect") == 0)
        return reply(connection, 307, cJSON_CreateObject());
    if (*mode < '0' || *mode > '9')
        return reply_foreign(connection, mode);
    return refuse(connection, (int)strtol(mode, NULL, 10));
}
