/* SPDX-License-Identifier: MIT */
/* What is said of every Elasticsearch that is none, or not well: over real connections to
 * the stand-in, with real certificates. */
#include "elasticsearch/elasticsearch.h"
#include "net/http.h"

#include "harness.h"
#include "keeper.h"
#include "sink.h"

#include <arpa/inet.h>

#define LIMIT 2000
#define SOME                                                                                       \
    {                                                                                              \
        .path = "/etc/lictor/credentials/es.read.json", .user = "reader",                          \
        .password = "secret-word", .encoded = "", .hosts = 1, .host = {"*"}, .insecure_http = true \
    }

static struct {
    int net;
    struct sink sink;
    char dir[300];
} here;

static const char *url_at(const char *scheme, int host, int port)
{
    static char urls[8][100];
    static unsigned next;
    char *url = urls[next++ % 8];
    (void)snprintf(url, sizeof urls[0], "%s://127.0.%d.%d:%d", scheme, here.net, host, port);
    return url;
}

static struct elasticsearch_greeting greet(const struct credential *credential, const char *url)
{
    struct elasticsearch_greeting g;
    struct error err = {0};
    assert_int_equal(elasticsearch_greet(credential, &url, 1, LIMIT, &g, &err), 0);
    return g;
}

static enum elasticsearch_trouble search(const struct credential *credential, const char *url,
                                         const char *index, const char *body, cJSON **ret,
                                         struct error *err)
{
    const struct elasticsearch_place to = {
        .url = url, .index = index, .credential = credential, .limit_ms = LIMIT};
    return elasticsearch_search(&to, body, ret, err);
}

/* Without the URL in front. */
static const char *words(const char *text, const char *url)
{
    size_t len = strlen(url);
    if (strncmp(text, url, len) != 0 || strncmp(text + len, ": ", 2) != 0)
        fail_msg("%s does not begin with %s", text, url);
    return text + len + 2;
}

/* Whoever answers with what it was sent gets no secret into KV or a check. */
static void a_secret_is_no_name_of_a_cluster(void **state)
{
    static const char *const texts[] = {"secret-word", "x-secret-word-y",
                                        "cmVhZGVyOnNlY3JldC13b3Jk"};
    (void)state;
    char address[40], dir[400];
    struct credential some = SOME;
    (void)snprintf(some.host[0], sizeof some.host[0], "127.0.0.0/8");
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *options[] = {"--uuid", texts[i], NULL};
        struct sink sink = {.pid = 0};
        (void)snprintf(address, sizeof address, "127.0.%d.%d", keeper_take_net(), 40 + (int)i);
        (void)snprintf(dir, sizeof dir, "%.200s/uuid-%zu", keeper_dir(), i);
        assert_int_equal(sink_start_stand_in(&sink, address, dir, options), 0);
        struct elasticsearch_greeting g = greet(&some, sink.url);
        assert_int_equal(g.trouble, ELASTICSEARCH_FOREIGN);
        assert_string_equal(g.uuid, "");
        assert_null(strstr(g.text, texts[i]));
        g = greet(NULL, sink.url);
        assert_int_equal(g.trouble, ELASTICSEARCH_OK);
        sink_kill(&sink);
    }
}

/* ---- whoever answers ----------------------------------------------------- */

