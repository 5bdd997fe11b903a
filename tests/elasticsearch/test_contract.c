/* SPDX-License-Identifier: MIT */
/* One contract, held by the stand-in and by the real ones, so that it cannot drift.
 *
 * ELASTICSEARCH_TARGETS lists what is tested: names as tests/elasticsearch/run knows
 * them, "stand-in 8.6.2" by default. ELASTICSEARCH_URL is tested instead of the real
 * ones where it is set. Where a real one cannot be had it is left out, which a note
 * says; with CI=true that is a failure. */
#include "base/buffer.h"
#include "elasticsearch/probe.h"
#include "keeper.h"
#include "sink.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>

#define NDJSON "application/x-ndjson"

static struct sink shipper;
static const char *shipper_config_name;

/* What a secured one wants; "" none. */
static char login[100], ca[500];
#define PASSWORD "pass word$1"

/* The index of the running test. */
static char index_name[64];

/* How long a request waits for its answer. */
static long answer_ms = 60000;

struct answer {
    CURLcode rc;
    long status;
    struct buffer body;
    cJSON *json; /* NULL when the body is none */
};

/* ---- requests ------------------------------------------------------------ */

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    return buffer_append(arg, bytes, size * n) < 0 ? 0 : size * n;
}

static void prepare(CURL *curl, const char *method, const char *path, struct answer *a)
{
    char url[300];
    if (*path == '/')
        (void)snprintf(url, sizeof url, "%s%s", shipper.url, path);
    else
        (void)snprintf(url, sizeof url, "%s/%s/%s", shipper.url, index_name, path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, answer_ms);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &a->body);
    if (*login)
        (void)curl_easy_setopt(curl, CURLOPT_USERPWD, login);
    if (*ca)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
}

/* One request; a path without '/' in front is below the test's index. body NULL: none. */
static struct answer call(const char *method, const char *path, const char *type, const char *body)
{
    char content[100];
    struct answer a = {.body = BUFFER_INIT(70U << 20)};
    (void)snprintf(content, sizeof content, "Content-Type: %s", type ? type : "");
    struct curl_slist *headers = curl_slist_append(NULL, content);
    CURL *curl = curl_easy_init();
    prepare(curl, method, path, &a);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body)
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    a.rc = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a.status);
    a.json = cJSON_Parse(buffer_text(&a.body));
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return a;
}

static void answer_release(struct answer *a)
{
    cJSON_Delete(a->json);
    buffer_release(&a->body);
}

static struct answer get(const char *path)
{
    return call("GET", path, NULL, NULL);
}

static struct answer bulk(const char *lines)
{
    return call("POST", "_bulk?refresh=true", NDJSON, lines);
}

/* What stands at "items.0.index.status"; fails when nothing does. */
static const cJSON *at(const struct answer *a, const char *path)
{
    char name[100];
    const cJSON *json = a->json;
    for (const char *p = path; json && *p;) {
        size_t len = strcspn(p, ".");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, p);
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, (int)strtol(name, NULL, 10))
                                   : cJSON_GetObjectItemCaseSensitive(json, name);
        p += len + (p[len] == '.');
    }
    if (!json)
        fail_msg("no %s in %ld %.500s", path, a->status, buffer_text(&a->body));
    return json;
}

static const char *text_at(const struct answer *a, const char *path)
{
    const char *text = cJSON_GetStringValue(at(a, path));
    if (!text)
        fail_msg("%s is no text in %.500s", path, buffer_text(&a->body));
    return text;
}

static int number_at(const struct answer *a, const char *path)
{
    return at(a, path)->valueint;
}

static int count(const char *query)
{
    char path[200];
    (void)snprintf(path, sizeof path, "_count%s%s", *query ? "?q=" : "", query);
    struct answer a = get(path);
    assert_int_equal(a.status, 200);
    int n = number_at(&a, "count");
    answer_release(&a);
    return n;
}

/* ---- what all of them do ------------------------------------------------- */

static void greets(void **state)
{
    (void)state;
    struct answer a = get("/");
    assert_int_equal(a.status, 200);
    assert_int_equal(strlen(text_at(&a, "cluster_uuid")), 22);
    assert_true(strlen(text_at(&a, "version.number")) >= 5);
    assert_non_null(text_at(&a, "name"));
    assert_non_null(text_at(&a, "tagline"));
    answer_release(&a);
    a = call("HEAD", "/", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.len, 0);
    answer_release(&a);
}

