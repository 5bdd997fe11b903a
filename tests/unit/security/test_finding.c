/* SPDX-License-Identifier: MIT */
/* Findings become a verdict, accepted ones and misspelt names as well. */
#include "security/finding.h"
#include "test.h"

#define AT SETTINGS_PLACE

static const struct row {
    const char *name;
    enum finding_kind kind[4];
    size_t n;                /* of them */
    const char *key, *value; /* a setting */
    const char *expected;
} rows[] = {
    {.name = "none", .expected = "passing: no finding\n"},
    {.name = "one",
     .kind = {FINDING_DEBUG},
     .n = 1,
     .expected = "warning: debug: it is\n"
                 "debug: its memory, which holds secrets, can be looked into\n"
                 "  repair: mend debug\n"},
    {.name = "the worst first, in the order of the table",
     .kind = {FINDING_DEBUG, FINDING_ACL_OFF, FINDING_GOSSIP_KNOWN_KEY},
     .n = 3,
     .expected = "critical: gossip-known-key: it is; 2 more\n"
                 "gossip-known-key: whoever knows that page can join the cluster and forge gossip\n"
                 "  repair: mend gossip-known-key\n"
                 "acl-off: it is; every user and program that reaches an agent may change\n"
                 "  everything\n"
                 "  repair: mend acl-off\n"
                 "debug: it is; its memory, which holds secrets, can be looked into\n"
                 "  repair: mend debug\n"},
    {.name = "accepted",
     .kind = {FINDING_DEBUG, FINDING_ACL_OFF},
     .n = 2,
     .key = "SECURITY_ACCEPTED",
     .value = "acl-off,dev-mode,debug",
     .expected = "passing: no finding that is not accepted\n"
                 "accepted (SECURITY_ACCEPTED): acl-off, debug\n"},
    {.name = "a critical one can be accepted, the rest stays",
     .kind = {FINDING_DEBUG, FINDING_ANONYMOUS_WRITE},
     .n = 2,
     .key = "SECURITY_ACCEPTED",
     .value = "anonymous-write",
     .expected = "warning: debug: it is\n"
                 "debug: its memory, which holds secrets, can be looked into\n"
                 "  repair: mend debug\n"
                 "accepted (SECURITY_ACCEPTED): anonymous-write\n"},
    {.name = "misspelt",
     .key = "SECURITY_ACCEPTED",
     .value = "acl-of,xyzzy-plugh",
     .expected = "warning: a SECURITY_ setting is wrong\n"
                 "SECURITY_ACCEPTED: there is no finding acl-of (acl-off?)\n"
                 "SECURITY_ACCEPTED: there is no finding xyzzy-plugh\n"},
    {.name = "case counts",
     .kind = {FINDING_DEBUG},
     .n = 1,
     .key = "SECURITY_ACCEPTED",
     .value = "DEBUG",
     .expected = "warning: debug: it is\n"
                 "debug: its memory, which holds secrets, can be looked into\n"
                 "  repair: mend debug\n"
                 "SECURITY_ACCEPTED: there is no finding DEBUG (debug?)\n"},
    {.name = "rejected",
     .key = "SECURITY_ACCEPTED",
     .value = "a,,b",
     .expected = "warning: a SECURITY_ setting is wrong\n"
                 "SECURITY_ACCEPTED: \"a,,b\" has an empty item (2); expected list of names, for\n"
                 "  example acl-off,min-quorum (nothing is accepted)\n"},
    {.name = "unknown",
     .key = "SECURITY_ACEPTED",
     .value = "debug",
     .expected = "warning: a SECURITY_ setting is wrong\n"
                 "SECURITY_ACEPTED: there is no setting of that name (SECURITY_ACCEPTED?) (it has\n"
                 "  no effect)\n"},
    {.name = "another group's is not said here",
     .key = "CLOCK_REFERENCE",
     .value = "/",
     .expected = "passing: no finding\n"},
};

static void judge(const struct row *row, char text[VERDICT_OUTPUT + 1])
{
    static struct findings findings;
    struct kv_list list = {0};
    struct settings s = {0};
    struct verdict v = {0};
    char key[SETTINGS_KEY];
    findings = (struct findings){0};
    for (size_t i = 0; i < row->n; i++) {
        finding_add(&findings, row->kind[i], "it is");
        finding_repair(&findings, "mend %s", finding_row(row->kind[i])->name);
    }
    (void)snprintf(key, sizeof key, "r%s%s", AT, row->key ? row->key : "");
    if (row->key)
        assert_int_equal(kv_add(&list, key, row->value, strlen(row->value), 1), 0);
    settings_parse(&list, "r", &s);
    findings_judge(&findings, &s, &v);
    verdict_render(&v, text);
    settings_release(&s);
    kv_release(&list);
}

static void findings_become_a_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[VERDICT_OUTPUT + 1];
        print_message("  %s\n", rows[i].name);
        judge(&rows[i], text);
        assert_string_equal(text, rows[i].expected);
    }
}

static void more_than_there_is_room_for_are_counted(void **state)
{
    static struct findings findings;
    struct settings s = {0};
    struct verdict v = {0};
    char text[40];
    (void)state;
    for (size_t i = 0; i < FINDINGS_MOST + 7; i++) {
        finding_add(&findings, FINDING_DEBUG, "no %zu\n", i);
        finding_repair(&findings, "mend %zu", i);
    }
    findings_judge(&findings, &s, &v);
    (void)snprintf(text, sizeof text, "debug: no 0?; %d more", FINDINGS_MOST + 6);
    assert_string_equal(v.summary, text);
    assert_string_equal(findings.found[FINDINGS_MOST - 1].repair, "mend 47");
}

/* All at once still say the worst, and that there is more. */
static void all_at_once_fit(void **state)
{
    static struct findings findings;
    struct settings s = {0};
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    (void)state;
    for (int kind = FINDING_KINDS - 1; kind >= 0; kind--) {
        finding_add(&findings, (enum finding_kind)kind, "it is");
        finding_repair(&findings, "%0350d", kind);
    }
    findings_judge(&findings, &s, &v);
    verdict_render(&v, text);
    assert_int_equal(v.status, VERDICT_CRITICAL);
    assert_int_equal(strncmp(text, "critical: anonymous-write: it is; ", 34), 0);
    assert_non_null(strstr(text, "(and more, which does not fit here)\n"));
}

/* Names go into a setting and into the README. */
static void names_are_unique_settings_and_in_the_readme(void **state)
{
    char page[65536];
    struct buffer table = BUFFER_INIT(65536);
    (void)state;
    FILE *f = fopen(SOURCE_DIR "/consul.d/README.md", "re");
    assert_non_null(f);
    size_t len = fread(page, 1, sizeof page - 1, f);
    (void)fclose(f);
    page[len] = '\0';
    assert_int_equal(finding_print_table(&table), 0);
    assert_non_null(strstr(page, buffer_text(&table)));
    buffer_release(&table);
    for (int i = 0; i < FINDING_KINDS; i++) {
        const char *name = finding_row((enum finding_kind)i)->name;
        assert_int_equal(settings_check("SECURITY_ACCEPTED", name, NULL), 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        for (int other = 0; other < i; other++)
            assert_string_not_equal(name, finding_row((enum finding_kind)other)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_become_a_verdict),
        cmocka_unit_test(more_than_there_is_room_for_are_counted),
        cmocka_unit_test(all_at_once_fit),
        cmocka_unit_test(names_are_unique_settings_and_in_the_readme),
    };
    return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