static const struct mode_row {
    const char *mode;
    enum elasticsearch_trouble trouble;
    const char *text;
} modes[] = {
    {"ok", ELASTICSEARCH_OK, ""},
    {"opensearch", ELASTICSEARCH_OK, ""},
    {"401", ELASTICSEARCH_401, "it demands a credential (401)"},
    {"403", ELASTICSEARCH_403,
     "without a credential nobody has the cluster privilege \"monitor\" (403)"},
    {"429", ELASTICSEARCH_429, "too busy (429): it is asked again"},
    {"503", ELASTICSEARCH_5XX, "not ready (5xx, or without a cluster): it is asked again"},
    {"starting", ELASTICSEARCH_5XX, "not ready (5xx, or without a cluster): it is asked again"},
    {"404", ELASTICSEARCH_FOREIGN, "the server there is not Elasticsearch"},
    {"foreign", ELASTICSEARCH_FOREIGN, "the server there is not Elasticsearch"},
    {"quotes", ELASTICSEARCH_FOREIGN, "the server there is not Elasticsearch"},
    {"old", ELASTICSEARCH_OLD, "older than Elasticsearch 7, which is the least"},
    {"garbage", ELASTICSEARCH_GARBAGE, "its answer is not JSON: what runs there?"},
    {"huge", ELASTICSEARCH_LARGE,
     "its answer is larger than any of Elasticsearch: what runs there?"},
    {"endless", ELASTICSEARCH_LARGE,
     "its answer is larger than any of Elasticsearch: what runs there?"},
    {"redirect", ELASTICSEARCH_REDIRECT,
     "it redirects, which is not followed: give the address of Elasticsearch itself"},
    {"close", ELASTICSEARCH_CUT,
     "it ends the connection without an answer: does it speak https only?"},
    {"hang", ELASTICSEARCH_SLOW,
     "it takes the connection but does not answer in time: is it overloaded?"},
    {"slow", ELASTICSEARCH_SLOW,
     "it takes the connection but does not answer in time: is it overloaded?"},
};

static void each_answer_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        print_message("  %s\n", modes[i].mode);
        sink_mode(&here.sink, modes[i].mode, 0);
        int64_t begin = now_ms();
        struct elasticsearch_greeting g = greet(NULL, here.sink.url);
        assert_in_range(now_ms() - begin, 0, LIMIT + 1000);
        assert_int_equal(g.trouble, modes[i].trouble);
        assert_string_equal(*g.text ? words(g.text, here.sink.url) : "", modes[i].text);
        assert_int_equal(*g.uuid != '\0', g.trouble == ELASTICSEARCH_OK);
    }
    sink_mode(&here.sink, "ok", 0);
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    sink_mode(&here.sink, "redirect", 0);
    int before = sink_number(&here.sink, "requests");
    assert_int_equal(greet(NULL, here.sink.url).trouble, ELASTICSEARCH_REDIRECT);
    assert_int_equal(sink_number(&here.sink, "requests"), before + 1);
    sink_mode(&here.sink, "ok", 0);
}

/* ---- nobody answers ------------------------------------------------------ */

static void nobody_there_is_told_by_what_is_missing(void **state)
{
    (void)state;
    const char *url = url_at("http", 9, 9201);
    struct elasticsearch_greeting g = greet(NULL, url);
    assert_int_equal(g.trouble, ELASTICSEARCH_REFUSED);
    assert_string_equal(words(g.text, url), "connection refused (TCP): does Elasticsearch "
                                            "run there, and is the port right?");
    url = "http://no-such-host.invalid:9200";
    g = greet(NULL, url);
    assert_int_equal(g.trouble, ELASTICSEARCH_DNS);
    assert_string_equal(words(g.text, url), "the name cannot be resolved (DNS): is it right, "
                                            "and does this server's resolver answer?");
}

/* A listener whose queue is full takes no connection and refuses none. */
static void no_connection_in_time_is_told(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9203)};
    char address[40];
    (void)snprintf(address, sizeof address, "127.0.%d.9", here.net);
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    int fds[8];
    for (size_t i = 0; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_return_code(fds[i], errno);
        if (i == 0) {
            assert_return_code(bind(fds[0], (struct sockaddr *)&at, sizeof at), errno);
            assert_return_code(listen(fds[0], 0), errno);
        } else {
            (void)connect(fds[i], (struct sockaddr *)&at, sizeof at);
        }
    }
    const char *url = url_at("http", 9, 9203);
    int64_t begin = now_ms();
    struct elasticsearch_greeting g = greet(NULL, url);
    assert_in_range(now_ms() - begin, 0, LIMIT + 1000);
    assert_int_equal(g.trouble, ELASTICSEARCH_UNREACHABLE);
    assert_string_equal(words(g.text, url),
                        "no connection (TCP): is the host up, is a firewall in between?");
    for (size_t i = 0; i < 8; i++)
        (void)close(fds[i]);
}