static void misses_an_index(void **state)
{
    (void)state;
    static const char *const paths[] = {"_search", "_count", "_search?q=a.keyword:b"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer a = get(paths[i]);
        assert_int_equal(a.status, 404);
        assert_int_equal(number_at(&a, "status"), 404);
        assert_string_equal(text_at(&a, "error.type"), "index_not_found_exception");
        answer_release(&a);
    }
}

static void creates(void **state)
{
    (void)state;
    struct answer a = bulk("{\"create\":{\"_id\":\"one\"}}\n{\"a\":\"b\"}\n"
                           "{\"create\":{\"_id\":\"two\"}}\n{\"a\":\"c\"}\n");
    assert_int_equal(a.status, 200);
    assert_true(cJSON_IsFalse(at(&a, "errors")));
    assert_int_equal(cJSON_GetArraySize(at(&a, "items")), 2);
    assert_string_equal(text_at(&a, "items.1.create._index"), index_name);
    assert_string_equal(text_at(&a, "items.1.create._id"), "two");
    assert_string_equal(text_at(&a, "items.1.create.result"), "created");
    assert_int_equal(number_at(&a, "items.1.create._version"), 1);
    assert_int_equal(number_at(&a, "items.1.create.status"), 201);
    answer_release(&a);
    assert_int_equal(count(""), 2);
}

static void creates_no_id_twice(void **state)
{
    (void)state;
    struct answer a = bulk("{\"create\":{\"_id\":\"one\"}}\n{\"a\":\"b\"}\n"
                           "{\"create\":{\"_id\":\"one\"}}\n{\"a\":\"c\"}\n"
                           "{\"create\":{\"_id\":\"two\"}}\n{\"a\":\"d\"}\n");
    assert_int_equal(a.status, 200);
    assert_true(cJSON_IsTrue(at(&a, "errors")));
    assert_int_equal(number_at(&a, "items.0.create.status"), 201);
    assert_int_equal(number_at(&a, "items.1.create.status"), 409);
    assert_string_equal(text_at(&a, "items.1.create.error.type"),
                        "version_conflict_engine_exception");
    assert_int_equal(number_at(&a, "items.2.create.status"), 201);
    answer_release(&a);
    assert_int_equal(count("a.keyword:b"), 1);
    assert_int_equal(count("a.keyword:c"), 0);
}

static void index_replaces(void **state)
{
    (void)state;
    struct answer a = bulk("{\"index\":{\"_id\":\"one\"}}\n{\"a\":\"b\"}\n"
                           "{\"index\":{\"_id\":\"one\"}}\n{\"a\":\"c\"}\n"
                           "{\"index\":{}}\n{\"a\":\"d\"}\n");
    assert_true(cJSON_IsFalse(at(&a, "errors")));
    assert_int_equal(number_at(&a, "items.0.index.status"), 201);
    assert_int_equal(number_at(&a, "items.1.index.status"), 200);
    assert_string_equal(text_at(&a, "items.1.index.result"), "updated");
    assert_int_equal(number_at(&a, "items.1.index._version"), 2);
    assert_true(*text_at(&a, "items.2.index._id") != '\0');
    answer_release(&a);
    assert_int_equal(count(""), 2);
    assert_int_equal(count("a.keyword:b"), 0);
    assert_int_equal(count("_id:one"), 1);
}

static void names_the_index_in_the_line(void **state)
{
    (void)state;
    char lines[400];
    (void)snprintf(lines, sizeof lines,
                   "{\"index\":{\"_index\":\"%s\",\"_id\":\"1\"}}\n{\"a\":1}\n"
                   "{\"index\":{\"_index\":\"Not-A-Name\",\"_id\":\"2\"}}\n{\"a\":1}\n",
                   index_name);
    struct answer a = call("POST", "/_bulk?refresh=true", NDJSON, lines);
    assert_int_equal(number_at(&a, "items.0.index.status"), 201);
    assert_int_equal(number_at(&a, "items.1.index.status"), 400);
    assert_string_equal(text_at(&a, "items.1.index.error.type"), "invalid_index_name_exception");
    answer_release(&a);
    assert_int_equal(count("a:1"), 1);
}

