/* SPDX-License-Identifier: MIT */
/* exchange.c: the record of a server's clocks; whoever may write KV chooses its bytes. */
#include "clock/clock_record.h"

#include "test.h"

#define BOOT "0d5a1ca2-7bd5-4b1e-8a3f-0a7b5c2d9e10+0"
#define WHOLE                                                                                      \
    "\"v\":1,\"boot\":\"b+0\",\"raw\":5,\"real\":7,\"err\":1,\"ppm\":50,\"synced\":"               \
    "true"
#define HEARD "\"heard\":{}"

/* ---- what is written is read again ---------------------------------------- */

static void make_skew(struct offsets *offsets)
{
    *offsets = (struct offsets){.n = 4, .self = 1};
    (void)snprintf(offsets->boot, sizeof offsets->boot, "%s", BOOT);
    for (int i = 0; i < 4; i++)
        (void)snprintf(offsets->server[i].name, sizeof offsets->server[i].name, "n%d", i + 1);
    (void)snprintf(offsets->server[0].boot, LOCAL_CLOCK_BOOT, "other+7");
    offsets->server[0].record.raw_us = 123456789012345;
    offsets->server[0].heard_us = 456789012345678;
    (void)snprintf(offsets->server[1].boot, LOCAL_CLOCK_BOOT, "own+0");
    (void)snprintf(offsets->server[3].boot, LOCAL_CLOCK_BOOT, "third+0");
    offsets->server[3].record.raw_us = OFFSETS_MOST;
    offsets->server[3].heard_us = OFFSETS_MOST;
}

static const struct local_clock_reading stamp = {
    .raw_us = 5321009876, .real_us = 1795562412075766, .err_us = 3};
static const struct local_clock_kernel kernel = {.known = true, .synced = false, .ppm = 500};

static void the_record_is_as_documented(void **state)
{
    (void)state;
    static struct offsets offsets;
    struct buffer text = BUFFER_INIT(CLOCK_RECORD_LIMIT);
    const struct clock_reference none = {0};
    make_skew(&offsets);
    assert_int_equal(clock_record_format(&offsets, &stamp, &kernel, &none, &text), 0);
    assert_string_equal(
        buffer_text(&text),
        "{\"v\":1,\"boot\":\"" BOOT "\",\"raw\":5321009876,\"real\":1795562412075766,"
        "\"err\":3,\"ppm\":500,\"synced\":false,\"heard\":{"
        "\"n1\":{\"boot\":\"other+7\",\"raw\":123456789012345,\"at\":456789012345678},"
        "\"n4\":{\"boot\":\"third+0\",\"raw\":9007199254740992,"
        "\"at\":9007199254740992}}}");
    buffer_release(&text);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static struct offsets offsets;
    struct buffer text = BUFFER_INIT(CLOCK_RECORD_LIMIT);
    const struct clock_reference reference = {true, -2000123, 4567};
    struct clock_record record;
    struct error err = {0};
    make_skew(&offsets);
    assert_int_equal(clock_record_format(&offsets, &stamp, &kernel, &reference, &text), 0);
    assert_int_equal(clock_record_parse(text.data, text.len, "n4", &record, &err), 0);
    assert_string_equal(record.boot, BOOT);
    assert_memory_equal(&record.clock, &stamp, sizeof stamp);
    assert_int_equal(record.ppm, 500);
    assert_false(record.synced);
    assert_true(record.echo.known);
    assert_string_equal(record.echo.boot, "third+0");
    assert_int_equal(record.echo.raw_us, OFFSETS_MOST);
    assert_int_equal(record.echo.at_us, OFFSETS_MOST);
    assert_true(record.reference.known);
    assert_int_equal(record.reference.offset_us, -2000123);
    assert_int_equal(record.reference.err_us, 4567);
    assert_int_equal(clock_record_parse(text.data, text.len, "n3", &record, &err), 0);
    assert_false(record.echo.known);
    buffer_release(&text);
}

/* The ceiling is no obstacle to as many servers as take part at most. */
static void fifty_one_servers_fit(void **state)
{
    (void)state;
    static struct offsets offsets;
    struct buffer text = BUFFER_INIT(CLOCK_RECORD_LIMIT);
    const struct clock_reference reference = {true, -OFFSETS_MOST, OFFSETS_MOST};
    struct clock_record record;
    offsets = (struct offsets){.n = OFFSETS_SERVERS, .self = -1};
    memset(offsets.boot, 'b', LOCAL_CLOCK_BOOT - 1);
    for (int i = 0; i < OFFSETS_SERVERS; i++) {
        struct offsets_server *server = &offsets.server[i];
        memset(server->name, 'n', SETTING_VALUE_NAME);
        (void)snprintf(server->name, 3, "%02d", i);
        server->name[2] = 'n';
        memset(server->boot, 'b', LOCAL_CLOCK_BOOT - 1);
        server->record.raw_us = OFFSETS_MOST;
        server->heard_us = OFFSETS_MOST;
    }
    assert_int_equal(clock_record_format(&offsets, &stamp, &kernel, &reference, &text), 0);
    assert_int_equal(
        clock_record_parse(text.data, text.len, offsets.server[50].name, &record, NULL), 0);
    assert_true(record.echo.known);
    buffer_release(&text);
    text = BUFFER_INIT(100);
    assert_int_equal(clock_record_format(&offsets, &stamp, &kernel, &reference, &text), -EMSGSIZE);
    buffer_release(&text);
}

/* ---- what is refused ------------------------------------------------------ */