static void several_are_asked_side_by_side(void **state)
{
    (void)state;
    struct elasticsearch_greeting g[4];
    struct error err = {0};
    const char *urls[] = {here.sink.url, "http://no-such-host.invalid:9200",
                          url_at("http", 9, 9201), here.sink.url};
    assert_int_equal(elasticsearch_greet(NULL, urls, 4, LIMIT, g, &err), 0);
    assert_int_equal(g[0].trouble, ELASTICSEARCH_OK);
    assert_int_equal(g[1].trouble, ELASTICSEARCH_DNS);
    assert_int_equal(g[2].trouble, ELASTICSEARCH_REFUSED);
    assert_int_equal(g[3].trouble, ELASTICSEARCH_OK);
    assert_string_equal(g[0].uuid, g[3].uuid);
    assert_int_equal(elasticsearch_greet(NULL, urls, 0, LIMIT, g, &err), 0);
    sink_mode(&here.sink, "hang", 0);
    for (size_t i = 0; i < 4; i++)
        urls[i] = here.sink.url;
    int64_t begin = now_ms();
    assert_int_equal(elasticsearch_greet(NULL, urls, 4, LIMIT, g, &err), 0);
    assert_in_range(now_ms() - begin, 0, LIMIT + 1000);
    sink_mode(&here.sink, "ok", 0);
}

/* ---- who asks ------------------------------------------------------------ */

static void the_environment_has_no_say(void **state)
{
    (void)state;
    const char *proxy = url_at("http", 9, 9201);
    assert_int_equal(setenv("http_proxy", proxy, 1), 0);
    assert_int_equal(setenv("ALL_PROXY", proxy, 1), 0);
    struct elasticsearch_greeting g = greet(NULL, here.sink.url);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
    assert_int_equal(g.trouble, ELASTICSEARCH_OK);
}

static void a_credential_stays_where_it_may_go(void **state)
{
    (void)state;
    struct credential c = SOME;
    int before = sink_number(&here.sink, "requests");
    (void)snprintf(c.host[0], sizeof c.host[0], "es.example");
    struct elasticsearch_greeting g = greet(&c, here.sink.url);
    assert_int_equal(sink_number(&here.sink, "requests"), before);
    assert_int_equal(g.trouble, ELASTICSEARCH_BARRED);
    assert_non_null(strstr(g.text, ": not asked: host 127.0."));
    assert_null(strstr(g.text, "secret-word"));
    assert_string_equal(g.uuid, "");
}

static void start_secured(struct sink *sink, const char *const *options, int host)
{
    char address[40], dir[400];
    (void)snprintf(address, sizeof address, "127.0.%d.%d", here.net, host);
    (void)snprintf(dir, sizeof dir, "%s/%d", here.dir, host);
    assert_int_equal(sink_start_stand_in(sink, address, dir, options), 0);
}

static void passwords_and_api_keys_let_in(void **state)
{
    (void)state;
    static const char *const options[] = {"--user", "reader:secret-word", "--api-key",
                                          "id:key-secret", NULL};
    struct sink sink;
    struct error err = {0};
    cJSON *answer = NULL;
    start_secured(&sink, options, 3);
    struct credential c = SOME;
    (void)snprintf(c.host[0], sizeof c.host[0], "127.0.0.0/8");
    assert_int_equal(greet(&c, sink.url).trouble, ELASTICSEARCH_OK);
    assert_int_equal(search(&c, sink.url, "none", "{}", &answer, &err), ELASTICSEARCH_UNSEARCHABLE);
    (void)snprintf(c.password, sizeof c.password, "secret-wor");
    struct elasticsearch_greeting g = greet(&c, sink.url);
    assert_int_equal(g.trouble, ELASTICSEARCH_401);
    assert_string_equal(words(g.text, sink.url), "it does not know the credential in "
                                                 "/etc/lictor/credentials/es.read.json (401)");
    c.user[0] = c.password[0] = '\0';
    (void)snprintf(c.encoded, sizeof c.encoded, "aWQ6a2V5LXNlY3JldA==");
    assert_int_equal(greet(&c, sink.url).trouble, ELASTICSEARCH_OK);
    sink_kill(&sink);
}

/* ---- search -------------------------------------------------------------- */

