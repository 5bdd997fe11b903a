#include "delivery/delivery.h"

#include "test.h"

#define U1    "uuid-one"
#define U2    "uuid-two"
#define NONE  (-1)
#define SHORT 59999
#define LONG  60000
#define LOSS  (30 * 60 * 1000)

/* ---- the table ----------------------------------------------------------- */

/* An address: what became of it and its uuid or sentence. */
#define GOOD(u)                                                                                    \
    {                                                                                              \
        ELASTICSEARCH_OK, u                                                                        \
    }
#define BAD(t)                                                                                     \
    {                                                                                              \
        ELASTICSEARCH_##t, "http://es:9200: " #t                                                   \
    }
#define ONE                                                                                        \
    {                                                                                              \
        GOOD(U1)                                                                                   \
    }
#define FROM(a, b, c)                                                                              \
    {                                                                                              \
        {"n1", U1, DELIVERY_##a}, {"n2", U1, DELIVERY_##b},                                        \
        {                                                                                          \
            "n3", U1, DELIVERY_##c                                                                 \
        }                                                                                          \
    }
#define TO(a, b, c)                                                                                \
    {                                                                                              \
        {"n1", a, DELIVERY_ARRIVES}, {"n2", b, DELIVERY_ARRIVES},                                  \
        {                                                                                          \
            "n3", c, DELIVERY_ARRIVES                                                              \
        }                                                                                          \
    }
#define ALL_WELL FROM(ARRIVES, ARRIVES, ARRIVES)
#define BASE     "3 of 3 servers on revision aaaaaa"
#define PASSED   VERDICT_PASSING
#define WARNED   VERDICT_WARNING
#define DEAD_TEXT                                                                                  \
    "the log shipper of this server does not run: it is started again, or see why\n"               \
    "  not: rollout-logging --retry\n"
#define RUNS_TEXT                                                                                  \
    "the log shipper of this server runs, so its queue grows: does Elasticsearch "                 \
    "take\n"                                                                                       \
    "  what it sends (its credential, the index)? Its own log says why (rsyslog:\n"                \
    "  journalctl -t index-records)\n"
#define UNKNOWN_TEXT "does the log shipper of this server run?\n"
#define UNPROVEN_TEXT                                                                              \
    "applied and running, but no probe record of this revision has arrived in\n"                   \
    "  Elasticsearch from this server\n"
#define ELSEWHERE(node, theirs)                                                                    \
    node " ships to another Elasticsearch than n1 (cluster_uuid " theirs ", not uuid-one):\n"      \
         "  what do the names in LOG_ELASTICSEARCH_URL mean there?\n"
#define SILENT_TEXT(node) "nothing arrives from " node ": see cluster:logging there\n"
#define LATE_TEXT(node)   "records of " node " arrive late: its log shipper works off a queue\n"

static const struct row {
    const char *name;
    struct {
        enum elasticsearch_trouble trouble;
        const char *text; /* uuid when OK */
    } url[3];             /* without text: none */
    enum delivery_sight sight;
    const char *sight_text;
    bool unproven;
    enum delivery_shipper shipper;
    struct delivery_server server[3]; /* n1 is this one; without node: none */
    bool not_all;
    int64_t broken_ms, lost_ms;
    enum verdict_status before, status;
    const char *summary; /* NULL: as it was */
    const char *details;
} rows[] = {
    /* nothing broken */
    {"all arrive", ONE, DELIVERY_SEEN, "", false, 0, ALL_WELL, false, NONE, NONE, PASSED, PASSED,
     BASE ", records arrive from all", ""},
    {"the only server",
     ONE,
     DELIVERY_SEEN,
     "",
     false,
     0,
     {{"n1", U1, DELIVERY_ARRIVES}},
     false,
     NONE,
     NONE,
     PASSED,
     PASSED,
     BASE ", records arrive",
     ""},
    {"others are not there yet",
     ONE,
     DELIVERY_SEEN,
     "",
     false,
     0,
     {{"n1", U1, DELIVERY_ARRIVES}},
     true,
     NONE,
     NONE,
     PASSED,
     PASSED,
     NULL,
     ""},
    {"two addresses of one",
     {GOOD(U1), GOOD(U1)},
     DELIVERY_SEEN,
     "",
     false,
     0,
     ALL_WELL,
     false,
     NONE,
     NONE,
     PASSED,
     PASSED,
     BASE ", records arrive from all",
     ""},
    {"others have not said where they ship to", ONE, DELIVERY_SEEN, "", false, 0, TO(U1, "", ""),
     false, NONE, NONE, PASSED, PASSED, BASE ", records arrive from all", ""},
    {"no praise under another warning", ONE, DELIVERY_SEEN, "", false, 0, ALL_WELL, false, NONE,
     NONE, WARNED, WARNED, NULL, ""},
    {"nobody has it in force yet",
     ONE,
     DELIVERY_SEEN,
     "",
     false,
     0,
     {{NULL, NULL, 0}},
     true,
     NONE,
     NONE,
     PASSED,
     PASSED,
     NULL,
     ""},

    /* not proven, but nothing known to be broken */
    {"no target ships a probe", ONE, DELIVERY_NO_PROBE, "no \"probe\"", false, 0, ALL_WELL, false,
     NONE, NONE, PASSED, PASSED, BASE ", arrival not proven", "no \"probe\"\n"},
    {"no target ships a probe: what seems silent is not", ONE, DELIVERY_NO_PROBE, "x", false, 0,
     FROM(SILENT, SILENT, LATE), false, NONE, NONE, PASSED, PASSED, BASE ", arrival not proven",
     "x\n"},
    {"no credential to ask with: 401 is an answer",
     {BAD(401)},
     DELIVERY_NO_CREDENTIAL,
     "es.read.json is missing",
     false,
     0,
     ALL_WELL,
     false,
     NONE,
     NONE,
     PASSED,
     PASSED,
     BASE ", arrival not proven",
     "es.read.json is missing\n"},
    {"the same for 403",
     {BAD(403)},
     DELIVERY_NO_CREDENTIAL,
     "es.read.json is missing",
     false,
     0,
     ALL_WELL,
     false,
     NONE,
     NONE,
     PASSED,
     PASSED,
     BASE ", arrival not proven",
     "es.read.json is missing\n"},
    {"the same for a CA that only the credential names",
     {BAD(UNTRUSTED)},
     DELIVERY_NO_CREDENTIAL,
     "es.read.json is missing",
     false,
     0,
     ALL_WELL,
     false,
     NONE,
     NONE,
     PASSED,
     PASSED,
     BASE ", arrival not proven",
     "es.read.json is missing\n"},
    {"but an expired certificate is one",
     {BAD(EXPIRED)},
     DELIVERY_NO_CREDENTIAL,
     "es.read.json is missing",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: EXPIRED\nes.read.json is missing\n"},
    {"said under another warning as well", ONE, DELIVERY_NO_PROBE, "no \"probe\"", false, 0,
     ALL_WELL, false, NONE, NONE, WARNED, WARNED, NULL, "no \"probe\"\n"},

    /* out of reach */
    {"DNS",
     {BAD(DNS)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: DNS\n"},
    {"TCP refused",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: REFUSED\n"},
    {"TCP no answer",
     {BAD(UNREACHABLE)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: UNREACHABLE\n"},
    {"hangs",
     {BAD(SLOW)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: SLOW\n"},
    {"cut off",
     {BAD(CUT)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: CUT\n"},
    {"429",
     {BAD(429)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: 429\n"},
    {"5xx",
     {BAD(5XX)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: 5XX\n"},
    {"out of reach for a moment",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     SHORT,
     SHORT,
     PASSED,
     PASSED,
     NULL,
     "http://es:9200: REFUSED\n"},
    {"out of reach since just now",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     0,
     0,
     PASSED,
     PASSED,
     NULL,
     "http://es:9200: REFUSED\n"},
    {"all of two out of reach, each has its sentence",
     {BAD(REFUSED), BAD(DNS)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: REFUSED\nhttp://es:9200: DNS\n"},
    {"a moment before it is critical",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LOSS,
     LOSS - 1,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: REFUSED\n"},
    {"out of reach for half an hour",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LOSS,
     LOSS,
     PASSED,
     VERDICT_CRITICAL,
     BASE ", but Elasticsearch is out of reach from here for half an hour or more",
     "http://es:9200: REFUSED\n"},
    {"critical also under a warning",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LOSS,
     LOSS,
     WARNED,
     VERDICT_CRITICAL,
     BASE ", but Elasticsearch is out of reach from here for half an hour or more",
     "http://es:9200: REFUSED\n"},
    {"what is critical keeps its words",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LOSS,
     LOSS,
     VERDICT_CRITICAL,
     VERDICT_CRITICAL,
     NULL,
     "http://es:9200: REFUSED\n"},
    {"out of reach under another warning",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     WARNED,
     WARNED,
     NULL,
     "http://es:9200: REFUSED\n"},

    /* it answers, but not to us */
    {"TLS: unknown CA",
     {BAD(UNTRUSTED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: UNTRUSTED\n"},
    {"TLS: expired",
     {BAD(EXPIRED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: EXPIRED\n"},
    {"TLS: another name",
     {BAD(OTHER_NAME)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: OTHER_NAME\n"},
    {"401 for the credential",
     {BAD(401)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: 401\n"},
    {"403 for the credential",
     {BAD(403)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: 403\n"},
    {"the credential may not go there",
     {BAD(BARRED)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: BARRED\n"},
    {"no Elasticsearch",
     {BAD(FOREIGN)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: FOREIGN\n"},
    {"a refusal is never critical",
     {BAD(401)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LOSS,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: 401\n"},
    {"one down, one refuses",
     {BAD(REFUSED), BAD(401)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch cannot be asked from here",
     "http://es:9200: REFUSED\nhttp://es:9200: 401\n"},
    {"no credential to ask with, and down",
     {BAD(REFUSED)},
     DELIVERY_NO_CREDENTIAL,
     "es.read.json is missing",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: REFUSED\nes.read.json is missing\n"},
    {"it cannot be searched", ONE, DELIVERY_BLIND, "http://es:9200: lacks read", false, 0, ALL_WELL,
     false, LONG, NONE, PASSED, WARNED, BASE ", but arrival cannot be looked for",
     "http://es:9200: lacks read\n"},
    {"it cannot be searched for a moment", ONE, DELIVERY_BLIND, "http://es:9200: busy", false, 0,
     ALL_WELL, false, SHORT, NONE, PASSED, PASSED, NULL, "http://es:9200: busy\n"},

    /* some addresses */
    {"one of two down",
     {GOOD(U1), BAD(REFUSED)},
     DELIVERY_SEEN,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but 1 of 2 addresses of Elasticsearch cannot be used",
     "http://es:9200: REFUSED\n"},
    {"two of three down",
     {BAD(DNS), GOOD(U1), BAD(SLOW)},
     DELIVERY_SEEN,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but 2 of 3 addresses of Elasticsearch cannot be used",
     "http://es:9200: DNS\nhttp://es:9200: SLOW\n"},
    {"one of two down for half an hour is no loss",
     {GOOD(U1), BAD(REFUSED)},
     DELIVERY_SEEN,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LOSS,
     NONE,
     PASSED,
     WARNED,
     BASE ", but 1 of 2 addresses of Elasticsearch cannot be used",
     "http://es:9200: REFUSED\n"},
    {"addresses of different Elasticsearch",
     {GOOD(U1), GOOD(U2)},
     DELIVERY_SEEN,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but the addresses are of different Elasticsearch",
     "address 1 of 2 has cluster_uuid uuid-one\n"
     "address 2 of 2 has cluster_uuid uuid-two\n"},
    {"the third is different",
     {GOOD(U1), BAD(DNS), GOOD(U2)},
     DELIVERY_SEEN,
     "",
     false,
     0,
     ALL_WELL,
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but 1 of 3 addresses of Elasticsearch cannot be used",
     "http://es:9200: DNS\naddress 1 of 3 has cluster_uuid uuid-one\n"
     "address 3 of 3 has cluster_uuid uuid-two\n"},

    /* another Elasticsearch */
    {"one ships elsewhere", ONE, DELIVERY_SEEN, "", false, 0, TO(U1, U2, U1), false, LONG, NONE,
     PASSED, WARNED, BASE ", but not all ship to the same Elasticsearch: n2", ELSEWHERE("n2", U2)},
    {"two ship elsewhere", ONE, DELIVERY_SEEN, "", false, 0, TO(U1, U2, U2), false, LONG, NONE,
     PASSED, WARNED, BASE ", but not all ship to the same Elasticsearch: n2, n3",
     ELSEWHERE("n2", U2) ELSEWHERE("n3", U2)},
    {"elsewhere for a moment", ONE, DELIVERY_SEEN, "", false, 0, TO(U1, U2, U1), false, SHORT, NONE,
     PASSED, PASSED, NULL, ELSEWHERE("n2", U2)},
    {"elsewhere is why nothing arrives here",
     ONE,
     DELIVERY_SEEN,
     "",
     false,
     0,
     {{"n1", U1, DELIVERY_ARRIVES}, {"n2", U2, DELIVERY_SILENT}, {"n3", U1, DELIVERY_ARRIVES}},
     false,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but not all ship to the same Elasticsearch: n2",
     ELSEWHERE("n2", U2)},
    {"what it sees goes before what its own record said", ONE, DELIVERY_SEEN, "", false, 0,
     TO(U2, U1, U1), false, NONE, NONE, PASSED, PASSED, BASE ", records arrive from all", ""},
    {"it sees nothing: its own record counts",
     {BAD(SLOW)},
     DELIVERY_BLIND,
     "",
     false,
     0,
     TO(U1, U2, U1),
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: SLOW\n" ELSEWHERE("n2", U2)},
    {"elsewhere, though arrival cannot be proven", ONE, DELIVERY_NO_PROBE, "no probe", false, 0,
     TO(U1, U2, U1), false, LONG, NONE, PASSED, WARNED,
     BASE ", but not all ship to the same Elasticsearch: n2", "no probe\n" ELSEWHERE("n2", U2)},

    /* nothing arrives */
    {"another is silent", ONE, DELIVERY_SEEN, "", false, 0, FROM(ARRIVES, SILENT, ARRIVES), false,
     LONG, NONE, PASSED, WARNED, BASE ", but nothing arrives from n2", SILENT_TEXT("n2")},
    {"two others are silent", ONE, DELIVERY_SEEN, "", false, 0, FROM(ARRIVES, SILENT, SILENT),
     false, LONG, NONE, PASSED, WARNED, BASE ", but nothing arrives from n2, n3",
     SILENT_TEXT("n2") SILENT_TEXT("n3")},
    {"another is silent for half an hour: no loss", ONE, DELIVERY_SEEN, "", false, 0,
     FROM(ARRIVES, SILENT, ARRIVES), false, LOSS, NONE, PASSED, WARNED,
     BASE ", but nothing arrives from n2", SILENT_TEXT("n2")},
    {"silent for a moment", ONE, DELIVERY_SEEN, "", false, 0, FROM(ARRIVES, SILENT, ARRIVES), false,
     SHORT, NONE, PASSED, PASSED, NULL, SILENT_TEXT("n2")},
    {"silent here: the shipper is dead", ONE, DELIVERY_SEEN, "", false, DELIVERY_DEAD,
     FROM(SILENT, ARRIVES, ARRIVES), false, LONG, NONE, PASSED, WARNED,
     BASE ", but nothing arrives from n1", DEAD_TEXT},
    {"silent here: the shipper runs, its queue grows", ONE, DELIVERY_SEEN, "", false, DELIVERY_RUNS,
     FROM(SILENT, ARRIVES, ARRIVES), false, LONG, NONE, PASSED, WARNED,
     BASE ", but nothing arrives from n1", RUNS_TEXT},
    {"silent here: nobody knows about the shipper", ONE, DELIVERY_SEEN, "", false, DELIVERY_UNKNOWN,
     FROM(SILENT, ARRIVES, ARRIVES), false, LONG, NONE, PASSED, WARNED,
     BASE ", but nothing arrives from n1", UNKNOWN_TEXT},
    {"nothing from any server", ONE, DELIVERY_SEEN, "", false, DELIVERY_RUNS,
     FROM(SILENT, SILENT, SILENT), false, LONG, LONG, PASSED, WARNED,
     BASE ", but nothing arrives from any server", RUNS_TEXT SILENT_TEXT("n2") SILENT_TEXT("n3")},
    {"nothing from any server for half an hour", ONE, DELIVERY_SEEN, "", false, DELIVERY_RUNS,
     FROM(SILENT, SILENT, SILENT), false, LOSS, LOSS, PASSED, VERDICT_CRITICAL,
     BASE ", but nothing arrives from any server for half an hour or more",
     RUNS_TEXT SILENT_TEXT("n2") SILENT_TEXT("n3")},
    {"all that are asked about are silent",
     ONE,
     DELIVERY_SEEN,
     "",
     false,
     DELIVERY_RUNS,
     {{"n1", U1, DELIVERY_SILENT}, {"n2", U1, DELIVERY_SILENT}},
     true,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but nothing arrives from n1, n2",
     RUNS_TEXT SILENT_TEXT("n2")},
    {"the only server is silent",
     ONE,
     DELIVERY_SEEN,
     "",
     false,
     DELIVERY_DEAD,
     {{"n1", U1, DELIVERY_SILENT}},
     false,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but nothing arrives from n1",
     DEAD_TEXT},

    /* late */
    {"another is late", ONE, DELIVERY_SEEN, "", false, 0, FROM(ARRIVES, LATE, ARRIVES), false, LONG,
     NONE, PASSED, WARNED, BASE ", but records arrive late from n2", LATE_TEXT("n2")},
    {"late here", ONE, DELIVERY_SEEN, "", false, 0, FROM(LATE, ARRIVES, ARRIVES), false, LONG, NONE,
     PASSED, WARNED, BASE ", but records arrive late from n1", LATE_TEXT("n1")},
    {"all are late: after an outage", ONE, DELIVERY_SEEN, "", false, 0, FROM(LATE, LATE, LATE),
     false, SHORT, NONE, PASSED, PASSED, NULL, LATE_TEXT("n1") LATE_TEXT("n2") LATE_TEXT("n3")},
    {"one late, one silent: the worse goes first", ONE, DELIVERY_SEEN, "", false, 0,
     FROM(ARRIVES, LATE, SILENT), false, LONG, NONE, PASSED, WARNED,
     BASE ", but nothing arrives from n3", LATE_TEXT("n2") SILENT_TEXT("n3")},

    /* applied, not proven yet */
    {"no record of it yet",
     ONE,
     DELIVERY_SEEN,
     "",
     true,
     DELIVERY_UNKNOWN,
     {{"n2", U1, DELIVERY_ARRIVES}},
     true,
     SHORT,
     NONE,
     PASSED,
     PASSED,
     NULL,
     UNPROVEN_TEXT UNKNOWN_TEXT},
    {"no record of it for long",
     ONE,
     DELIVERY_SEEN,
     "",
     true,
     DELIVERY_RUNS,
     {{"n2", U1, DELIVERY_ARRIVES}},
     true,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but no record of it has arrived from here",
     UNPROVEN_TEXT RUNS_TEXT},
    {"no record of it: the shipper is dead",
     ONE,
     DELIVERY_SEEN,
     "",
     true,
     DELIVERY_DEAD,
     {{"n2", U1, DELIVERY_ARRIVES}},
     true,
     LONG,
     NONE,
     PASSED,
     WARNED,
     BASE ", but no record of it has arrived from here",
     UNPROVEN_TEXT DEAD_TEXT},
    {"no record of it, for Elasticsearch is down",
     {BAD(REFUSED)},
     DELIVERY_BLIND,
     "",
     true,
     DELIVERY_UNKNOWN,
     {{NULL, NULL, 0}},
     true,
     LONG,
     LONG,
     PASSED,
     WARNED,
     BASE ", but Elasticsearch is out of reach from here",
     "http://es:9200: REFUSED\n"},
};

static size_t fill(const struct row *row, struct elasticsearch_greeting urls[3],
                   struct delivery_facts *f)
{
    *f = (struct delivery_facts){.urls = urls,
                                 .sight = row->sight,
                                 .sight_text = row->sight_text,
                                 .own = "n1",
                                 .unproven = row->unproven,
                                 .shipper = row->shipper,
                                 .servers = row->server,
                                 .all = !row->not_all,
                                 .broken_ms = row->broken_ms,
                                 .lost_ms = row->lost_ms};
    for (size_t i = 0; i < 3 && row->url[i].text; i++) {
        bool good = row->url[i].trouble == ELASTICSEARCH_OK;
        urls[i] = (struct elasticsearch_greeting){.trouble = row->url[i].trouble};
        (void)snprintf(good ? urls[i].uuid : urls[i].text, ELASTICSEARCH_UUID, "%s",
                       row->url[i].text);
        f->n_urls++;
    }
    while (f->n < 3 && row->server[f->n].node)
        f->n++;
    return f->n;
}

static void each_broken_link_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct elasticsearch_greeting urls[3];
        struct delivery_facts f;
        struct verdict v = {0};
        print_message("  %s\n", row->name);
        fill(row, urls, &f);
        verdict_set(&v, row->before, BASE);
        delivery_judge(&f, &v);
        assert_string_equal(v.summary, row->summary ? row->summary : BASE);
        assert_string_equal(v.details, row->details);
        assert_int_equal(v.status, row->status);
        assert_int_equal(delivery_broken(&f), row->broken_ms != NONE);
        assert_int_equal(delivery_lost(&f), row->lost_ms != NONE);
    }
}

static void many_are_not_all_named(void **state)
{
    (void)state;
    struct delivery_server servers[5];
    struct elasticsearch_greeting url = {.trouble = ELASTICSEARCH_OK, .uuid = U1};
    char names[5][129];
    struct verdict v = {0};
    for (size_t i = 0; i < 5; i++) {
        memset(names[i], 'a' + (int)i, 128);
        names[i][128] = '\0';
        servers[i] = (struct delivery_server){names[i], U1, DELIVERY_SILENT};
    }
    struct delivery_facts f = {.urls = &url,
                               .n_urls = 1,
                               .sight_text = "",
                               .own = "n1",
                               .servers = servers,
                               .n = 5,
                               .broken_ms = LONG,
                               .lost_ms = LONG};
    verdict_set(&v, VERDICT_PASSING, BASE);
    delivery_judge(&f, &v);
    char expected[400];
    (void)snprintf(expected, sizeof expected,
                   BASE ", but nothing arrives from %.60s, %.60s, %.60s and 2 more", names[0],
                   names[1], names[2]);
    assert_string_equal(v.summary, expected);
}

/* ---- before anything is touched ------------------------------------------ */

static const struct preflight_row {
    const char *name;
    struct {
        enum elasticsearch_trouble trouble;
        const char *text;
    } url[3];
    enum delivery_sight sight;
    const char *sight_text;
    const char *why; /* "": go */
} preflights[] = {
    {"well", ONE, DELIVERY_SEEN, "", ""},
    {"well, two addresses", {GOOD(U1), GOOD(U1)}, DELIVERY_SEEN, "", ""},
    {"no probe is no reason", ONE, DELIVERY_NO_PROBE, "no probe", ""},
    {"no credential to ask with: 401 is an answer",
     {BAD(401)},
     DELIVERY_NO_CREDENTIAL,
     "missing",
     ""},
    {"no credential to ask with, but down",
     {BAD(REFUSED)},
     DELIVERY_NO_CREDENTIAL,
     "missing",
     "http://es:9200: REFUSED"},
    {"DNS", {BAD(DNS)}, DELIVERY_BLIND, "", "http://es:9200: DNS"},
    {"TCP", {BAD(REFUSED)}, DELIVERY_BLIND, "", "http://es:9200: REFUSED"},
    {"TLS", {BAD(EXPIRED)}, DELIVERY_BLIND, "", "http://es:9200: EXPIRED"},
    {"401", {BAD(401)}, DELIVERY_BLIND, "", "http://es:9200: 401"},
    {"403", {BAD(403)}, DELIVERY_BLIND, "", "http://es:9200: 403"},
    {"429 passes, later", {BAD(429)}, DELIVERY_BLIND, "", "http://es:9200: 429"},
    {"too old", {BAD(OLD)}, DELIVERY_BLIND, "", "http://es:9200: OLD"},
    {"no Elasticsearch", {BAD(FOREIGN)}, DELIVERY_BLIND, "", "http://es:9200: FOREIGN"},
    {"one of two down is no reason", {BAD(REFUSED), GOOD(U1)}, DELIVERY_SEEN, "", ""},
    {"one of two cannot be resolved, the same", {GOOD(U1), BAD(DNS)}, DELIVERY_SEEN, "", ""},
    {"one of two refuses: that does not pass",
     {GOOD(U1), BAD(401)},
     DELIVERY_SEEN,
     "",
     "http://es:9200: 401"},
    {"one of two is foreign",
     {BAD(FOREIGN), GOOD(U1)},
     DELIVERY_SEEN,
     "",
     "http://es:9200: FOREIGN"},
    {"all of two down: the first is named",
     {BAD(REFUSED), BAD(DNS)},
     DELIVERY_BLIND,
     "",
     "http://es:9200: REFUSED"},
    {"different ones",
     {GOOD(U1), GOOD(U2)},
     DELIVERY_SEEN,
     "",
     "the addresses in LOG_ELASTICSEARCH_URL are of different Elasticsearch"},
    {"cannot be searched", ONE, DELIVERY_BLIND, "http://es:9200: lacks read",
     "http://es:9200: lacks read"},
};

static void a_preflight_fails_for_what_does_not_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(preflights); i++) {
        const struct preflight_row *row = &preflights[i];
        struct row as = {.sight = row->sight, .sight_text = row->sight_text};
        struct elasticsearch_greeting urls[3];
        struct delivery_facts f;
        char why[DELIVERY_WHY];
        memcpy(as.url, row->url, sizeof as.url);
        fill(&as, urls, &f);
        print_message("  %s\n", row->name);
        assert_int_equal(delivery_preflight(&f, why), row->why[0] == '\0');
        assert_string_equal(why, row->why);
    }
}

/* ---- small ones ---------------------------------------------------------- */

static void one_uuid_or_none(void **state)
{
    (void)state;
    const struct elasticsearch_greeting urls[] = {{.trouble = ELASTICSEARCH_DNS},
                                                  {.trouble = ELASTICSEARCH_OK, .uuid = U1},
                                                  {.trouble = ELASTICSEARCH_OK, .uuid = U1},
                                                  {.trouble = ELASTICSEARCH_OK, .uuid = U2}};
    assert_string_equal(delivery_uuid(urls, 0), "");
    assert_string_equal(delivery_uuid(urls, 1), "");
    assert_string_equal(delivery_uuid(urls, 2), U1);
    assert_string_equal(delivery_uuid(urls, 3), U1);
    assert_string_equal(delivery_uuid(urls, 4), "");
}

static const struct arrival_row {
    const char *name;
    bool found;
    int64_t age_ms, since_ms;
    enum delivery_arrival arrival;
} arrivals[] = {
    {"just now", true, 0, 0, DELIVERY_ARRIVES},
    {"a beat and a refresh ago", true, 45000, 45000, DELIVERY_ARRIVES},
    {"still fresh", true, 90000, 90000, DELIVERY_ARRIVES},
    {"from the future: another clock", true, -500, 0, DELIVERY_ARRIVES},
    {"stopped a moment ago: not known yet", true, 90001, 90000, DELIVERY_LATE},
    {"old ones come", true, 3600000, 0, DELIVERY_LATE},
    {"old ones came a moment ago", true, 3600000, 90000, DELIVERY_LATE},
    {"nothing comes any more", true, 3600000, 90001, DELIVERY_SILENT},
    {"stopped", true, 180000, 180000, DELIVERY_SILENT},
    {"never any", false, -1, 0, DELIVERY_SILENT},
};

static void arrival_is_judged_by_age_and_by_progress(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(arrivals); i++) {
        print_message("  %s\n", arrivals[i].name);
        assert_int_equal(
            delivery_arrival(arrivals[i].found, arrivals[i].age_ms, arrivals[i].since_ms),
            arrivals[i].arrival);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_broken_link_has_its_sentence),
        cmocka_unit_test(many_are_not_all_named),
        cmocka_unit_test(a_preflight_fails_for_what_does_not_pass),
        cmocka_unit_test(one_uuid_or_none),
        cmocka_unit_test(arrival_is_judged_by_age_and_by_progress),
    };
    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
