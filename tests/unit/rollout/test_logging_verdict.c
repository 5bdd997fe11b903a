/* SPDX-License-Identifier: MIT */
#include "rollout/logging_verdict.h"

#include "test.h"

#define A "aaaaaa1111111111111111111111111111111111111111111111111111111111"
#define B "bbbbbb2222222222222222222222222222222222222222222222222222222222"

static struct server_record rec(const char *node, enum server_record_state state,
                                const char *revision, const char *reason)
{
    struct server_record r = {.state = state};
    (void)snprintf(r.node, sizeof r.node, "%s", node);
    (void)snprintf(r.revision, sizeof r.revision, "%s", revision);
    (void)snprintf(r.reason, sizeof r.reason, "%s", reason);
    return r;
}

/* "dA": done with A, "kB!why": keeps B, "k": nothing yet, "a": applies, "f": refused. */
static struct server_record said(const char *node, const char *word)
{
    static const char letters[] = "kadf";
    const char *at = strchr(letters, word[0]), *why = strchr(word, '!');
    const char *revision = word[1] == 'A' ? A : word[1] == 'B' ? B : "";
    assert_non_null(at);
    return rec(node, (enum server_record_state)(at - letters), revision, why ? why + 1 : "");
}

#define WARNING  VERDICT_WARNING
#define CRITICAL VERDICT_CRITICAL

/* This server is n1. NULL: A is wanted and in force, and a server is done with it ("dA"). */
static const struct row {
    const char *name;
    const char *refusal, *wanted, *in_force;
    const char *own, *second;
    const char *target; /* of this server, NULL: not known */
    bool third_missing, rollback_failed;
    int64_t differ_ms;
    enum verdict_status status;
    const char *summary; /* NULL: the progress */
    const char *without; /* what must not, NULL: nothing */
    const char *detail;  /* a line that must stand in the details, NULL: none asked */
} rows[] = {
    {"all done", .differ_ms = -1, .detail = "ships to http://es:9200\n"},
    {"another is still on its way", .second = "dB", .differ_ms = 500,
     .detail = "n2 has revision bbbbbb\n"},
    {"another stays behind", .second = "dB", .differ_ms = 60000, .status = WARNING,
     .detail = "n2 has revision bbbbbb\n"},
    {"a moment before patience ends", .second = "dB", .differ_ms = 59999},
    {"another failed: warning at once", .second = "fA!rsyslogd: bad", .status = WARNING,
     .detail = "n2 rejected aaaaaa: rsyslogd: bad\n"
               "n2 tries it again ten minutes later, at once with: lictor retry there\n"},
    {"another failed something else", .second = "fB!rsyslogd: bad", .differ_ms = 500,
     .status = WARNING, .detail = "n2 rejected bbbbbb: rsyslogd: bad\nships to"},
    {"the first change is not in force here yet", .in_force = "", .own = "k", .second = "k",
     .differ_ms = 500, .status = WARNING},
    {"another keeps and says why", .second = "kB!pinned",
     .detail = "n2 has revision bbbbbb: pinned\n"},
    {"another has nothing yet", .second = "k", .detail = "n2 has applied nothing yet\n"},
    {"another is at work", .second = "aA", .detail = "n2 applies aaaaaa\n"},
    {"another never reported", .third_missing = true, .differ_ms = 90000, .status = WARNING,
     .detail = "n3 has not reported\n"},
    {"failed here, old one stays", .in_force = B, .own = "fA!rsyslogd: no", .status = WARNING,
     .summary = "revision aaaaaa failed here, revision bbbbbb stays in force",
     .detail = "rsyslogd: no\nit is tried again ten minutes later, at once with: lictor retry\n"},
    {"not what failed here is said to be in force", .in_force = B, .own = "fA!no",
     .target = "index b", .status = WARNING,
     .summary = "revision aaaaaa failed here, revision bbbbbb stays in force",
     .detail = "in force here: index b\n", .without = "ships to"},
    {"nor what is on its way", .in_force = B, .own = "dB", .target = "index b", .differ_ms = 500,
     .detail = "in force here: index b\n", .without = "ships to"},
    {"nor what is refused", .refusal = "host x", .wanted = "", .own = "kA", .target = "index a",
     .status = WARNING, .summary = "settings rejected, revision aaaaaa stays in force",
     .detail = "host x\nin force here: index a\n", .without = "ships to"},
    {"what is in force is what is wanted", .target = "index a", .differ_ms = -1,
     .detail = "ships to http://es:9200\n", .without = "in force here"},
    {"first install failed", .in_force = "", .own = "fA!exit 1", .status = WARNING,
     .summary = "revision aaaaaa failed here, nothing is shipped yet", .detail = "exit 1\n"},
    {"rollback failed", .in_force = B, .own = "fA!/x: disk full", .rollback_failed = true,
     .status = CRITICAL, .summary = "rollback failed: /x: disk full"},
    {"policy refuses", .refusal = "host 127.0.0.1 is not allowed", .wanted = "",
     .own = "kA!host 127.0.0.1 is not allowed", .second = "kA", .differ_ms = -1, .status = WARNING,
     .summary = "settings rejected, revision aaaaaa stays in force",
     .detail = "host 127.0.0.1 is not allowed\n"},
    {"refused before anything was in force", .refusal = "host x", .wanted = "", .in_force = "",
     .own = "k", .second = "k", .differ_ms = -1, .status = WARNING,
     .summary = "settings rejected, nothing is shipped yet", .detail = "host x\n"},
    {"settings gone", .wanted = "", .own = "kA", .second = "kA", .differ_ms = -1, .status = WARNING,
     .summary = "the LOG_ settings are gone or cannot be read, revision aaaaaa stays in force"},
    {"never set up", .wanted = "", .in_force = "", .own = "k", .second = "k", .differ_ms = -1,
     .status = WARNING, .summary = "not set up: set LOG_ELASTICSEARCH_URL (lictor set --help)"},
};