static const struct search_row {
    const char *mode;
    enum elasticsearch_trouble trouble;
    const char *text;
} searches[] = {
    {"ok", ELASTICSEARCH_NO_INDEX, "nothing was ever written to the index"},
    {"401", ELASTICSEARCH_401, "it demands a credential (401)"},
    {"403", ELASTICSEARCH_403,
     "without a credential nobody has the index privilege \"read\" on logs (403)"},
    {"503", ELASTICSEARCH_5XX, "not ready (5xx, or without a cluster): it is asked again"},
    {"garbage", ELASTICSEARCH_GARBAGE, "its answer is not JSON: what runs there?"},
    {"endless", ELASTICSEARCH_LARGE,
     "its answer is larger than any of Elasticsearch: what runs there?"},
    {"redirect", ELASTICSEARCH_REDIRECT,
     "it redirects, which is not followed: give the address of Elasticsearch itself"},
    {"hang", ELASTICSEARCH_SLOW,
     "it takes the connection but does not answer in time: is it overloaded?"},
};

static const char question[] = "{\"size\":0,\"query\":{\"range\":{\"lictor.at\":{\"gte\":"
                               "0,\"lte\":1}}},\"aggs\":{}}";

static void each_failed_search_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(searches); i++) {
        cJSON *answer = NULL;
        struct error err = {0};
        print_message("  %s\n", searches[i].mode);
        sink_mode(&here.sink, searches[i].mode, 0);
        assert_int_equal(search(NULL, here.sink.url, "logs", question, &answer, &err),
                         searches[i].trouble);
        assert_null(answer);
        assert_string_equal(words(err.text, here.sink.url), searches[i].text);
    }
    sink_mode(&here.sink, "ok", 0);
}

static void what_passes_by_itself_is_known(void **state)
{
    (void)state;
    static const enum elasticsearch_trouble stays[] = {
        ELASTICSEARCH_OK,      ELASTICSEARCH_BARRED,  ELASTICSEARCH_UNTRUSTED,
        ELASTICSEARCH_EXPIRED, ELASTICSEARCH_401,     ELASTICSEARCH_403,
        ELASTICSEARCH_LARGE,   ELASTICSEARCH_GARBAGE, ELASTICSEARCH_REDIRECT,
        ELASTICSEARCH_FOREIGN, ELASTICSEARCH_OLD,     ELASTICSEARCH_OTHER_NAME};
    static const enum elasticsearch_trouble passes[] = {
        ELASTICSEARCH_DNS, ELASTICSEARCH_REFUSED, ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_SLOW,
        ELASTICSEARCH_CUT, ELASTICSEARCH_429,     ELASTICSEARCH_5XX};
    for (size_t i = 0; i < COUNT(stays); i++)
        assert_false(elasticsearch_passes(stays[i]));
    for (size_t i = 0; i < COUNT(passes); i++)
        assert_true(elasticsearch_passes(passes[i]));
}

static void what_a_credential_may_change_is_known(void **state)
{
    (void)state;
    static const enum elasticsearch_trouble may[] = {ELASTICSEARCH_401, ELASTICSEARCH_403,
                                                     ELASTICSEARCH_UNTRUSTED, ELASTICSEARCH_NO_TLS};
    static const enum elasticsearch_trouble may_not[] = {
        ELASTICSEARCH_OK,         ELASTICSEARCH_DNS, ELASTICSEARCH_EXPIRED,
        ELASTICSEARCH_OTHER_NAME, ELASTICSEARCH_429, ELASTICSEARCH_FOREIGN};
    for (size_t i = 0; i < COUNT(may); i++)
        assert_true(elasticsearch_demands(may[i]));
    for (size_t i = 0; i < COUNT(may_not); i++)
        assert_false(elasticsearch_demands(may_not[i]));
}

/* ---- TLS ----------------------------------------------------------------- */

/* Certificates of one CA: good, for another name, expired, not valid yet. The clock of
 * openssl is what dates them. */
static const char make_certificates[] =
    "set -e; cd \"$1\"; address=$2\n"
    "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca -keyout ca.key "
    "-out ca.pem\n"
    "make() {\n"
    "  openssl req -new -newkey rsa:2048 -nodes -subj /CN=es -keyout $1.key -out "
    "$1.csr\n"
    "  printf 'subjectAltName=%s\\n' \"$2\" >$1.ext\n"
    "  faketime \"$3\" openssl x509 -req -days 10 -in $1.csr -CA ca.pem -CAkey ca.key "
    "-CAcreateserial -extfile $1.ext -out $1.crt\n"
    "  cat $1.key $1.crt >$1.pem\n"
    "}\n"
    "make good IP:$address now\n"
    "make other DNS:es.example now\n"
    "make expired IP:$address '20 days ago'\n"
    "make early IP:$address '20 days'\n";