static void refuses_a_broken_document(void **state)
{
    (void)state;
    struct answer a = bulk("{\"index\":{\"_id\":\"1\"}}\n{\"a\":\"b\n"
                           "{\"index\":{\"_id\":\"2\"}}\n{\"a\":\"b\"}\n");
    assert_int_equal(a.status, 200);
    assert_true(cJSON_IsTrue(at(&a, "errors")));
    assert_int_equal(number_at(&a, "items.0.index.status"), 400);
    assert_string_equal(text_at(&a, "items.0.index.error.type"), "mapper_parsing_exception");
    assert_int_equal(number_at(&a, "items.1.index.status"), 201);
    answer_release(&a);
    assert_int_equal(count(""), 1);
}

static const struct {
    const char *name, *type, *body, *error; /* error NULL: any */
    int status;
} refused_bulks[] = {
    {"no last newline", NDJSON, "{\"index\":{}}\n{\"a\":1}", "illegal_argument_exception", 400},
    {"no body", NDJSON, "", "parse_exception", 400},
    {"no JSON", NDJSON, "index\n{\"a\":1}\n", NULL, 400},
    {"an array", NDJSON, "[1]\n{\"a\":1}\n", NULL, 400},
    {"unknown action", NDJSON, "{\"insert\":{}}\n{\"a\":1}\n", NULL, 400},
    {"unknown parameter", NDJSON, "{\"index\":{\"x\":\"y\"}}\n{\"a\":1}\n",
     "illegal_argument_exception", 400},
    {"no document", NDJSON, "{\"index\":{}}\n", NULL, 400},
    {"plain text", "text/plain", "{\"index\":{}}\n{\"a\":1}\n", NULL, 406},
};

static void refuses_a_broken_bulk(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_bulks); i++) {
        struct answer a = call("POST", "_bulk", refused_bulks[i].type, refused_bulks[i].body);
        const char *error = refused_bulks[i].error;
        if (a.status != refused_bulks[i].status ||
            (error && strcmp(text_at(&a, "error.type"), error) != 0))
            fail_msg("%s: %ld %.300s", refused_bulks[i].name, a.status, buffer_text(&a.body));
        answer_release(&a);
    }
}

/* rsyslog sends a document type unless searchType is empty. 7 accepts it. */
static void knows_no_document_type(void **state)
{
    (void)state;
    struct answer a = get("/");
    bool seven = strncmp(text_at(&a, "version.number"), "7.", 2) == 0;
    answer_release(&a);
    a = bulk("{\"index\":{\"_type\":\"events\"}}\n{\"a\":1}\n");
    assert_int_equal(a.status, seven ? 200 : 400);
    answer_release(&a);
}

static const struct {
    const char *query;
    int found;
} queries[] = {
    {"*", 3},
    {"host.keyword:server-1", 2},
    {"host.keyword:%22server-1%22", 2},
    {"host.keyword:server", 0},
    {"host.keyword:SERVER-1", 0},
    {"line:17", 1},
    {"ready:true", 1},
    {"process.name.keyword:seal", 1},
    {"missing.keyword:x", 0},
    {"_id:c", 1},
};

static void searches(void **state)
{
    (void)state;
    struct answer a = bulk("{\"index\":{\"_id\":\"a\"}}\n{\"host\":\"server-1\",\"line\":17}\n"
                           "{\"index\":{\"_id\":\"b\"}}\n{\"host\":\"server-1\",\"ready\":true}\n"
                           "{\"index\":{\"_id\":\"c\"}}\n"
                           "{\"host\":\"server-2\",\"process\":{\"name\":\"seal\"}}\n");
    assert_true(cJSON_IsFalse(at(&a, "errors")));
    answer_release(&a);
    for (size_t i = 0; i < COUNT(queries); i++) {
        char path[200];
        (void)snprintf(path, sizeof path, "_search?q=%s&size=5", queries[i].query);
        a = get(path);
        assert_int_equal(a.status, 200);
        if (number_at(&a, "hits.total.value") != queries[i].found)
            fail_msg("%s: %.300s", queries[i].query, buffer_text(&a.body));
        assert_int_equal(cJSON_GetArraySize(at(&a, "hits.hits")), queries[i].found);
        answer_release(&a);
        assert_int_equal(count(queries[i].query), queries[i].found);
    }
    a = get("_search?q=line:17");
    assert_string_equal(text_at(&a, "hits.hits.0._id"), "a");
    assert_string_equal(text_at(&a, "hits.hits.0._index"), index_name);
    assert_string_equal(text_at(&a, "hits.hits.0._source.host"), "server-1");
    answer_release(&a);
}