static const char *either(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static void each_situation_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const char *const missing[] = {"n3"};
        const char *progress = "2 of 3, n3 next", *wanted = either(row->wanted, A);
        struct settings settings = {.log_enabled = true, .log_urls = 1};
        (void)snprintf(settings.log_url[0], sizeof settings.log_url[0], "http://es:9200");
        struct server_record own = said("n1", either(row->own, "dA"));
        (void)snprintf(own.target, sizeof own.target, "%s", either(row->target, ""));
        struct server_record records[] = {own, said("n2", either(row->second, "dA")),
                                          rec("n3", SERVER_RECORD_DONE, wanted, "")};
        struct logging_facts facts = {.settings = &settings,
                                      .refusal = either(row->refusal, ""),
                                      .wanted = wanted,
                                      .in_force = either(row->in_force, A),
                                      .own = &own,
                                      .rollback_failed = row->rollback_failed,
                                      .records = records,
                                      .n = row->third_missing ? 2 : 3,
                                      .missing = missing,
                                      .n_missing = row->third_missing,
                                      .progress = progress,
                                      .large = "",
                                      .differ_ms = row->differ_ms};
        struct verdict v;
        print_message("  %s\n", row->name);
        logging_verdict_judge(&facts, &v);
        assert_string_equal(v.summary, either(row->summary, progress));
        assert_int_equal(v.status, row->status);
        if (row->without)
            assert_null(strstr(v.details, row->without));
        if (row->detail)
            assert_non_null(strstr(v.details, row->detail));
    }
}

static void rejects_and_unknown_keys_are_named(void **state)
{
    (void)state;
    struct settings settings = {.log_present = true, .log_rejects = 1};
    assert_int_equal(kv_set(&settings.rejects, "LOG_LEVEL", "LOG_LEVEL is wrong"), 0);
    assert_int_equal(kv_set(&settings.rejects, "CLUSTER_GRACE", "CLUSTER_GRACE is wrong"), 0);
    assert_int_equal(kv_set(&settings.unknowns, "LOG_LEVLE", "LOG_LEVLE is unknown"), 0);
    struct server_record own = rec("n1", SERVER_RECORD_KEPT, A, "");
    struct logging_facts facts = {.settings = &settings,
                                  .refusal = "a LOG_ setting is rejected",
                                  .wanted = "",
                                  .in_force = A,
                                  .own = &own,
                                  .large = "lictor/logging/ holds more than 1 MiB",
                                  .differ_ms = -1};
    struct verdict v;
    logging_verdict_judge(&facts, &v);
    assert_string_equal(v.summary, "settings rejected, revision aaaaaa stays in force");
    assert_string_equal(v.details, "LOG_LEVEL is wrong\nLOG_LEVLE is unknown\n"
                                   "lictor/logging/ holds more than 1 MiB; only records of "
                                   "servers belong there\n");
    settings_release(&settings);
}

static void switched_off_is_said(void **state)
{
    (void)state;
    struct settings settings = {.log_present = true, .log_enabled = false};
    struct server_record own = rec("n1", SERVER_RECORD_DONE, A, "");
    struct logging_facts facts = {.settings = &settings,
                                  .refusal = "",
                                  .wanted = A,
                                  .in_force = A,
                                  .own = &own,
                                  .records = &own,
                                  .n = 1,
                                  .progress = "1 of 1 servers on revision aaaaaa",
                                  .large = "",
                                  .differ_ms = -1};
    struct verdict v;
    logging_verdict_judge(&facts, &v);
    assert_string_equal(v.summary, "1 of 1 servers on revision aaaaaa (switched off)");
    assert_string_equal(v.details, "");
    assert_int_equal(v.status, VERDICT_PASSING);
    facts.held = true; /* no patience with a rollout that stands still for a reason */
    logging_verdict_judge(&facts, &v);
    assert_int_equal(v.status, VERDICT_WARNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_situation_has_its_sentence),
        cmocka_unit_test(rejects_and_unknown_keys_are_named),
        cmocka_unit_test(switched_off_is_said),
    };
    return cmocka_run_group_tests_name("logging_verdict", tests, NULL, NULL);
}