static const struct tls_row {
    const char *pem;
    bool ca;
    enum elasticsearch_trouble trouble;
    const char *text;
} tls_rows[] = {
    {"good", true, ELASTICSEARCH_OK, ""},
    {"good", false, ELASTICSEARCH_UNTRUSTED,
     "its certificate is of an unknown CA (TLS): name the CA's file as \"ca\" in "
     "/etc/lictor/credentials/es.read.json"},
    {"other", true, ELASTICSEARCH_OTHER_NAME,
     "its certificate is for another host (TLS): use the name in the certificate, or "
     "have this one added to it"},
    {"expired", true, ELASTICSEARCH_EXPIRED,
     "its certificate has expired or is not valid yet (TLS): renew it, compare the "
     "clocks"},
    {"early", true, ELASTICSEARCH_EXPIRED,
     "its certificate has expired or is not valid yet (TLS): renew it, compare the "
     "clocks"},
};

static pid_t start_tls(const char *pem, int port)
{
    char address[40], number[10], file[400];
    (void)snprintf(address, sizeof address, "127.0.%d.9", here.net);
    (void)snprintf(number, sizeof number, "%d", port);
    (void)snprintf(file, sizeof file, "%s/%s.pem", here.dir, pem);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        keeper_die_with(parent);
        (void)execl(TEST_BIN "/fake-elasticsearch", "fake-elasticsearch", address, number, "--tls",
                    file, (char *)NULL);
        _exit(127);
    }
    return pid;
}

struct waiting {
    const struct credential *credential;
    const char *url;
};

static bool answers(void *arg, struct buffer *seen)
{
    const struct waiting *w = arg;
    struct elasticsearch_greeting g = greet(w->credential, w->url);
    return g.trouble != ELASTICSEARCH_REFUSED && buffer_printf(seen, "%s", g.text) == 0;
}

static void a_certificate_is_refused_by_what_is_wrong(void **state)
{
    (void)state;
    struct credential c = SOME;
    (void)snprintf(c.host[0], sizeof c.host[0], "127.0.0.0/8");
    for (size_t i = 0; i < COUNT(tls_rows); i++) {
        const struct tls_row *row = &tls_rows[i];
        const char *url = url_at("https", 9, 9300 + (int)i);
        struct waiting w = {&c, url};
        print_message("  %s%s\n", row->pem, row->ca ? "" : ", no CA");
        pid_t pid = start_tls(row->pem, 9300 + (int)i);
        (void)snprintf(c.ca, sizeof c.ca, "%s/ca.pem", here.dir);
        if (!row->ca)
            c.ca[0] = '\0';
        wait_until("https answers", 5000, answers, &w);
        struct elasticsearch_greeting g = greet(&c, url);
        assert_int_equal(g.trouble, row->trouble);
        assert_string_equal(*g.text ? words(g.text, url) : "", row->text);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
}

/* As CONSUL_TLS_SERVER_NAME asks for it: the address is another than the certificate's name. */
static void a_certificate_may_have_a_name_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum http_result result;
        long status;
    } rows[] = {{"es.example", HTTP_OK, 200}, {"", HTTP_OTHER_NAME, 0}, {"x", HTTP_OTHER_NAME, 0}};
    struct credential c = SOME;
    char ca[400];
    struct waiting w = {&c, url_at("https", 9, 9350)};
    struct http_request request = {.url = w.url, .ca = ca, .limit_ms = LIMIT, .most = 10000};
    struct http http = {0};
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", here.dir);
    (void)snprintf(c.host[0], sizeof c.host[0], "127.0.0.0/8");
    pid_t pid = start_tls("other", 9350);
    wait_until("https answers", 5000, answers, &w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        request.server_name = rows[i].name;
        assert_int_equal(http_prepare(&http, &request), 0);
        http_perform(&http);
        assert_int_equal(http.result, rows[i].result);
        assert_int_equal(http.status, rows[i].status);
    }
    request.unverified = true;
    assert_int_equal(http_prepare(&http, &request), 0);
    http_perform(&http);
    assert_int_equal(http.result, HTTP_OK);
    http_release(&http);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

