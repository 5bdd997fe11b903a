/* SPDX-License-Identifier: MIT */
#include "settings/redact.h"

#include "base/base64.h"
#include "test.h"

#define KEY_ID  "VuaCfGcBCdbkQm-e5aOx"
#define KEY     "ui2lp2axTNmsyakw9tvNnw"
#define ENCODED "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="

#define TRICKY "p$w\"o\\r/d"

static void scrubs_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"nothing here", "nothing here"},
        {"", ""},
        {TRICKY, "***"},
        {"a " TRICKY " b " TRICKY, "a *** b ***"},
        {TRICKY TRICKY "x", "******x"},
        {"pwd=\"p$w\\\"o\\\\r/d\";", "pwd=\"***\";"},
        {"pwd=\"p$$w\\\"o\\\\r/d\";", "pwd=\"***\";"},
        {"{\"p\":\"p$w\\\"o\\\\r\\/d\"}", "{\"p\":\"***\"}"},
        {"Basic dXNlcjpwJHcib1xyL2Q= x", "Basic ***= x"},
        {"Basic dXNlcjpwJHcib1xyL2Q x", "Basic *** x"},
        {"cCR3Im9cci9k", "***"},
        {"cut off p$w\"", "cut off ***"},
        {"cut off p$w\"o\\r/", "cut off ***"},
        {"cut off p$w", "cut off p$w"},
        {"cut off pwd=\"p$$w\\\"o", "cut off pwd=\"***"},
        {"the user is not secret", "the user is not secret"},
    };
    struct credential c = {.user = "user", .password = TRICKY};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer text = BUFFER_INIT(1000);
        assert_int_equal(buffer_printf(&text, "%s", rows[i].text), 0);
        redact_text(&c, &text);
        assert_string_equal(text.data, rows[i].expected);
        assert_int_equal(text.len, strlen(rows[i].expected));
        buffer_release(&text);
    }
}

static void scrubs_api_keys(void **state)
{
    (void)state;
    struct credential c = {.api_key = KEY_ID ":" KEY, .encoded = ENCODED};
    struct buffer text = BUFFER_INIT(1000);
    assert_int_equal(
        buffer_printf(&text, "1 %s 2 %s 3 %s 4 %s 5", KEY_ID ":" KEY, KEY, ENCODED, KEY_ID), 0);
    redact_text(&c, &text);
    assert_string_equal(text.data, "1 *** 2 *** 3 ***== 4 " KEY_ID " 5");
    buffer_release(&text);
}

static void scrubs_nothing_without_secrets(void **state)
{
    (void)state;
    struct credential c = {.ca = "/etc/ca.pem"};
    struct buffer text = BUFFER_INIT(100), none = BUFFER_INIT(100);
    assert_int_equal(buffer_printf(&text, "/etc/ca.pem: bad"), 0);
    redact_text(&c, &text);
    redact_text(&c, &none);
    assert_string_equal(text.data, "/etc/ca.pem: bad");
    buffer_release(&text);
}

/* A password of any bytes it may have, in a text that holds nothing else, in every form. */
static void scrubs_any_password(void **state)
{
    (void)state;
    for (int byte = ' '; byte <= '~'; byte++) {
        struct credential c = {.user = "u"};
        struct buffer text = BUFFER_INIT(1000);
        (void)snprintf(c.password, sizeof c.password, "%c%cabc%c%c", byte, byte, byte, byte);
        char *encoded = base64_encode(c.password, 7);
        assert_int_equal(buffer_printf(&text, "<%s|%s>", c.password, encoded), 0);
        free(encoded);
        redact_text(&c, &text);
        assert_string_equal(text.data, "<***|***==>");
        buffer_release(&text);
    }
}

/* In a record only what belongs to the secret is overwritten, and nothing moves. */
static void records_keep_their_length(void **state)
{
    (void)state;
    static const struct {
        const char *record, *expected;
    } rows[] = {
        {"{\"m\":\"pwd=\\\"p$w\\\\\\\"o\\\\\\\\r/d\\\" x\"}",
         "{\"m\":\"pwd=\\\"***************\\\" x\"}"},
        {"{\"m\":\"p$w\\\"o\\\\r/d\"}", "{\"m\":\"***********\"}"},
        {TRICKY TRICKY, "******************"},
        {"dXNlcjpwJHcib1xyL2Q= cCR3Im9cci9k", "*******************= ************"},
        {"cut off p$w\"", "cut off p$w\""},
        {"password", "password"},
        {"", ""},
    };
    struct credential c = {.user = "user", .password = TRICKY};
    struct redact redact;
    redact_begin(&redact, &c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char record[100];
        (void)snprintf(record, sizeof record, "%s", rows[i].record);
        bool any = redact_record(&redact, record, strlen(record));
        assert_string_equal(record, rows[i].expected);
        assert_int_equal(any, strcmp(rows[i].record, rows[i].expected) != 0);
    }
    redact_release(&redact);
    assert_int_equal(redact.n, 0);
    redact_begin(&redact, &(struct credential){.ca = "/ca"});
    assert_int_equal(redact.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scrubs_every_form),
        cmocka_unit_test(scrubs_api_keys),
        cmocka_unit_test(scrubs_nothing_without_secrets),
        cmocka_unit_test(scrubs_any_password),
        cmocka_unit_test(records_keep_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