static void limits_what_it_returns(void **state)
{
    (void)state;
    struct buffer lines = BUFFER_INIT(4U << 20);
    for (int i = 0; i < 10010; i++)
        assert_int_equal(buffer_printf(&lines, "{\"index\":{\"_id\":\"%d\"}}\n{\"n\":%d}\n", i, i),
                         0);
    struct answer a = bulk(lines.data);
    assert_true(cJSON_IsFalse(at(&a, "errors")));
    answer_release(&a);
    buffer_release(&lines);
    assert_int_equal(count(""), 10010);
    a = get("_search?size=3");
    assert_int_equal(number_at(&a, "hits.total.value"), 10000);
    assert_string_equal(text_at(&a, "hits.total.relation"), "gte");
    assert_int_equal(cJSON_GetArraySize(at(&a, "hits.hits")), 3);
    answer_release(&a);
    a = get("_search");
    assert_int_equal(cJSON_GetArraySize(at(&a, "hits.hits")), 10);
    answer_release(&a);
    a = get("_search?size=10001");
    assert_int_equal(a.status, 400);
    assert_string_equal(text_at(&a, "error.type"), "search_phase_execution_exception");
    answer_release(&a);
}

/* ---- probe records ------------------------------------------------------- */

#define REVISION "4f2a91aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BEFORE   "bbbbbb1111111111111111111111111111111111111111111111111111111111"
#define NOW      INT64_C(1764028800123)

static void add_probe(struct buffer *lines, const char *node, int64_t at, const char *revision)
{
    char token[PROBE_TOKEN];
    const struct probe_stream stream = {node, "rsyslog"};
    probe_token(&stream, token);
    assert_int_equal(buffer_printf(lines,
                                   "{\"index\":{}}\n{\"message\":\"probe\",\"lictor\":{\"probe\":"
                                   "\"%s\",\"at\":%lld,\"revision\":\"%s\"}}\n",
                                   token, (long long)at, revision),
                     0);
}

static void ask_probes(struct probe_found *ret)
{
    static const struct probe_stream streams[] = {{"server-1", "rsyslog"},
                                                  {"server-2", "rsyslog"},
                                                  {"server-3", "rsyslog"},
                                                  {"other", "rsyslog"}};
    struct error err = {0};
    char *body = probe_query(streams, 4, REVISION, NOW);
    struct answer a = call("POST", "_search?allow_partial_search_results=false", "application/json",
                           body);
    assert_int_equal(a.status, 200);
    if (probe_parse(a.json, 4, ret, &err) < 0)
        fail_msg("%s: %s", err.text, buffer_text(&a.body));
    answer_release(&a);
    free(body);
}

static void write_probes(void)
{
    struct buffer lines = BUFFER_INIT(65536);
    add_probe(&lines, "server-1", NOW - 30000, BEFORE);
    add_probe(&lines, "server-1", NOW - 15000, REVISION);
    add_probe(&lines, "server-1", NOW, REVISION);
    add_probe(&lines, "server-2", NOW - 15000, REVISION);
    add_probe(&lines, "server-2", NOW + 5, BEFORE);
    add_probe(&lines, "server-3", NOW - INT64_C(86400001), REVISION);
    add_probe(&lines, "server-3", NOW + INT64_C(3600001), REVISION);
    struct answer a = bulk(lines.data);
    assert_true(cJSON_IsFalse(at(&a, "errors")));
    answer_release(&a);
    buffer_release(&lines);
}

static void assert_probes(void)
{
    static const struct probe_found expected[] = {
        {NOW, NOW}, {NOW + 5, NOW - 15000}, {-1, -1}, {-1, -1}};
    struct probe_found found[4];
    ask_probes(found);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(found[i].newest_ms, expected[i].newest_ms);
        assert_int_equal(found[i].revision_ms, expected[i].revision_ms);
    }
}

static void finds_probes(void **state)
{
    (void)state;
    struct probe_found found[4];
    struct answer a = bulk("{\"index\":{}}\n{\"message\":\"no probe\"}\n");
    assert_int_equal(a.status, 200);
    answer_release(&a);
    ask_probes(found);
    assert_int_equal(found[0].newest_ms, -1);
    write_probes();
    assert_probes();
}

