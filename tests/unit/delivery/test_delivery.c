/* SPDX-License-Identifier: MIT */
#include "delivery/delivery.h"

#include "test.h"

#define U1    "uuid-one"
#define U2    "uuid-two"
#define NOW   (-1) /* for 0 ms */
#define SHORT 59999
#define LONG  60000
#define LOSS  (30 * 60 * 1000)
#define BASE  "3 of 3 servers on revision aaaaaa"

/* ---- the table ----------------------------------------------------------- */

/* An address: what became of it and its uuid or sentence. */
#define GOOD   ELASTICSEARCH_OK
#define BAD(t) ELASTICSEARCH_##t, "http://es:9200: " #t

/* Only one address, which does not answer well. */
#define DOWN(t)       .url = {{BAD(t)}}, BLIND, .details = "http://es:9200: " #t "\n"
#define BLIND         .sight = DELIVERY_BLIND
#define NO_CREDENTIAL .sight = DELIVERY_NO_CREDENTIAL, .sight_text = "es.read.json is missing"

/* What arrives from n1, n2 and n3; where they say they ship to. */
#define FROM(a, b, c)                                                                              \
    .server = {{"n1", U1, DELIVERY_##a}, {"n2", U1, DELIVERY_##b}, {"n3", U1, DELIVERY_##c}}
#define TO(a, b, c)                                                                                \
    .server = {                                                                                    \
        {"n1", a, DELIVERY_ARRIVES}, {"n2", b, DELIVERY_ARRIVES}, {"n3", c, DELIVERY_ARRIVES}}

/* The verdict. */
#define WARNED       VERDICT_WARNING
#define CRITICAL     VERDICT_CRITICAL
#define REACH        ", but Elasticsearch is out of reach from here"
#define ASK          ", but Elasticsearch cannot be asked from here"
#define FROM_ALL     ", records arrive from all"
#define UNPROVEN     ", arrival not proven"
#define OUT_OF_REACH .lost = LONG, WARNS(REACH)
#define CANNOT_ASK   WARNS(ASK)
#define WARNS(text)  .broken = LONG, .status = WARNED, .added = text
#define LOST(text)                                                                                 \
    .broken = LOSS, .lost = LOSS, .status = CRITICAL, .added = text " for half an hour or more"

#define DEAD_TEXT                                                                                  \
    "the log shipper of this server does not run, hangs, or cannot write (disk\n"                  \
    "  full?): lictor retry starts it, or says why not\n"
#define SERVICE_TEXT                                                                               \
    "the log shipper of this server does not run, hangs, or cannot write (disk\n"                  \
    "  full?): systemctl restart lictor-rsyslog; journalctl -u lictor-rsyslog says\n  why\n"
#define RUNS_TEXT                                                                                  \
    "the log shipper of this server runs, so its queue grows: does Elasticsearch take\n"           \
    "  what it sends (its credential, the index)? Its own log says why (rsyslog:\n"                \
    "  journalctl -t lictor-index-records)\n"
#define UNKNOWN_TEXT "does the log shipper of this server run?\n"
#define UNPROVEN_TEXT                                                                              \
    "applied and running, but no probe record of this revision has arrived in\n"                   \
    "  Elasticsearch from this server\n"
#define ELSEWHERE(node, theirs)                                                                    \
    node " ships to another Elasticsearch than n1 (cluster_uuid " theirs ", not uuid-one):\n"      \
         "  what do the names in LOG_ELASTICSEARCH_URL mean there?\n"
#define SILENT_TEXT(node) "nothing arrives from " node ": see cluster:logging there\n"
#define LATE_TEXT(node)   "records of " node " arrive late: its log shipper works off a queue\n"

/* What is not written: one address, which answers well; all three servers, from which records
 * arrive; nothing is broken. */
#define LINES_LOST .status = WARNED, .added = ", but lines of n1 are lost"
#define DAMAGED_TEXT                                                                               \
    "4 lines of n1 are lost: they were damaged in the queue of its log shipper (disk,\n"           \
    "  power cut?)\n"

static const struct row {
    const char *name;
    struct {
        enum elasticsearch_trouble trouble;
        const char *text; /* uuid when OK */
    } url[3];
    enum delivery_sight sight;
    const char *sight_text;
    bool unproven;
    enum delivery_shipper shipper;
    const char *service, *waits, *stopped, *unread, *nothing, *room, *stuck, *unseen;
    bool waits_long, stops;
    int64_t damaged, cut, acknowledged;
    struct delivery_server server[3]; /* n1 is this one */
    bool nobody, not_all;
    int64_t broken, lost; /* for so many ms; 0: it is not */
    enum verdict_status before, status;
    const char *added; /* to BASE */
    const char *details;
} rows[] = {
    /* nothing broken */
    {"all arrive", .added = FROM_ALL},
    {"the only server", .server = {{"n1", U1, DELIVERY_ARRIVES}}, .added = ", records arrive"},
    {"others are not there yet", .server = {{"n1", U1, DELIVERY_ARRIVES}}, .not_all = true},
    {"two addresses of one", .url = {{GOOD, U1}, {GOOD, U1}}, .added = FROM_ALL},
    {"others have not said where they ship to", TO(U1, "", ""), .added = FROM_ALL},
    {"no praise under another warning", .before = WARNED, .status = WARNED},
    {"nobody has it in force yet", .nobody = true, .not_all = true},

    /* what this server's shipper says of itself, before any record is late */
    {"records wait for a moment", .waits = "es: 429", .shipper = DELIVERY_RUNS, .added = FROM_ALL,
     .details = "records wait on n1: es: 429\n"},
    {"records wait too long", .waits = "es: no write index", .waits_long = true, .status = WARNED,
     .added = ", but records wait on n1", .details = "records wait on n1: es: no write index\n"},
    {"they wait under another warning", .waits = "es: 401", .waits_long = true, .before = WARNED,
     .status = WARNED, .details = "records wait on n1: es: 401\n"},
    {"they wait, so nothing arrives", .waits = "es: 401", .waits_long = true,
     .shipper = DELIVERY_RUNS, FROM(SILENT, ARRIVES, ARRIVES),
     WARNS(", but nothing arrives from n1"), .details = "records wait on n1: es: 401\n"},
    {"the shipper does not run", .shipper = DELIVERY_DEAD, .status = WARNED,
     .added = ", but nothing is heard of the log shipper of n1", .details = DEAD_TEXT},
    {"nor does the service", .shipper = DELIVERY_DEAD, .service = "lictor-rsyslog",
     .status = WARNED, .added = ", but nothing is heard of the log shipper of n1",
     .details = SERVICE_TEXT},
    {"it does not run, and what is in Elasticsearch is old", .shipper = DELIVERY_DEAD,
     FROM(SILENT, ARRIVES, ARRIVES), WARNS(", but nothing arrives from n1"), .details = DEAD_TEXT},
    {"it does not run, and nothing of it has arrived", .shipper = DELIVERY_DEAD, .unproven = true,
     .status = WARNED, .added = ", but nothing is heard of the log shipper of n1",
     .server = {{"n2", U1, DELIVERY_ARRIVES}, {"n3", U1, DELIVERY_ARRIVES}}, .not_all = true,
     .broken = SHORT, .details = UNPROVEN_TEXT DEAD_TEXT},
    {"a log cannot be read", .unread = "/l/a.log: Permission denied", .status = WARNED,
     .added = ", but not all logs of n1 can be read",
     .details = "the log shipper of n1 cannot read /l/a.log: Permission denied\n"},
    {"too little room for the queue", .room = "the disk of /s has less", .status = WARNED,
     .added = ", but the disk of the log shipper of n1 is too full",
     .details = "on n1 the disk of /s has less\n"},
    {"a log that is not read on", .stuck = "12 bytes of /l/a.log", .status = WARNED,
     .added = ", but a log of n1 is not read on",
     .details = "the log shipper of n1 has not read on for a minute: 12 bytes of /l/a.log wait in\n"
                "  the file: restart it\n"},
    {"the same under systemd", .stuck = "12 bytes of /l/a.log", .service = "lictor-rsyslog",
     .status = WARNED, .added = ", but a log of n1 is not read on",
     .details = "the log shipper of n1 has not read on for a minute: 12 bytes of /l/a.log wait in\n"
                "  the file: systemctl restart lictor-rsyslog; journalctl -u lictor-rsyslog says\n"
                "  why\n"},
    {"a glob without a file", .nothing = "no file matches /l/*.log", .added = FROM_ALL,
     .details = "on n1 no file matches /l/*.log\n"},
    {"a shipper without an account", .unseen = "filebeat", .added = FROM_ALL,
     .details = "filebeat on n1 keeps no account: logs that it cannot read, and records that were\n"
                "  refused, do not show here\n"},
    {"the end of some is lost", .cut = 3, LINES_LOST,
     .details = "of 3 lines of n1, refused and longer than 256 KiB, the end is lost\n"
                "once this is known: lictor acknowledge n1 3\n"},
    {"some are lost", .damaged = 4, .cut = 3, LINES_LOST,
     .details = DAMAGED_TEXT "of 3 lines of n1, refused and longer than 256 KiB, the end is lost\n"
                             "once this is known: lictor acknowledge n1 7\n"},
    {"which is known", .damaged = 4, .cut = 3, .acknowledged = 7, .added = FROM_ALL},
    {"but there are more now", .damaged = 4, .acknowledged = 3, LINES_LOST,
     .details = DAMAGED_TEXT "once this is known: lictor acknowledge n1 4\n"},
    {"or it was counted anew", .damaged = 4, .acknowledged = 12, LINES_LOST,
     .details = DAMAGED_TEXT "once this is known: lictor acknowledge n1 4\n"},
    {"nothing is read", .stopped = "/q: No space left on device", .waits = "es: 401",
     .waits_long = true, .status = WARNED, .added = ", but no log of n1 is read on",
     .details = "the log shipper of n1 reads no log on, lines wait in their files: /q: No space\n  "
                "left on device\nrecords wait on n1: es: 401\n"},

    /* not proven, but nothing known to be broken */
    {"no target ships a probe", .sight = DELIVERY_NO_PROBE, .sight_text = "no \"probe\"",
     .added = UNPROVEN, .details = "no \"probe\"\n"},
    {"no target ships a probe: what seems silent is not", .sight = DELIVERY_NO_PROBE,
     .sight_text = "x", FROM(SILENT, SILENT, LATE), .added = UNPROVEN, .details = "x\n"},
    {"no credential to ask with: 401 is an answer", .url = {{BAD(401)}}, NO_CREDENTIAL,
     .added = UNPROVEN, .details = "es.read.json is missing\n"},
    {"the same for 403", .url = {{BAD(403)}}, NO_CREDENTIAL, .added = UNPROVEN,
     .details = "es.read.json is missing\n"},
    {"the same for a CA that only the credential names", .url = {{BAD(UNTRUSTED)}}, NO_CREDENTIAL,
     .added = UNPROVEN, .details = "es.read.json is missing\n"},
    {"but an expired certificate is one", .url = {{BAD(EXPIRED)}}, NO_CREDENTIAL, CANNOT_ASK,
     .details = "http://es:9200: EXPIRED\nes.read.json is missing\n"},
    {"said under another warning as well", .sight = DELIVERY_NO_PROBE, .sight_text = "no \"probe\"",
     .before = WARNED, .status = WARNED, .details = "no \"probe\"\n"},

    /* out of reach */
    {"DNS", DOWN(DNS), OUT_OF_REACH},
    {"TCP refused", DOWN(REFUSED), OUT_OF_REACH},
    {"TCP no answer", DOWN(UNREACHABLE), OUT_OF_REACH},
    {"hangs", DOWN(SLOW), OUT_OF_REACH},
    {"cut off", DOWN(CUT), OUT_OF_REACH},
    {"429", DOWN(429), OUT_OF_REACH},
    {"5xx", DOWN(5XX), OUT_OF_REACH},
    {"out of reach for a moment", DOWN(REFUSED), .broken = SHORT, .lost = SHORT},
    {"out of reach since just now", DOWN(REFUSED), .broken = NOW, .lost = NOW},
    {"the same, but a change waits for it", DOWN(REFUSED), .stops = true, .broken = NOW,
     .lost = NOW, .status = WARNED, .added = REACH},
    {"and it is the first one", DOWN(REFUSED), .stops = true, .broken = NOW, .lost = NOW,
     .before = WARNED, .status = WARNED, .added = REACH},
    {"all of two out of reach, each has its sentence", .url = {{BAD(REFUSED)}, {BAD(DNS)}}, BLIND,
     OUT_OF_REACH, .details = "http://es:9200: REFUSED\nhttp://es:9200: DNS\n"},
    {"a moment before it is critical", DOWN(REFUSED), .broken = LOSS, .lost = LOSS - 1,
     .status = WARNED, .added = REACH},
    {"out of reach for half an hour", DOWN(REFUSED), LOST(REACH)},
    {"critical also under a warning", DOWN(REFUSED), .before = WARNED, LOST(REACH)},
    {"what is critical keeps its words", DOWN(REFUSED), .broken = LOSS, .lost = LOSS,
     .before = CRITICAL, .status = CRITICAL},
    {"out of reach under another warning", DOWN(REFUSED), .broken = LONG, .lost = LONG,
     .before = WARNED, .status = WARNED},

    /* it answers, but not to us */
    {"TLS: unknown CA", DOWN(UNTRUSTED), CANNOT_ASK},
    {"TLS: expired", DOWN(EXPIRED), CANNOT_ASK},
    {"TLS: another name", DOWN(OTHER_NAME), CANNOT_ASK},
    {"401 for the credential", DOWN(401), CANNOT_ASK},
    {"403 for the credential", DOWN(403), CANNOT_ASK},
    {"the credential may not go there", DOWN(BARRED), CANNOT_ASK},
    {"no Elasticsearch", DOWN(FOREIGN), CANNOT_ASK},
    {"a refusal is never critical", DOWN(401), .broken = LOSS, .status = WARNED, .added = ASK},
    {"one down, one refuses", .url = {{BAD(REFUSED)}, {BAD(401)}}, BLIND, CANNOT_ASK,
     .details = "http://es:9200: REFUSED\nhttp://es:9200: 401\n"},
    {"no credential to ask with, and down", .url = {{BAD(REFUSED)}}, NO_CREDENTIAL, OUT_OF_REACH,
     .details = "http://es:9200: REFUSED\nes.read.json is missing\n"},
    {"it cannot be searched", BLIND, .sight_text = "http://es:9200: lacks read",
     WARNS(", but arrival cannot be looked for"), .details = "http://es:9200: lacks read\n"},
    {"it cannot be searched for a moment", BLIND, .sight_text = "http://es:9200: busy",
     .broken = SHORT, .details = "http://es:9200: busy\n"},

    /* some addresses */
    {"one of two down", .url = {{GOOD, U1}, {BAD(REFUSED)}},
     WARNS(", but 1 of 2 addresses of Elasticsearch cannot be used"),
     .details = "http://es:9200: REFUSED\n"},
    {"two of three down", .url = {{BAD(DNS)}, {GOOD, U1}, {BAD(SLOW)}},
     WARNS(", but 2 of 3 addresses of Elasticsearch cannot be used"),
     .details = "http://es:9200: DNS\nhttp://es:9200: SLOW\n"},
    {"one of two down for half an hour is no loss", .url = {{GOOD, U1}, {BAD(REFUSED)}},
     .broken = LOSS, .status = WARNED,
     .added = ", but 1 of 2 addresses of Elasticsearch cannot be used",
     .details = "http://es:9200: REFUSED\n"},
    {"addresses of different Elasticsearch", .url = {{GOOD, U1}, {GOOD, U2}},
     WARNS(", but the addresses are of different Elasticsearch"),
     .details =
         "address 1 of 2 has cluster_uuid uuid-one\naddress 2 of 2 has cluster_uuid uuid-two\n"},
    {"the third is different", .url = {{GOOD, U1}, {BAD(DNS)}, {GOOD, U2}},
     WARNS(", but 1 of 3 addresses of Elasticsearch cannot be used"),
     .details = "http://es:9200: DNS\naddress 1 of 3 has cluster_uuid uuid-one\naddress 3 of 3 has "
                "cluster_uuid uuid-two\n"},

    /* another Elasticsearch */
    {"one ships elsewhere", TO(U1, U2, U1),
     WARNS(", but not all ship to the same Elasticsearch: n2"), .details = ELSEWHERE("n2", U2)},
    {"two ship elsewhere", TO(U1, U2, U2),
     WARNS(", but not all ship to the same Elasticsearch: n2, n3"),
     .details = ELSEWHERE("n2", U2) ELSEWHERE("n3", U2)},
    {"elsewhere for a moment", TO(U1, U2, U1), .broken = SHORT, .details = ELSEWHERE("n2", U2)},
    {"elsewhere is why nothing arrives here",
     .server = {{"n1", U1, DELIVERY_ARRIVES},
                {"n2", U2, DELIVERY_SILENT},
                {"n3", U1, DELIVERY_ARRIVES}},
     WARNS(", but not all ship to the same Elasticsearch: n2"), .details = ELSEWHERE("n2", U2)},
    {"what it sees goes before what its own record said", TO(U2, U1, U1), .added = FROM_ALL},
    {"it sees nothing: its own record counts", .url = {{BAD(SLOW)}}, BLIND, TO(U1, U2, U1),
     OUT_OF_REACH, .details = "http://es:9200: SLOW\n" ELSEWHERE("n2", U2)},
    {"elsewhere, though arrival cannot be proven", .sight = DELIVERY_NO_PROBE,
     .sight_text = "no probe", TO(U1, U2, U1),
     WARNS(", but not all ship to the same Elasticsearch: n2"),
     .details = "no probe\n" ELSEWHERE("n2", U2)},

    /* nothing arrives */
    {"another is silent", FROM(ARRIVES, SILENT, ARRIVES), WARNS(", but nothing arrives from n2"),
     .details = SILENT_TEXT("n2")},
    {"two others are silent", FROM(ARRIVES, SILENT, SILENT),
     WARNS(", but nothing arrives from n2, n3"), .details = SILENT_TEXT("n2") SILENT_TEXT("n3")},
    {"another is silent for half an hour: no loss", FROM(ARRIVES, SILENT, ARRIVES), .broken = LOSS,
     .status = WARNED, .added = ", but nothing arrives from n2", .details = SILENT_TEXT("n2")},
    {"silent for a moment", FROM(ARRIVES, SILENT, ARRIVES), .broken = SHORT,
     .details = SILENT_TEXT("n2")},
    {"silent here: the shipper is dead", .shipper = DELIVERY_DEAD, FROM(SILENT, ARRIVES, ARRIVES),
     WARNS(", but nothing arrives from n1"), .details = DEAD_TEXT},
    {"silent here: the shipper runs, its queue grows", .shipper = DELIVERY_RUNS,
     FROM(SILENT, ARRIVES, ARRIVES), WARNS(", but nothing arrives from n1"), .details = RUNS_TEXT},
    {"silent here: nobody knows about the shipper", FROM(SILENT, ARRIVES, ARRIVES),
     WARNS(", but nothing arrives from n1"), .details = UNKNOWN_TEXT},
    {"the same under systemd", .service = "lictor-filebeat", FROM(SILENT, ARRIVES, ARRIVES),
     WARNS(", but nothing arrives from n1"),
     .details = "does the log shipper of this server run? systemctl status lictor-filebeat\n"},
    {"nothing from any server", .shipper = DELIVERY_RUNS, FROM(SILENT, SILENT, SILENT),
     .broken = LONG, .lost = LONG, .status = WARNED,
     .added = ", but nothing arrives from any server",
     .details = RUNS_TEXT SILENT_TEXT("n2") SILENT_TEXT("n3")},
    {"nothing from any server for half an hour", .shipper = DELIVERY_RUNS,
     FROM(SILENT, SILENT, SILENT), LOST(", but nothing arrives from any server"),
     .details = RUNS_TEXT SILENT_TEXT("n2") SILENT_TEXT("n3")},
    {"all that are asked about are silent", .shipper = DELIVERY_RUNS,
     .server = {{"n1", U1, DELIVERY_SILENT}, {"n2", U1, DELIVERY_SILENT}}, .not_all = true,
     .broken = LONG, .lost = LONG, .status = WARNED, .added = ", but nothing arrives from n1, n2",
     .details = RUNS_TEXT SILENT_TEXT("n2")},
    {"the only server is silent", .shipper = DELIVERY_DEAD, .server = {{"n1", U1, DELIVERY_SILENT}},
     .broken = LONG, .lost = LONG, .status = WARNED, .added = ", but nothing arrives from n1",
     .details = DEAD_TEXT},

    /* late */
    {"another is late", FROM(ARRIVES, LATE, ARRIVES), WARNS(", but records arrive late from n2"),
     .details = LATE_TEXT("n2")},
    {"late here", FROM(LATE, ARRIVES, ARRIVES), WARNS(", but records arrive late from n1"),
     .details = LATE_TEXT("n1")},
    {"all are late: after an outage", FROM(LATE, LATE, LATE), .broken = SHORT,
     .details = LATE_TEXT("n1") LATE_TEXT("n2") LATE_TEXT("n3")},
    {"one late, one silent: the worse goes first", FROM(ARRIVES, LATE, SILENT),
     WARNS(", but nothing arrives from n3"), .details = LATE_TEXT("n2") SILENT_TEXT("n3")},

    /* applied, not proven yet */
    {"no record of it yet", .unproven = true, .server = {{"n2", U1, DELIVERY_ARRIVES}},
     .not_all = true, .broken = SHORT, .details = UNPROVEN_TEXT UNKNOWN_TEXT},
    {"no record of it for long", .unproven = true, .shipper = DELIVERY_RUNS,
     .server = {{"n2", U1, DELIVERY_ARRIVES}}, .not_all = true,
     WARNS(", but no record of it has arrived from here"), .details = UNPROVEN_TEXT RUNS_TEXT},
    {"no record of it: the shipper is dead", .unproven = true, .shipper = DELIVERY_DEAD,
     .server = {{"n2", U1, DELIVERY_ARRIVES}}, .not_all = true,
     WARNS(", but no record of it has arrived from here"), .details = UNPROVEN_TEXT DEAD_TEXT},
    {"no record of it, for Elasticsearch is down", DOWN(REFUSED), .unproven = true, .nobody = true,
     .not_all = true, OUT_OF_REACH},
};

static int64_t since_ms(int64_t row_ms)
{
    return row_ms == 0 ? -1 : row_ms == NOW ? 0 : row_ms;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static void fill(const struct row *row, struct elasticsearch_greeting urls[3],
                 struct delivery_facts *f)
{
    static const struct row usual = {.url = {{GOOD, U1}}, FROM(ARRIVES, ARRIVES, ARRIVES)};
    const struct row *with_url = row->url[0].text ? row : &usual;
    const struct row *with_server = row->server[0].node || row->nobody ? row : &usual;
    *f = (struct delivery_facts){.urls = urls,
                                 .sight = row->sight,
                                 .sight_text = text_of(row->sight_text),
                                 .own = "n1",
                                 .unproven = row->unproven,
                                 .shipper = row->shipper,
                                 .service = row->service,
                                 .waits = row->waits,
                                 .stopped = row->stopped,
                                 .unread = row->unread,
                                 .nothing = row->nothing,
                                 .room = row->room,
                                 .stuck = row->stuck,
                                 .unseen = row->unseen,
                                 .waits_long = row->waits_long,
                                 .stops = row->stops,
                                 .damaged = row->damaged,
                                 .cut = row->cut,
                                 .acknowledged = row->acknowledged,
                                 .servers = with_server->server,
                                 .all = !row->not_all,
                                 .broken_ms = since_ms(row->broken),
                                 .lost_ms = since_ms(row->lost)};
    for (size_t i = 0; i < 3 && with_url->url[i].text; i++) {
        bool good = with_url->url[i].trouble == ELASTICSEARCH_OK;
        urls[i] = (struct elasticsearch_greeting){.trouble = with_url->url[i].trouble};
        (void)snprintf(good ? urls[i].uuid : urls[i].text, ELASTICSEARCH_UUID, "%s",
                       with_url->url[i].text);
        f->n_urls++;
    }
    while (f->n < 3 && with_server->server[f->n].node)
        f->n++;
}

static void each_broken_link_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct elasticsearch_greeting urls[3];
        struct delivery_facts f;
        struct verdict v = {0};
        char summary[VERDICT_SUMMARY];
        print_message("  %s\n", row->name);
        fill(row, urls, &f);
        (void)snprintf(summary, sizeof summary, BASE "%s", text_of(row->added));
        verdict_set(&v, row->before, BASE);
        delivery_judge(&f, &v);
        assert_string_equal(v.summary, summary);
        assert_string_equal(v.details, text_of(row->details));
        assert_int_equal(v.status, row->status);
        assert_int_equal(delivery_broken(&f), row->broken != 0);
        assert_int_equal(delivery_lost(&f), row->lost != 0);
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

static const struct {
    struct row row;
    const char *why; /* NULL: go */
} preflights[] = {
    {{.name = "well"}, NULL},
    {{"well, two addresses", .url = {{GOOD, U1}, {GOOD, U1}}}, NULL},
    {{"no probe is no reason", .sight = DELIVERY_NO_PROBE, .sight_text = "no probe"}, NULL},
    {{"no credential to ask with: 401 is an answer", .url = {{BAD(401)}},
      .sight = DELIVERY_NO_CREDENTIAL, .sight_text = "missing"},
     NULL},
    {{"no credential to ask with, but down", .url = {{BAD(REFUSED)}},
      .sight = DELIVERY_NO_CREDENTIAL, .sight_text = "missing"},
     "http://es:9200: REFUSED"},
    {{"DNS", DOWN(DNS)}, "http://es:9200: DNS"},
    {{"TCP", DOWN(REFUSED)}, "http://es:9200: REFUSED"},
    {{"TLS", DOWN(EXPIRED)}, "http://es:9200: EXPIRED"},
    {{"401", DOWN(401)}, "http://es:9200: 401"},
    {{"403", DOWN(403)}, "http://es:9200: 403"},
    {{"429 passes, later", DOWN(429)}, "http://es:9200: 429"},
    {{"too old", DOWN(OLD)}, "http://es:9200: OLD"},
    {{"no Elasticsearch", DOWN(FOREIGN)}, "http://es:9200: FOREIGN"},
    {{"one of two down is no reason", .url = {{BAD(REFUSED)}, {GOOD, U1}}}, NULL},
    {{"one of two cannot be resolved, the same", .url = {{GOOD, U1}, {BAD(DNS)}}}, NULL},
    {{"one of two refuses: that does not pass", .url = {{GOOD, U1}, {BAD(401)}}},
     "http://es:9200: 401"},
    {{"one of two is foreign", .url = {{BAD(FOREIGN)}, {GOOD, U1}}}, "http://es:9200: FOREIGN"},
    {{"all of two down: the first is named", .url = {{BAD(REFUSED)}, {BAD(DNS)}}, BLIND},
     "http://es:9200: REFUSED"},
    {{"different ones", .url = {{GOOD, U1}, {GOOD, U2}}},
     "the addresses in LOG_ELASTICSEARCH_URL are of different Elasticsearch"},
    {{"cannot be searched", BLIND, .sight_text = "http://es:9200: lacks read"},
     "http://es:9200: lacks read"},
};

static void a_preflight_fails_for_what_does_not_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(preflights); i++) {
        struct elasticsearch_greeting urls[3];
        struct delivery_facts f;
        char why[DELIVERY_WHY];
        fill(&preflights[i].row, urls, &f);
        print_message("  %s\n", preflights[i].row.name);
        assert_int_equal(delivery_preflight(&f, why), preflights[i].why == NULL);
        assert_string_equal(why, text_of(preflights[i].why));
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
