/* SPDX-License-Identifier: MIT */
#include "harness.h"

static void take(const cJSON *from, struct check *ret)
{
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItem(from, "Status"));
    const char *output = cJSON_GetStringValue(cJSON_GetObjectItem(from, "Output"));
    (void)snprintf(ret->status, sizeof ret->status, "%s", status ? status : "");
    (void)snprintf(ret->output, sizeof ret->output, "%s", output ? output : "");
}

static cJSON *get(struct cluster *c, int i, const char *path)
{
    struct buffer answer = BUFFER_INIT(16U << 20);
    long status = http(c, i, "GET", path, NULL, &answer);
    cJSON *root = status == 200 ? cJSON_Parse(buffer_text(&answer)) : NULL;
    buffer_release(&answer);
    return root;
}

bool check_local(struct cluster *c, int i, const char *id, struct check *ret)
{
    *ret = (struct check){0};
    cJSON *root = get(c, i, "/v1/agent/checks");
    const cJSON *check = cJSON_GetObjectItemCaseSensitive(root, id);
    if (check)
        take(check, ret);
    cJSON_Delete(root);
    return ret->status[0] != '\0';
}

bool check_catalogue(struct cluster *c, int via, const char *node, const char *id,
                     struct check *ret)
{
    char path[200];
    *ret = (struct check){0};
    (void)snprintf(path, sizeof path, "/v1/health/node/%s?stale", node);
    cJSON *root = get(c, via, path);
    const cJSON *check = NULL;
    cJSON_ArrayForEach(check, root)
    {
        const char *have = cJSON_GetStringValue(cJSON_GetObjectItem(check, "CheckID"));
        if (have && strcmp(have, id) == 0)
            take(check, ret);
    }
    cJSON_Delete(root);
    return ret->status[0] != '\0';
}

struct wanted {
    struct cluster *c;
    int via, i;
    const char *id, *status, *text;
};

static bool is_as(const struct wanted *w, const struct check *check, struct buffer *seen)
{
    int rc = buffer_printf(seen, "%s %s", check->status, check->output);
    return rc == 0 && strcmp(check->status, w->status) == 0 && strstr(check->output, w->text);
}

static bool local_is(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    struct check check;
    (void)check_local(w->c, w->i, w->id, &check);
    return is_as(w, &check, seen);
}

static bool catalogue_is(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    struct check check;
    (void)check_catalogue(w->c, w->via, w->c->server[w->i].node, w->id, &check);
    return is_as(w, &check, seen);
}

void wait_check(struct cluster *c, int i, const char *id, const char *status, const char *text,
                int64_t limit_ms)
{
    char what[400];
    struct wanted w = {c, 0, i, id, status, text};
    (void)snprintf(what, sizeof what, "%s of the agent of server %d is %s with \"%s\"", id, i,
                   status, text);
    wait_until(what, limit_ms, local_is, &w);
}

void wait_catalogue(struct cluster *c, int via, int i, const char *id, const char *status,
                    const char *text, int64_t limit_ms)
{
    char what[400];
    struct wanted w = {c, via, i, id, status, text};
    (void)snprintf(what, sizeof what,
                   "%s of server %d in the catalogue of server %d is %s with \"%s\"", id, i, via,
                   status, text);
    wait_until(what, limit_ms, catalogue_is, &w);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

/* Does it begin with text, blanks left out? */
static bool begins(const char *output, const char *text)
{
    while (*text) {
        if (is_blank(*text))
            text++;
        else if (is_blank(*output))
            output++;
        else if (*output++ != *text++)
            return false;
    }
    return true;
}

bool output_says(const char *output, const char *text)
{
    for (; *output; output++) {
        if (begins(output, text))
            return true;
    }
    return false;
}