static const struct row {
    const char *record;
    const char *text; /* NULL: it is accepted */
} rows[] = {
    {"{" WHOLE "," HEARD "}", NULL},
    {"{" WHOLE "," HEARD ",\"more\":[1,{}],\"reference\":null}", NULL},
    {"{" WHOLE ",\"heard\":{\"n2\":{\"boot\":\"c+0\",\"raw\":1,\"at\":2}}}", NULL},
    {"{" WHOLE ",\"heard\":{\"other\":1}}", NULL},
    {"", "is not JSON"},
    {"null", "\"v\" is missing"},
    {"[]", "\"v\" is missing"},
    {"1", "\"v\" is missing"},
    {"{" WHOLE "," HEARD "}x", "is not JSON"},
    {"{" WHOLE "}", "\"heard\" is missing"},
    {"{" WHOLE ",\"heard\":[]}", "\"heard\" is not an object"},
    {"{\"v\":2}", "\"v\" is not 1"},
    {"{\"v\":\"1\"}", "\"v\" is not an integer"},
    {"{\"v\":1}", "\"boot\" is missing"},
    {"{\"v\":1,\"boot\":7}", "\"boot\" is not a string"},
    {"{\"v\":1,\"boot\":\"\"}", "\"boot\" is not a boot ID"},
    {"{\"v\":1,\"boot\":\"a b\"}", "\"boot\" is not a boot ID"},
    {"{\"v\":1,\"boot\":\"a\\u00e4\"}", "\"boot\" is not a boot ID"},
    {"{\"v\":1,\"boot\":\"a\\nb\"}", "\"boot\" is not a boot ID"},
    {"{\"v\":1,\"boot\":"
     "\"0123456789012345678901234567890123456789012345678901234567890123"
     "\"}",
     "\"boot\" is not a boot ID"},
    {"{\"v\":1,\"boot\":\"b\"}", "\"raw\" is missing"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":null}", "\"raw\" is missing"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":-1}", "\"raw\" is out of its range"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":1.5}", "\"raw\" is not an integer"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":\"1\"}", "\"raw\" is not an integer"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":9007199254740992}", "\"real\" is missing"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":9007199254740994}", "\"raw\" is not an integer"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":1e300}", "\"raw\" is not an integer"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":1e999}", "\"raw\" is not an integer"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":NaN}", "is not JSON"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":5,\"real\":-7}", "\"real\" is out of its range"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":5,\"real\":7,\"err\":-1}", "\"err\" is out of its range"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":5,\"real\":7,\"err\":1,\"ppm\":49}",
     "\"ppm\" is out of its range"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":5,\"real\":7,\"err\":1,\"ppm\":501}",
     "\"ppm\" is out of its range"},
    {"{\"v\":1,\"boot\":\"b\",\"raw\":5,\"real\":7,\"err\":1,\"ppm\":50,\"synced\":1}",
     "\"synced\" is not true or false"},
    {"{" WHOLE ",\"heard\":{\"n2\":[]}}", "\"n2\" is not an object"},
    {"{" WHOLE ",\"heard\":{\"n2\":{}}}", "\"boot\" is missing"},
    {"{" WHOLE ",\"heard\":{\"n2\":{\"boot\":\"c\",\"raw\":-1,\"at\":2}}}",
     "\"raw\" is out of its range"},
    {"{" WHOLE ",\"heard\":{\"n2\":{\"boot\":\"c\",\"raw\":1}}}", "\"at\" is missing"},
    {"{" WHOLE "," HEARD ",\"reference\":1}", "\"reference\" is not an object"},
    {"{" WHOLE "," HEARD ",\"reference\":{}}", "\"offset\" is missing"},
    {"{" WHOLE "," HEARD ",\"reference\":{\"offset\":-5}}", "\"err\" is missing"},
    {"{" WHOLE "," HEARD ",\"reference\":{\"offset\":-5,\"err\":-1}}",
     "\"err\" is out of its range"},
};

static void a_record_is_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct clock_record record;
        struct error err = {0};
        print_message("  %s\n", rows[i].record);
        int rc = clock_record_parse(rows[i].record, strlen(rows[i].record), "n2", &record, &err);
        if (rows[i].text)
            assert_string_equal(err.text, rows[i].text);
        assert_int_equal(rc, rows[i].text ? -EBADMSG : 0);
    }
}

static void a_huge_record_is_not_even_looked_at(void **state)
{
    (void)state;
    struct clock_record record;
    struct error err = {0};
    char *huge = malloc(CLOCK_RECORD_LIMIT + 1);
    assert_non_null(huge);
    memset(huge, ' ', CLOCK_RECORD_LIMIT + 1);
    assert_int_equal(clock_record_parse(huge, CLOCK_RECORD_LIMIT + 1, "n2", &record, &err),
                     -EBADMSG);
    assert_string_equal(err.text, "is too large");
    free(huge);
}

/* A value of KV may hold NULs. */
static void a_nul_is_no_end(void **state)
{
    (void)state;
    static const char text[] = "{" WHOLE "," HEARD "}\0,";
    struct clock_record record;
    struct error err = {0};
    assert_int_equal(clock_record_parse(text, sizeof text - 1, "n2", &record, &err), -EBADMSG);
    assert_string_equal(err.text, "is not JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_is_as_documented),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(fifty_one_servers_fit),
        cmocka_unit_test(a_record_is_read_strictly),
        cmocka_unit_test(a_huge_record_is_not_even_looked_at),
        cmocka_unit_test(a_nul_is_no_end),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
