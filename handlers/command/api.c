/* SPDX-License-Identifier: MIT */
/* lictor api: one request to the Consul agent, for scripts. */
#include "base/json.h"
#include "base/text.h"
#include "command/commands.h"
#include "consul/consul.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (4U << 20)

static const char help[] =
    "usage: lictor api METHOD PATH [MEMBER]...\n"
    "\n"
    "One request to the Consul agent, for scripts: PATH as below /v1/. Prints the answer; with\n"
    "MEMBER (\"Config.NodeName\") each of these members of it on a line of its own; with --keys\n"
    "the names of its members.\n"
    "\n"
    "  --data JSON           the body of a PUT\n"
    "  --keys                print the names of the members of the answer\n" PLACE_HELP "\n"
    "exit codes: 0 done, 1 failed (the reason is on stdout), 2 usage, 3 the token lacks a right\n"
    "\n"
    "example: lictor api GET agent/self Config.NodeName Config.Version\n";

#define NO_RIGHT 3

/* The member at "A.B.C", NULL if there is none. */
static const cJSON *member_at(const cJSON *root, const char *path)
{
    char name[64];
    while (root && *path) {
        size_t len = strcspn(path, ".");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, path);
        root = cJSON_GetObjectItemCaseSensitive(root, name);
        path += len + (path[len] == '.');
    }
    return root;
}

/* A text, made printable; all else as JSON; what is missing is an empty line. */
static void print_member(const cJSON *item)
{
    if (item && cJSON_IsString(item)) {
        text_clean(item->valuestring);
        printf("%s\n", item->valuestring);
        return;
    }
    char *text = item ? cJSON_PrintUnformatted(item) : NULL;
    printf("%s\n", text ? text : "");
    cJSON_free(text);
}

static int print_members(const struct buffer *answer, bool keys, char **paths, struct error *err)
{
    cJSON *root = NULL;
    const cJSON *item = NULL;
    int rc = json_parse(buffer_text(answer), answer->len, "the answer", &root, err);
    if (rc < 0)
        return rc;
    if (keys) {
        cJSON_ArrayForEach(item, root) printf("%s\n", item->string ? item->string : "");
    }
    for (; *paths; paths++)
        print_member(member_at(root, *paths));
    cJSON_Delete(root);
    return 0;
}

struct request {
    bool put, keys;
    const char *data, *path;
    char **members; /* NULL-terminated */
};

static int answer_request(struct consul *consul, const struct request *request, struct error *err)
{
    struct buffer answer = BUFFER_INIT(ANSWER_MAX);
    int rc = consul_request(consul, request->put ? request->data : NULL, request->path, &answer,
                            err);
    if (rc == 0 && (request->keys || *request->members))
        rc = print_members(&answer, request->keys, request->members, err);
    else
        (void)fputs(rc < 0 ? err->text : buffer_text(&answer), stdout);
    buffer_release(&answer);
    return rc;
}

int command_api(const struct place *place, int argc, char **argv, struct error *err)
{
    struct place here = *place;
    struct consul *consul = NULL;
    struct request request = {.data = ""};
    const struct program_option rows[] = {
        PLACE_ROWS(&here), {"keys", NULL, &request.keys}, {"data", &request.data, NULL}};
    const struct program_usage usage = {help, rows, COUNT(rows), .operands = argc};
    int first = program_options(argc, argv, &usage, err);
    if (first <= 0)
        return first;
    if (argc - first < 2)
        return error_set(err, -EINVAL, "METHOD and PATH are needed, see --help");
    request.put = strcmp(argv[first], "PUT") == 0;
    if (!request.put && strcmp(argv[first], "GET") != 0)
        return error_set(err, -EINVAL, "METHOD is GET or PUT, see --help");
    request.path = argv[first + 1];
    request.members = argv + first + 2;
    int rc = consul_open(here.config_dir, &consul, err);
    if (rc == 0)
        rc = answer_request(consul, &request, err);
    else
        (void)fputs(err->text, stdout);
    consul_close(consul);
    return rc == -EACCES ? NO_RIGHT : rc < 0 ? HANDLER_FAILED : HANDLER_DONE;
}