static void misses_an_index_when_asked_for_probes(void **state)
{
    (void)state;
    static const struct probe_stream stream = {"server-1", "rsyslog"};
    char *body = probe_query(&stream, 1, REVISION, NOW);
    struct answer a = call("POST", "_search", "application/json", body);
    assert_int_equal(a.status, 404);
    answer_release(&a);
    free(body);
}

/* Index templates of others: every string a keyword, or every string a text. */
static void finds_probes_however_they_are_mapped(void **state)
{
    (void)state;
    static const char *const types[] = {"keyword", "text"};
    for (size_t i = 0; i < 2; i++) {
        char mapping[300];
        if (strcmp(shipper_config_name, "stand-in") == 0)
            return; /* has no mappings */
        (void)snprintf(mapping, sizeof mapping,
                       "{\"mappings\":{\"dynamic_templates\":[{\"s\":{\"match_mapping_"
                       "type\":\"string\",\"mapping\":{\"type\":\"%s\"}}}]}}",
                       types[i]);
        struct answer a = call("DELETE", "", NULL, NULL);
        answer_release(&a);
        a = call("PUT", "", "application/json", mapping);
        assert_int_equal(a.status, 200);
        answer_release(&a);
        write_probes();
        assert_probes();
    }
}

/* ---- who asks ------------------------------------------------------------ */

static void wants_to_know_who_asks(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "reader:wrong", ("nobody:" PASSWORD)};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        (void)snprintf(login, sizeof login, "%s", wrong[i]);
        struct answer a = get("/");
        assert_int_equal(a.status, 401);
        assert_int_equal(number_at(&a, "status"), 401);
        assert_string_equal(text_at(&a, "error.type"), "security_exception");
        answer_release(&a);
    }
    (void)snprintf(login, sizeof login, "reader:" PASSWORD);
    struct answer a = get("/");
    assert_int_equal(a.status, 200);
    assert_int_equal(strlen(text_at(&a, "cluster_uuid")), 22);
    answer_release(&a);
    a = get("_search");
    assert_int_equal(a.status, 404);
    answer_release(&a);
}

static void refreshes(void **state)
{
    (void)state;
    struct answer a = call("POST", "_bulk", "application/json", "{\"index\":{}}\n{\"a\":\"b\"}\n");
    assert_int_equal(a.status, 200);
    answer_release(&a);
    a = call("POST", "_refresh", NULL, NULL);
    assert_int_equal(a.status, 200);
    answer_release(&a);
    assert_int_equal(count(""), 1);
}

