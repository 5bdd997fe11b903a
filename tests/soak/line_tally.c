/* SPDX-License-Identifier: MIT */
#include "line_tally.h"

/* A probe, or the record of ours that asks an index whether it takes anything. */
static bool is_ours(const cJSON *source, const char *id)
{
    return cJSON_GetObjectItem(source, "lictor") || strcmp(id, "lictor-canary") == 0;
}

/* Returns the server. */
static int count_line(struct line_tally *t, const char *mark, bool equal, int index)
{
    int server = 0, style = 0, n = 0;
    if (sscanf(mark, "%*[a-z]-%d-%d-%d.", &server, &style, &n) != 3 || server < 1 ||
        server > WRITER_SERVERS || style < 0 || style >= WRITER_STYLES || n < 0 ||
        n > t->found[server][style].written->lines)
        harness_fail("a document of no line: %.200s", mark);
    struct found *of = &t->found[server][style];
    if (equal)
        of->equal++;
    else if (of->times[index][n] < 255)
        of->times[index][n]++;
    return server;
}

/* FNV-1a. */
static void keep_id(struct line_tally *t, int server, const char *id)
{
    const size_t n = t->n_ids[server]++;
    if (n % 4096 == 0)
        t->ids[server] = realloc(t->ids[server], (n + 4096) * sizeof t->ids[server][0]);
    assert_non_null(t->ids[server]);
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    t->ids[server][n] = hash;
}

static void count_document(void *arg, const cJSON *hit)
{
    struct line_tally *t = arg;
    const cJSON *source = cJSON_GetObjectItem(hit, "_source");
    const char *index = cJSON_GetStringValue(cJSON_GetObjectItem(hit, "_index"));
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(hit, "_id"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(source, "mark"));
    int server = 0;
    if (!text)
        text = cJSON_GetStringValue(cJSON_GetObjectItem(source, "message"));
    const char *mark = text ? strstr(text, "soak-") : NULL;
    const char *equal = text ? strstr(text, "equal-") : NULL;
    assert_non_null(id);
    if (is_ours(source, id))
        return;
    if (mark || equal)
        server = count_line(t, mark ? mark : equal, !mark, index && index[0] == 'r');
    if (server)
        keep_id(t, server, id);
    else if (++t->strange <= 10)
        print_message("  no line: %s: %.200s\n", id, text ? text : "");
}

static int compare_ids(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int different_ids(uint64_t *ids, size_t n)
{
    int different = n > 0;
    if (n > 0)
        qsort(ids, n, sizeof *ids, compare_ids);
    for (size_t i = 1; i < n; i++)
        different += ids[i] != ids[i - 1];
    return different;
}

/* What a line can have come to. */
enum fate { LOST, TWICE, MOVED };

static bool has_fate(const struct found *of, int n, enum fate fate)
{
    const int left = of->times[0][n], right = of->times[1][n];
    return fate == LOST    ? left + right == 0
           : fate == TWICE ? left > 1 || right > 1
                           : left > 0 && right > 0;
}

static void sum_up(struct found *of)
{
    of->arrived = of->twice = of->moved = 0;
    for (int n = 1; n <= of->written->lines; n++) {
        of->arrived += !has_fate(of, n, LOST);
        of->twice += has_fate(of, n, TWICE);
        of->moved += has_fate(of, n, MOVED);
    }
}

static void forget(struct found *of, const struct written *written)
{
    free(of->times[0]);
    free(of->times[1]);
    *of = (struct found){.written = written};
    for (int k = 0; k < 2; k++) {
        of->times[k] = calloc((size_t)written->lines + 1, 1);
        assert_non_null(of->times[k]);
    }
}

bool line_tally_look(struct line_tally *t, const struct log_writer *w, const struct sink *sink)
{
    t->strange = 0;
    for (int i = 1; i <= WRITER_SERVERS; i++) {
        t->n_ids[i] = 0;
        for (int style = 0; style < WRITER_STYLES; style++)
            forget(&t->found[i][style], &w->written[i][style]);
    }
    if (sink_each(sink, "left*,right*", "*", count_document, t) < 0)
        return false;
    for (int i = 1; i <= WRITER_SERVERS; i++) {
        t->documents[i] = different_ids(t->ids[i], t->n_ids[i]);
        for (int style = 0; style < WRITER_STYLES; style++)
            sum_up(&t->found[i][style]);
    }
    return true;
}

/* The next line from `n` on with that fate; past the last when there is none. */
static int next_of(const struct found *of, int n, enum fate fate)
{
    while (n <= of->written->lines && !has_fate(of, n, fate))
        n++;
    return n;
}

static void tell_ids(const struct sink *sink, int server, int style, int n)
{
    char path[200];
    const cJSON *hit = NULL;
    (void)snprintf(path, sizeof path,
                   "/left*,right*/_search?q=mark:%%22soak-%d-%d-%d.%%22+message:%%22soak-%d-%d-%d."
                   "%%22&_source=false&size=5",
                   server, style, n, server, style, n);
    cJSON *root = sink_ask(sink, path);
    cJSON_ArrayForEach(hit, cJSON_GetObjectItem(cJSON_GetObjectItem(root, "hits"), "hits"))
        print_message("      %s in %s\n", cJSON_GetStringValue(cJSON_GetObjectItem(hit, "_id")),
                      cJSON_GetStringValue(cJSON_GetObjectItem(hit, "_index")));
    cJSON_Delete(root);
}

static void tell_ranges(const struct found *of, enum fate fate)
{
    for (int n = next_of(of, 1, fate); n <= of->written->lines;) {
        const int first = n;
        while (n < of->written->lines && next_of(of, n + 1, fate) == n + 1)
            n++;
        print_message(" %d-%d", first, n);
        n = next_of(of, n + 1, fate);
    }
    print_message("\n");
}

void line_tally_tell(const struct line_tally *t, const struct sink *sink, int server,
                     enum log_style style)
{
    static const char *const words[] = {"not there", "twice in one index", "in both indices"};
    const struct found *of = &t->found[server][style];
    for (enum fate fate = LOST; fate <= MOVED; fate++) {
        const int n = next_of(of, 1, fate);
        if (n > of->written->lines)
            continue;
        print_message("    %s:", words[fate]);
        tell_ranges(of, fate);
        if (fate != LOST)
            tell_ids(sink, server, (int)style, n);
    }
}

void line_tally_release(struct line_tally *t)
{
    for (int i = 1; i <= WRITER_SERVERS; i++) {
        free(t->ids[i]);
        for (int style = 0; style < WRITER_STYLES; style++) {
            free(t->found[i][style].times[0]);
            free(t->found[i][style].times[1]);
        }
    }
}