/* One that wants to see a certificate of its CA. Its answer is a page, no JSON. */
static pid_t start_demanding(int port)
{
    char at[60], ca[400], cert[400], key[400];
    (void)snprintf(at, sizeof at, "127.0.%d.9:%d", here.net, port);
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", here.dir);
    (void)snprintf(cert, sizeof cert, "%s/good.crt", here.dir);
    (void)snprintf(key, sizeof key, "%s/good.key", here.dir);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        keeper_die_with(parent);
        (void)execl("/usr/bin/openssl", "openssl", "s_server", "-quiet", "-www", "-accept", at,
                    "-cert", cert, "-key", key, "-CAfile", ca, "-Verify", "1",
                    "-verify_return_error", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void a_client_certificate_is_shown(void **state)
{
    (void)state;
    struct credential c = SOME;
    const char *url = url_at("https", 9, 9320);
    struct waiting w = {&c, url};
    pid_t pid = start_demanding(9320);
    (void)snprintf(c.host[0], sizeof c.host[0], "127.0.0.0/8");
    (void)snprintf(c.ca, sizeof c.ca, "%s/ca.pem", here.dir);
    wait_until("https answers", 5000, answers, &w);
    struct elasticsearch_greeting g = greet(&c, url);
    assert_int_equal(g.trouble, ELASTICSEARCH_NO_TLS);
    assert_string_equal(words(g.text, url),
                        "no TLS connection: does it speak https, does it demand a "
                        "client certificate?");
    (void)snprintf(c.cert, sizeof c.cert, "%s/good.crt", here.dir);
    (void)snprintf(c.key, sizeof c.key, "%s/good.key", here.dir);
    g = greet(&c, url);
    assert_int_equal(g.trouble, ELASTICSEARCH_GARBAGE);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static void http_and_https_mixed_up_are_told(void **state)
{
    (void)state;
    const char *url = url_at("https", 9, 9200);
    struct elasticsearch_greeting g = greet(NULL, url);
    assert_int_equal(g.trouble, ELASTICSEARCH_NO_TLS);
    assert_string_equal(words(g.text, url),
                        "no TLS connection: does it speak https, does it demand a "
                        "client certificate?");
    const char *plain = url_at("http", 9, 9310);
    struct waiting w = {NULL, plain};
    pid_t pid = start_tls("good", 9310);
    wait_until("https answers", 5000, answers, &w);
    g = greet(NULL, plain);
    assert_int_equal(g.trouble, ELASTICSEARCH_CUT);
    assert_non_null(strstr(g.text, "does it speak https only?"));
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static int setup(void **state)
{
    char address[40];
    *state = &here.sink;
    here.net = keeper_take_net();
    (void)snprintf(address, sizeof address, "127.0.%d.9", here.net);
    (void)snprintf(here.dir, sizeof here.dir, "%s", keeper_dir());
    const char *argv[] = {"/bin/sh", "-c", make_certificates, "sh", here.dir, address, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        (void)fprintf(stderr, "%s\n", o.err);
    int code = o.code;
    outcome_release(&o);
    return code ? -1 : sink_start(&here.sink, "stand-in", address, here.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_no_name_of_a_cluster),
        cmocka_unit_test(each_answer_has_its_sentence),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(nobody_there_is_told_by_what_is_missing),
        cmocka_unit_test(no_connection_in_time_is_told),
        cmocka_unit_test(several_are_asked_side_by_side),
        cmocka_unit_test(the_environment_has_no_say),
        cmocka_unit_test(a_credential_stays_where_it_may_go),
        cmocka_unit_test(passwords_and_api_keys_let_in),
        cmocka_unit_test(each_failed_search_has_its_sentence),
        cmocka_unit_test(what_passes_by_itself_is_known),
        cmocka_unit_test(what_a_credential_may_change_is_known),
        cmocka_unit_test(a_certificate_is_refused_by_what_is_wrong),
        cmocka_unit_test(a_certificate_may_have_a_name_of_its_own),
        cmocka_unit_test(a_client_certificate_is_shown),
        cmocka_unit_test(http_and_https_mixed_up_are_told),
    };
    return HARNESS_RUN("elasticsearch", tests, setup, sink_tear_down);
}