/* Filebeat asks for it. */
static void has_a_license(void **state)
{
    (void)state;
    struct answer a = call("GET", "/_license?human=false", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(text_at(&a, "license.type"), "basic");
    assert_string_equal(text_at(&a, "license.status"), "active");
    answer_release(&a);
}

/* ---- what only the stand-in does ----------------------------------------- */

static void set_mode(const char *mode)
{
    char path[100];
    (void)snprintf(path, sizeof path, "/_stand-in/%s", mode);
    struct answer a = call("PUT", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    answer_release(&a);
}

static int behave_again(void **state)
{
    (void)state;
    set_mode("ok");
    return 0;
}

static void refuses_on_command(void **state)
{
    (void)state;
    static const char *const modes[] = {"401", "403", "429", "503"};
    for (size_t i = 0; i < COUNT(modes); i++) {
        set_mode(modes[i]);
        struct answer a = bulk("{\"index\":{}}\n{\"a\":\"b\"}\n");
        assert_int_equal(a.status, strtol(modes[i], NULL, 10));
        assert_int_equal(number_at(&a, "status"), a.status);
        assert_true(*text_at(&a, "error.type") != '\0');
        answer_release(&a);
    }
    set_mode("items=429");
    struct answer a = bulk("{\"index\":{\"_id\":\"1\"}}\n{\"a\":\"b\"}\n");
    assert_int_equal(a.status, 200);
    assert_true(cJSON_IsTrue(at(&a, "errors")));
    assert_int_equal(number_at(&a, "items.0.index.status"), 429);
    answer_release(&a);
    set_mode("some=429");
    a = bulk("{\"index\":{\"_id\":\"1\"}}\n{\"a\":\"b\"}\n"
             "{\"index\":{\"_id\":\"2\"}}\n{\"a\":\"b\"}\n");
    assert_true(cJSON_IsTrue(at(&a, "errors")));
    assert_int_equal(number_at(&a, "items.0.index.status"), 201);
    assert_int_equal(number_at(&a, "items.1.index.status"), 429);
    answer_release(&a);
    set_mode("search=403");
    a = bulk("{\"index\":{}}\n{\"a\":\"b\"}\n");
    assert_true(cJSON_IsFalse(at(&a, "errors")));
    answer_release(&a);
    a = get("_search");
    assert_int_equal(a.status, 403);
    answer_release(&a);
}

static void refuses_so_many_times(void **state)
{
    (void)state;
    static const int expected[] = {503, 503, 200};
    set_mode("503?times=2");
    for (size_t i = 0; i < 3; i++) {
        struct answer a = get("/");
        assert_int_equal(a.status, expected[i]);
        answer_release(&a);
    }
}

static void lies_on_command(void **state)
{
    (void)state;
    answer_ms = 300;
    set_mode("hang");
    struct answer a = get("/");
    answer_ms = 60000;
    assert_int_equal(a.rc, CURLE_OPERATION_TIMEDOUT);
    answer_release(&a);
    set_mode("close");
    a = get("/");
    assert_int_equal(a.rc, CURLE_PARTIAL_FILE);
    answer_release(&a);
    set_mode("huge");
    a = get("/");
    assert_int_equal(a.body.len, 64 << 20);
    answer_release(&a);
    set_mode("garbage");
    a = get("/");
    assert_int_equal(a.status, 200);
    assert_true(a.body.len > 0);
    assert_null(a.json);
    answer_release(&a);
    set_mode("quotes");
    a = get("/");
    assert_non_null(strstr(text_at(&a, "cluster_uuid"), "\"'`$(id)"));
    answer_release(&a);
    set_mode("endless");
    a = get("/");
    assert_int_equal(a.rc, CURLE_WRITE_ERROR); /* over the ceiling of this test */
    answer_release(&a);
    answer_ms = 300;
    set_mode("slow");
    a = get("/");
    answer_ms = 60000;
    assert_int_equal(a.rc, CURLE_OPERATION_TIMEDOUT);
    assert_int_equal(a.status, 200);
    answer_release(&a);
}

static void is_another_on_command(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        int status;
        const char *version; /* NULL: none */
    } rows[] = {{"foreign", 200, NULL}, {"404", 404, NULL},         {"redirect", 307, NULL},
                {"old", 200, "6.8.23"}, {"starting", 200, "8.6.2"}, {"opensearch", 200, "2.19.0"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_mode(rows[i].mode);
        struct answer a = get("/");
        assert_int_equal(a.status, rows[i].status);
        if (rows[i].version)
            assert_string_equal(text_at(&a, "version.number"), rows[i].version);
        else
            assert_null(cJSON_GetObjectItem(a.json, "version"));
        answer_release(&a);
    }
}

/* The real one makes none: its zip lacks a module. */
static void knows_api_keys(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int status;
    } rows[] = {{"Authorization: ApiKey a2V5LWlkOmtleS1zZWNyZXQ=", 200},
                {"Authorization: ApiKey a2V5LWlkOm90aGVy", 401},
                {"Authorization: Basic a2V5LWlkOmtleS1zZWNyZXQ=", 401}};
    login[0] = '\0';
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = {.body = BUFFER_INIT(1U << 20)};
        struct curl_slist *headers = curl_slist_append(NULL, rows[i].header);
        CURL *curl = curl_easy_init();
        prepare(curl, "GET", "/", &a);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        assert_int_equal(curl_easy_perform(curl), CURLE_OK);
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a.status);
        assert_int_equal(a.status, rows[i].status);
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        answer_release(&a);
    }
}

static void counts_what_it_saw(void **state)
{
    (void)state;
    struct answer a = get("/_stand-in");
    int bulks = number_at(&a, "bulks");
    answer_release(&a);
    a = bulk("{\"index\":{}}\n{\"a\":\"b\"}\n");
    answer_release(&a);
    a = get("/_stand-in");
    assert_int_equal(number_at(&a, "bulks"), bulks + 1);
    assert_true(number_at(&a, "requests") > bulks);
    assert_true(number_at(&a, "documents") > 0);
    answer_release(&a);
}

/* ---- shippers ------------------------------------------------------------- */

static int own_index(void **state)
{
    (void)state;
    static int made;
    (void)snprintf(index_name, sizeof index_name, "lictor-contract-%d-%d", (int)getpid(), ++made);
    return 0;
}

/* Leaves nothing in an Elasticsearch that is not ours. */
static int drop_index(void **state)
{
    (void)state;
    struct answer a = call("DELETE", "", NULL, NULL);
    answer_release(&a);
    return 0;
}

static int start_target(void **state)
{
    (void)state;
    char dir[400], address[40];
    (void)snprintf(dir, sizeof dir, "%s/%s", keeper_dir(), shipper_config_name);
    (void)snprintf(address, sizeof address, "127.0.%d.1", keeper_take_net());
    return sink_start(&shipper, shipper_config_name, address, dir);
}

/* The stand-in knows users, too, but its https is tested elsewhere. */
static int start_secured(void **state)
{
    static const char *const options[] = {"--user", "reader:" PASSWORD, "--api-key",
                                          "key-id:key-secret", NULL};
    (void)state;
    char dir[400], address[40];
    (void)snprintf(dir, sizeof dir, "%s/secured-%s", keeper_dir(), shipper_config_name);
    (void)snprintf(address, sizeof address, "127.0.%d.1", keeper_take_net());
    if (strcmp(shipper_config_name, "stand-in") == 0)
        return sink_start_stand_in(&shipper, address, dir, options);
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    return sink_start_secure(&shipper, shipper_config_name, address, dir, PASSWORD);
}

static int use_given(void **state)
{
    (void)state;
    (void)snprintf(shipper.url, sizeof shipper.url, "%s", getenv("ELASTICSEARCH_URL"));
    return 0;
}

static int stop_target(void **state)
{
    (void)state;
    sink_kill(&shipper);
    login[0] = ca[0] = '\0';
    return 0;
}

#define EACH(test)    cmocka_unit_test_setup_teardown(test, own_index, drop_index)
#define SPOILED(test) cmocka_unit_test_setup_teardown(test, own_index, behave_again)

static int test_one(const char *name)
{
    const struct CMUnitTest all[] = {
        EACH(greets),
        EACH(misses_an_index),
        EACH(creates),
        EACH(creates_no_id_twice),
        EACH(index_replaces),
        EACH(names_the_index_in_the_line),
        EACH(refuses_a_broken_document),
        EACH(refuses_a_broken_bulk),
        EACH(knows_no_document_type),
        EACH(searches),
        EACH(limits_what_it_returns),
        EACH(refreshes),
        EACH(has_a_license),
        EACH(finds_probes),
        EACH(misses_an_index_when_asked_for_probes),
        EACH(finds_probes_however_they_are_mapped),
    };
    const struct CMUnitTest secured[] = {EACH(wants_to_know_who_asks), EACH(knows_api_keys)};
    const struct CMUnitTest only_stand_in[] = {
        SPOILED(refuses_on_command),    SPOILED(refuses_so_many_times), SPOILED(lies_on_command),
        SPOILED(is_another_on_command), SPOILED(counts_what_it_saw),
    };
    bool given = strcmp(name, "given") == 0;
    bool stand_in = strcmp(name, "stand-in") == 0;
    shipper_config_name = name;
    int failed = cmocka_run_group_tests_name(name, all, given ? use_given : start_target,
                                             stop_target);
    if (stand_in)
        failed += cmocka_run_group_tests_name("misbehaviour", only_stand_in, start_target,
                                              stop_target);
    if (stand_in || (*name >= '0' && *name <= '9'))
        failed += _cmocka_run_group_tests("secured", secured, stand_in ? 2 : 1, start_secured,
                                          stop_target);
    return failed;
}

static int test_all(void *arg)
{
    (void)arg;
    const char *wanted = getenv("ELASTICSEARCH_TARGETS");
    const char *ci = getenv("CI");
    const char *url = getenv("ELASTICSEARCH_URL");
    char names[200];
    int failed = 0;
    (void)snprintf(names, sizeof names, "%s",
                   url && *url         ? "stand-in given"
                   : wanted && *wanted ? wanted
                                       : "stand-in 8.6.2");
    char *rest = NULL;
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        bool ours = strcmp(name, "stand-in") == 0 || strcmp(name, "given") == 0;
        if (ours || sink_available(name))
            failed += test_one(name);
        else if (ci && strcmp(ci, "true") == 0)
            failed++;
    }
    return failed;
}

int main(void)
{
    return keeper_run("contract", test_all, NULL);
}
