/* SPDX-License-Identifier: MIT */
#include "indexer/bulk.h"

#include "base/json.h"
#include "test.h"

#define NOW         "2026-11-23T18:00:00Z"
#define MANY        1000 /* records, of one request */
#define LARGE       (1U << 20)
#define INDEX(id)   "{\"index\":{\"_id\":\"" id "\"}}\n"
#define REFUSED(id) "{\"index\":{\"_id\":\"" id "\",\"_index\":\"x-refused\"}}\n"
#define TEXT(message, why)                                                                         \
    "{\"message\":\"" message "\",\"level\":\"unknown\",\"isoTimestamp\":\"" NOW                   \
    "\",\"refused\":\"" why "\"}\n"
#define ITEMS(list)         "{\"items\":[" list "]}"
#define ITEM(status)        "{\"index\":{\"status\":" status "}}"
#define ERROR(status, type) "{\"index\":{\"status\":" status ",\"error\":" type "}}"
#define TYPE(word)          "{\"type\":\"" word "\"}"
#define MAPPING             ERROR("400", TYPE("mapper_parsing_exception"))

/* What every test works with: release() ends it. */
static struct bulk bulk;
static struct bulk_part part;

static int release(void **state)
{
    (void)state;
    bulk_release(&bulk);
    return 0;
}

static void add(const char *line)
{
    struct error err = {0};
    if (bulk_add(&bulk, line, strlen(line), &err) < 0)
        fail_msg("%s: %s", line, err.text);
}

/* The next request, `part`, as it must be. */
static void assert_body(size_t begin, size_t most, size_t bytes, const char *expected)
{
    struct buffer body = BUFFER_INIT(LARGE);
    struct error err = {0};
    assert_int_equal(
        bulk_body(&bulk, &(struct bulk_order){begin, most, bytes, NOW, "x"}, &body, &part, &err),
        0);
    assert_string_equal(err.text, "");
    assert_string_equal(buffer_text(&body), expected);
    assert_int_equal(part.begin, begin);
    buffer_release(&body);
}

/* All that waits, as one part. */
static void take_all(void)
{
    struct buffer body = BUFFER_INIT(LARGE * 8);
    assert_int_equal(
        bulk_body(&bulk, &(struct bulk_order){0, MANY, LARGE * 8, NOW, "x"}, &body, &part, NULL),
        0);
    buffer_release(&body);
}

static int judge(const struct bulk_part *of, const char *answer, struct bulk_answer *ret,
                 struct error *err)
{
    cJSON *root = NULL;
    struct error why = {0};
    if (json_parse(answer, strlen(answer), "answer", &root, &why) < 0)
        fail_msg("%.200s: %s", answer, why.text);
    int rc = bulk_judge(&bulk, of, root, ret, err);
    cJSON_Delete(root);
    return rc;
}

static struct bulk_answer judge_all(const char *answer)
{
    struct bulk_answer ret;
    struct error err = {0};
    take_all();
    if (judge(&part, answer, &ret, &err) < 0)
        fail_msg("%.200s: %s", answer, err.text);
    return ret;
}

/* As if they had been refused before. */
static void suspect_all(void)
{
    for (size_t i = 0; i < bulk.n; i++)
        bulk.record[i].suspect = true;
}

/* And the index is not to blame. */
static struct bulk_answer judge_and_condemn(const char *answer)
{
    struct bulk_answer ret = judge_all(answer);
    suspect_all();
    assert_int_equal(bulk_condemn(&bulk, &part), ret.refused);
    return ret;
}

/* ---- records ------------------------------------------------------------- */

#define LINE(text) text, sizeof(text) - 1
static const struct {
    const char *line;
    size_t len;
    const char *body; /* NULL: refused */
} lines[] = {
    {LINE("a\t{}"), INDEX("a") "{}\n"},
    {LINE("host-1-2\t{\"a\":\"b\"}"), INDEX("host-1-2") "{\"a\":\"b\"}\n"},
    {LINE("a\t{}\t{}"), INDEX("a") "{}\t{}\n"},
    {LINE("a\t\t"), INDEX("a") "\t\n"},
    {LINE("\t{}"), INDEX("") "{}\n"},
    {LINE("a\t"), INDEX("a") "\n"},
    {LINE("\t"), INDEX("") "\n"},
    {LINE("a\"b\t{}"), INDEX("a\\\"b") "{}\n"},
    {LINE("\"}}\t{}"), INDEX("\\\"}}") "{}\n"},
    {LINE("a\\\t{}"), INDEX("a\\\\") "{}\n"},
    {LINE("\\\"\\\t\\"), INDEX("\\\\\\\"\\\\") "\\\n"},
    {LINE("a\rb\x01\x1f\x7f\t{}"), INDEX("a\\rb\\u0001\\u001f\x7f") "{}\n"},
    {LINE("\xc3\xa9\t{\"\xc3\xa9\":1}"), INDEX("\xc3\xa9") "{\"\xc3\xa9\":1}\n"},
    {LINE("a b/c%00\t{}"), INDEX("a b/c%00") "{}\n"},
    {LINE("a\tno JSON\r"), INDEX("a") "no JSON\r\n"},
    {LINE(""), NULL},
    {LINE("a"), NULL},
    {LINE("a {}"), NULL},
    {LINE("{\"a\":\"b\"}"), NULL},
    {LINE("\0"), NULL},
    {LINE("\0a\t{}"), NULL},
    {LINE("a\0\t{}"), NULL},
    {LINE("a\t\0{}"), NULL},
    {LINE("a\t{}\0"), NULL},
    {LINE("a\0b"), NULL},
};

static void a_record_has_an_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct error err = {0};
        bool good = lines[i].body != NULL;
        int rc = bulk_add(&bulk, lines[i].line, lines[i].len, &err);
        assert_int_equal(rc, good ? 0 : -EBADMSG);
        assert_string_equal(err.text, good ? "" : "a record is not ID<tab>RECORD");
        assert_int_equal(bulk_waiting(&bulk), good);
        assert_int_equal(bulk.text.len, good ? lines[i].len + 1 : 0);
        assert_body(0, MANY, LARGE, good ? lines[i].body : "");
        assert_int_equal(part.records, good);
        assert_int_equal(part.end, good);
        bulk_release(&bulk);
    }
}

/* Bytes behind the line are nobody's. */
static void a_record_ends_with_its_length(void **state)
{
    (void)state;
    assert_int_equal(bulk_add(&bulk, "a\t{}\n+b\t{}", 4, NULL), 0);
    assert_int_equal(bulk_add(&bulk, "c\t{}", 1, NULL), -EBADMSG);
    assert_body(0, MANY, LARGE, INDEX("a") "{}\n");
}

static void many_records_keep_their_order(void **state)
{
    (void)state;
    struct buffer expected = BUFFER_INIT(LARGE);
    for (int i = 0; i < MANY; i++) {
        char line[40];
        (void)snprintf(line, sizeof line, "%d\t{\"n\":%d}", i, i);
        add(line);
        assert_int_equal(buffer_printf(&expected, INDEX("%d") "{\"n\":%d}\n", i, i), 0);
    }
    assert_int_equal(bulk_waiting(&bulk), MANY);
    assert_body(0, MANY, LARGE, buffer_text(&expected));
    assert_int_equal(part.records, MANY);
    assert_int_equal(part.end, MANY);
    buffer_release(&expected);
}

static void an_empty_one_asks_for_nothing(void **state)
{
    (void)state;
    assert_int_equal(bulk_waiting(&bulk), 0);
    assert_body(0, MANY, LARGE, "");
    assert_int_equal(part.records, 0);
    assert_int_equal(part.end, 0);
    bulk_clear(&bulk);
}

/* ---- requests ------------------------------------------------------------ */

#define A INDEX("a") "{\"n\":1}\n" /* 30 bytes */
#define B INDEX("b") "{\"n\":2}\n"
#define C INDEX("c") "{\"n\":3}\n"
#define D INDEX("d") "{\"n\":4}\n"

static const struct {
    const char *done; /* one letter for each record: 'x' done */
    size_t begin, most, bytes;
    const char *body;
    size_t records, end;
} parts[] = {
    {"....", 0, MANY, LARGE, A B C D, 4, 4},
    {"....", 0, 4, LARGE, A B C D, 4, 4},
    {"....", 0, 3, LARGE, A B C, 3, 3},
    {"....", 0, 1, LARGE, A, 1, 1},
    {"....", 0, 0, LARGE, "", 0, 0},
    {"....", 1, 2, LARGE, B C, 2, 3},
    {"....", 3, 2, LARGE, D, 1, 4},
    {"....", 4, 2, LARGE, "", 0, 4},
    {"....", 0, MANY, 0, A, 1, 1},
    {"....", 0, MANY, 1, A, 1, 1},
    {"....", 2, MANY, 1, C, 1, 3},
    {"....", 0, MANY, 30, A, 1, 1},
    {"....", 0, MANY, 31, A, 1, 1},
    {"....", 0, MANY, 59, A, 1, 1},
    {"....", 0, MANY, 60, A B, 2, 2},
    {"....", 0, MANY, 61, A B, 2, 2},
    {"....", 1, MANY, 90, B C D, 3, 4},
    {"x.x.", 0, MANY, 59, B, 1, 3},
    {"x.x.", 0, MANY, 60, B D, 2, 4},
    {"x...", 0, 2, LARGE, B C, 2, 3},
    {".x..", 0, 2, LARGE, A C, 2, 3},
    {".xx.", 0, 2, LARGE, A D, 2, 4},
    {".xx.", 0, 1, LARGE, A, 1, 1},
    {".xx.", 1, 1, LARGE, D, 1, 4},
    {".xx.", 2, MANY, 1, D, 1, 4},
    {"xxx.", 0, MANY, 1, D, 1, 4},
    {"...x", 0, 3, LARGE, A B C, 3, 3},
    {"...x", 0, MANY, LARGE, A B C, 3, 4},
    {"...x", 3, MANY, LARGE, "", 0, 4},
    {"xxxx", 0, MANY, LARGE, "", 0, 4},
    {"xxxx", 0, 1, 1, "", 0, 4},
};

static void four(const char *done)
{
    char line[] = "a\t{\"n\":1}";
    for (size_t i = 0; i < 4; i++) {
        add(line);
        bulk.record[i].done = done[i] == 'x';
        line[0]++;
        line[7]++;
    }
}

static void requests_have_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        four(parts[i].done);
        assert_body(parts[i].begin, parts[i].most, parts[i].bytes, parts[i].body);
        assert_int_equal(part.records, parts[i].records);
        assert_int_equal(part.end, parts[i].end);
        bulk_release(&bulk);
    }
}

/* However small the parts, each record goes once, in order. */
static void parts_follow_each_other(void **state)
{
    (void)state;
    static const char *const done[] = {"....", "x...", ".x..", "..x.", "...x",
                                       "xx..", ".xx.", "..xx", "x..x", "xxxx"};
    for (size_t i = 0; i < COUNT(done); i++) {
        for (size_t most = 1; most <= 4; most++) {
            four(done[i]);
            struct buffer whole = BUFFER_INIT(LARGE), body = BUFFER_INIT(LARGE);
            part.end = 0;
            while (part.end < bulk.n)
                assert_int_equal(
                    bulk_body(&bulk, &(struct bulk_order){part.end, most, most * 31, NOW, "x"},
                              &body, &part, NULL),
                    0);
            assert_int_equal(bulk_body(&bulk, &(struct bulk_order){0, MANY, LARGE, NOW, "x"},
                                       &whole, &part, NULL),
                             0);
            assert_string_equal(buffer_text(&body), buffer_text(&whole));
            buffer_release(&whole);
            buffer_release(&body);
            bulk_release(&bulk);
        }
    }
}

/* Escapes make text longer than the record was. */
static void escapes_count_as_bytes(void **state)
{
    (void)state;
#define QUOTES "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\""
    static const char first[] = REFUSED("a") TEXT(QUOTES, "");
    static const char both[] = REFUSED("a") TEXT(QUOTES, "") REFUSED("b") TEXT(QUOTES, "");
    add("a\t\"\"\"\"\"\"\"\"");
    add("b\t\"\"\"\"\"\"\"\"");
    (void)judge_and_condemn(ITEMS(ITEM("400") "," ITEM("400")));
    assert_body(0, MANY, sizeof both - 2, first);
    assert_int_equal(part.end, 1);
    assert_body(0, MANY, sizeof both - 1, both);
}

static void the_ceiling_of_the_body_holds(void **state)
{
    (void)state;
    four("....");
    for (size_t limit = 0; limit < strlen(A B C D); limit++) {
        struct buffer body = BUFFER_INIT(limit);
        struct error err = {0};
        char expected[60];
        (void)snprintf(expected, sizeof expected, "no memory for a request of %zu records",
                       limit / strlen(A) + 1);
        assert_int_equal(
            bulk_body(&bulk, &(struct bulk_order){0, MANY, LARGE, NOW, "x"}, &body, &part, &err),
            -EMSGSIZE);
        assert_string_equal(err.text, expected);
        buffer_release(&body);
    }
}

/* ---- answers ------------------------------------------------------------- */

enum outcome { DONE, REFUSAL, AGAIN };

static const struct {
    const char *item;
    enum outcome outcome;
    int status; /* but of DONE */
    const char *why;
} answers[] = {
    {ITEM("200"), DONE, 0, ""},
    {ITEM("201"), DONE, 0, ""},
    {ITEM("201.0"), DONE, 0, ""},
    {ITEM("2.01e2"), DONE, 0, ""},
    {ITEM("204"), DONE, 0, ""},
    {ITEM("299"), DONE, 0, ""},
    {ITEM("409"), AGAIN, 409, ""},
    {ERROR("409", TYPE("version_conflict_engine_exception")), AGAIN, 409,
     "version_conflict_engine_exception"},
    {ERROR("201", TYPE("strange")), DONE, 0, ""},
    {"{\"index\":{\"status\":201,\"_id\":5,\"x\":[]},\"y\":null}", DONE, 0, ""},
    {"{\"delete\":{\"status\":400},\"index\":{\"status\":201}}", DONE, 0, ""},
    {ITEM("400"), REFUSAL, 400, ""},
    {ITEM("413"), REFUSAL, 413, ""},
    {ERROR("400", TYPE("mapper_parsing_exception")), REFUSAL, 400, "mapper_parsing_exception"},
    {ERROR("400", TYPE("document_parsing_exception")), REFUSAL, 400, "document_parsing_exception"},
    {ERROR("413", TYPE("too_large")), REFUSAL, 413, "too_large"},
    {ITEM("300"), AGAIN, 300, ""},
    {ITEM("399"), AGAIN, 399, ""},
    {ERROR("401", TYPE("security_exception")), AGAIN, 401, "security_exception"},
    {ERROR("403", TYPE("cluster_block_exception")), AGAIN, 403, "cluster_block_exception"},
    {ERROR("404", TYPE("index_not_found_exception")), AGAIN, 404, "index_not_found_exception"},
    {ITEM("408"), AGAIN, 408, ""},
    {ITEM("410"), AGAIN, 410, ""},
    {ITEM("412"), AGAIN, 412, ""},
    {ERROR("429", TYPE("es_rejected_execution_exception")), AGAIN, 429,
     "es_rejected_execution_exception"},
    {ITEM("499"), AGAIN, 499, ""},
    {ITEM("500"), AGAIN, 500, ""},
    {ITEM("502"), AGAIN, 502, ""},
    {ERROR("503", TYPE("unavailable_shards_exception")), AGAIN, 503,
     "unavailable_shards_exception"},
    {ITEM("599"), AGAIN, 599, ""},
    /* What is no word is not repeated. */
    {ERROR("400", TYPE("")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("a_word")), REFUSAL, 400, "a_word"},
    {ERROR("400", TYPE("two words")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("Upper")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("digit1")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("a-b")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("%s%n")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("a\\nb")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("a\\\"")), REFUSAL, 400, ""},
    {ERROR("400", TYPE("\\u001b[2j")), REFUSAL, 400, ""},
    {ERROR("503", TYPE("\xc3\xa9")), AGAIN, 503, ""},
    {ERROR("400", TYPE("abcdefghijabcdefghijabcdefghijabcdefghij_______")), REFUSAL, 400,
     "abcdefghijabcdefghijabcdefghijabcdefghij_______"},
    {ERROR("400", TYPE("abcdefghijabcdefghijabcdefghijabcdefghij________")), REFUSAL, 400, ""},
    {ERROR("400", "null"), REFUSAL, 400, ""},
    {ERROR("400", "\"mapper_parsing_exception\""), REFUSAL, 400, ""},
    {ERROR("400", "[{\"type\":\"a\"}]"), REFUSAL, 400, ""},
    {ERROR("400", "{}"), REFUSAL, 400, ""},
    {ERROR("400", "{\"type\":null}"), REFUSAL, 400, ""},
    {ERROR("400", "{\"type\":5}"), REFUSAL, 400, ""},
    {ERROR("400", "{\"type\":[\"a\"]}"), REFUSAL, 400, ""},
    {ERROR("400", "{\"Type\":\"a\"}"), REFUSAL, 400, ""},
};

static void assert_answer(const struct bulk_answer *found, size_t row,
                          const struct bulk_answer *expected)
{
    if (found->taken != expected->taken || found->as_text != expected->as_text ||
        found->cut != expected->cut || found->refused != expected->refused ||
        found->stuck != expected->stuck || found->again != expected->again ||
        found->status != expected->status || strcmp(found->why, expected->why) != 0 ||
        strcmp(found->reason, expected->reason) != 0)
        fail_msg("row %zu: taken %zu, as_text %zu, cut %zu, refused %zu, stuck %zu, again %zu, %d "
                 "%s: %s",
                 row, found->taken, found->as_text, found->cut, found->refused, found->stuck,
                 found->again, found->status, found->why, found->reason);
}

static void answer_of(const char *item, char *ret, size_t size)
{
    int n = snprintf(ret, size, "{\"items\":[%s]}", item);
    assert_in_range(n, 1, size - 1);
}

/* Of a record that goes as it is, or as text: then what was not taken before is stuck. */
static void assert_outcomes(bool as_text)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        char text[300];
        bool done = answers[i].outcome == DONE, again = answers[i].outcome == AGAIN;
        bool refused = answers[i].outcome == REFUSAL;
        struct bulk_answer expected = {.taken = done && !as_text,
                                       .as_text = done && as_text,
                                       .again = again,
                                       .status = answers[i].status,
                                       .refused = refused && !as_text,
                                       .stuck = refused && as_text};
        (void)snprintf(expected.why, BULK_WHY, "%s", answers[i].why);
        add("a\t{}");
        if (as_text)
            (void)judge_and_condemn(ITEMS(MAPPING));
        answer_of(answers[i].item, text, sizeof text);
        struct bulk_answer found = judge_all(text);
        assert_answer(&found, i, &expected);
        assert_int_equal(bulk.record[0].done, done);
        assert_int_equal(bulk.record[0].as_text, as_text);
        assert_int_equal(bulk.record[0].refused, refused);
        assert_int_equal(bulk_waiting(&bulk), !done);
        bulk_release(&bulk);
    }
}

static void each_status_has_its_outcome(void **state)
{
    (void)state;
    assert_outcomes(false);
}

static void text_is_taken_or_stuck(void **state)
{
    (void)state;
    assert_outcomes(true);
}

#define BUSY ERROR("429", "{\"type\":\"busy\",\"reason\":\"the queue\\nis full\"}")

/* Who waits for a while is told first, then who can be helped by nobody but an admin. */
static void the_heavier_reason_stands(void **state)
{
    (void)state;
    static const char *const texts[] = {ITEMS(BUSY "," MAPPING), ITEMS(MAPPING "," BUSY)};
    for (size_t as_text = 0; as_text < 2; as_text++) {
        for (size_t i = 0; i < 2; i++) {
            add("a\t{}");
            add("b\t{}");
            if (as_text)
                (void)judge_and_condemn(ITEMS(MAPPING "," MAPPING));
            struct bulk_answer found = judge_all(texts[i]);
            assert_answer(&found, i,
                          &(struct bulk_answer){.again = 1,
                                                .status = 429,
                                                .why = "busy",
                                                .reason = "the queue?is full",
                                                .refused = !as_text,
                                                .stuck = as_text});
            bulk_release(&bulk);
        }
    }
}

static void each_record_has_its_own_answer(void **state)
{
    (void)state;
    four("....");
    struct bulk_answer found = judge_and_condemn(
        ITEMS(ITEM("429") "," ITEM("201") "," MAPPING "," ITEM("200")));
    assert_answer(&found, 0,
                  &(struct bulk_answer){.taken = 2, .again = 1, .status = 429, .refused = 1});
    assert_int_equal(bulk_waiting(&bulk), 2);
    assert_body(0, MANY, LARGE, A REFUSED("c") TEXT("{\\\"n\\\":3}", "mapper_parsing_exception"));
    assert_int_equal(part.end, 4);
    found = judge_all(ITEMS(ITEM("201") "," ITEM("201")));
    assert_answer(&found, 0, &(struct bulk_answer){.taken = 1, .as_text = 1});
    assert_int_equal(bulk_waiting(&bulk), 0);
}

/* The index may have been put right between the first and the last record of a request. */
static void what_is_refused_once_goes_again_as_it_is(void **state)
{
    (void)state;
    four("....");
    (void)judge_all(ITEMS(MAPPING "," MAPPING "," ITEM("201") "," ITEM("201")));
    assert_int_equal(bulk_condemn(&bulk, &part), 0);
    assert_body(0, MANY, LARGE, A B);
    (void)judge_all(ITEMS(ITEM("201") "," MAPPING));
    assert_int_equal(bulk_condemn(&bulk, &part), 1);
    assert_body(0, MANY, LARGE, REFUSED("b") TEXT("{\\\"n\\\":2}", "mapper_parsing_exception"));
}

/* The index was to blame: once it takes records again, they go as they are. */
static void what_is_not_condemned_goes_as_it_is(void **state)
{
    (void)state;
    four("....");
    struct bulk_answer found = judge_all(ITEMS(MAPPING "," MAPPING "," MAPPING "," MAPPING));
    assert_int_equal(found.refused, 4);
    assert_body(0, MANY, LARGE, A B C D);
    (void)judge_and_condemn(ITEMS(ITEM("201") "," ITEM("429") "," MAPPING "," ITEM("201")));
    assert_body(0, MANY, LARGE, B REFUSED("c") TEXT("{\\\"n\\\":3}", "mapper_parsing_exception"));
}

/* An answer is about the records of its part alone: what was done before has none. */
static void answers_belong_to_their_part(void **state)
{
    (void)state;
    four(".x..");
    struct bulk_answer found;
    assert_body(0, 2, LARGE, A C);
    const struct bulk_part first = part;
    assert_body(first.end, 2, LARGE, D);
    assert_int_equal(judge(&part, ITEMS(MAPPING), &found, NULL), 0);
    assert_false(bulk.record[2].refused);
    assert_true(bulk.record[3].refused);
    assert_int_equal(judge(&first, ITEMS(ITEM("503") "," ITEM("201")), &found, NULL), 0);
    assert_false(bulk.record[0].done);
    assert_true(bulk.record[2].done);
    assert_int_equal(bulk_waiting(&bulk), 2);
}

#define OK        ITEM("201")
#define WITH(two) ITEMS(OK "," two) /* the first is good */
static const char *const hostile[] = {
    "null",
    "true",
    "5",
    "\"items\"",
    "[]",
    "[" OK "," OK "]",
    "{}",
    "{\"items\":null}",
    "{\"items\":true}",
    "{\"items\":2}",
    "{\"items\":\"" /* of the right length */ "ab\"}",
    "{\"items\":{}}",
    "{\"items\":{\"0\":" OK ",\"1\":" OK "}}",
    "{\"Items\":[" OK "," OK "]}",
    "{\"x\":{\"items\":[" OK "," OK "]}}",
    "{\"items\":[[" OK "," OK "]]}",
    "{\"error\":{\"type\":\"x\"},\"status\":400}",
    ITEMS(""),
    ITEMS(OK),
    ITEMS(OK "," OK "," OK),
    ITEMS(OK "," OK "," ITEM("0")),
    WITH("null"),
    WITH("true"),
    WITH("201"),
    WITH("\"index\""),
    WITH("[]"),
    WITH("[" OK "]"),
    WITH("[{\"status\":201}]"),
    WITH("{}"),
    WITH("{\"status\":201}"),
    WITH("{\"index\":null}"),
    WITH("{\"index\":201}"),
    WITH("{\"index\":\"201\"}"),
    WITH("{\"index\":{}}"),
    WITH("{\"index\":[]}"),
    WITH("{\"index\":[201]}"),
    WITH("{\"index\":[{\"status\":201}]}"),
    WITH("{\"index\":{\"Status\":201}}"),
    WITH("{\"index\":{\"error\":{\"type\":\"x\"}}}"),
    WITH("{\"Create\":{\"status\":201}}"),
    WITH("{\"create\":{\"status\":201}}"),
    WITH("{\"update\":{\"status\":201}}"),
    WITH("{\"delete\":{\"status\":200}}"),
    WITH(ITEM("null")),
    WITH(ITEM("true")),
    WITH(ITEM("\"201\"")),
    WITH(ITEM("\"\"")),
    WITH(ITEM("[201]")),
    WITH(ITEM("{\"status\":201}")),
    WITH(ITEM("0")),
    WITH(ITEM("-0")),
    WITH(ITEM("-1")),
    WITH(ITEM("-201")),
    WITH(ITEM("1")),
    WITH(ITEM("99")),
    WITH(ITEM("100")),
    WITH(ITEM("199")),
    WITH(ITEM("600")),
    WITH(ITEM("999")),
    WITH(ITEM("201.5")),
    WITH(ITEM("200.00001")),
    WITH(ITEM("4294967497")), /* 2^32 + 201 */
    WITH(ITEM("18446744073709551817")),
    WITH(ITEM("1e18")),
    WITH(ITEM("1e300")),
    WITH(ITEM("-1e300")),
    WITH(ITEM("1e999")),
    WITH(ITEM("1e-300")),
    ITEMS(ITEM("0") "," OK),
    ITEMS("null,null"),
    ITEMS(OK ",null," OK),
};

static void assert_unchanged(const char *answer)
{
    struct bulk_record before[2];
    struct bulk_answer found;
    struct error err = {0};
    take_all();
    memset(&found, 'x', sizeof found);
    memcpy(before, bulk.record, sizeof before);
    assert_int_equal(part.records, COUNT(before));
    if (judge(&part, answer, &found, &err) != -EBADMSG)
        fail_msg("taken: %.200s", answer);
    assert_string_equal(err.text, "the answer is not about these 2 records");
    assert_memory_equal(bulk.record, before, sizeof before);
    assert_answer(&found, 0, &(struct bulk_answer){.taken = 0});
}

static void hostile_answers_change_nothing(void **state)
{
    (void)state;
    add("a\t{}");
    add("b\t{}");
    for (size_t i = 0; i < COUNT(hostile); i++)
        assert_unchanged(hostile[i]);
    assert_body(0, MANY, LARGE, INDEX("a") "{}\n" INDEX("b") "{}\n");
    (void)judge_all(WITH(MAPPING));
    add("c\t{}");
    assert_int_equal(bulk_waiting(&bulk), 2);
}

static void an_endless_error_type_is_not_repeated(void **state)
{
    (void)state;
    struct buffer answer = BUFFER_INIT(LARGE);
    static char type[100 * 1024];
    memset(type, 'a', sizeof type - 1);
    assert_int_equal(buffer_printf(&answer, ITEMS(ERROR("400", TYPE("%s"))), type), 0);
    add("a\t{}");
    struct bulk_answer found = judge_and_condemn(buffer_text(&answer));
    assert_answer(&found, 0, &(struct bulk_answer){.refused = 1, .status = 400});
    assert_body(0, MANY, LARGE, REFUSED("a") TEXT("{}", ""));
    buffer_release(&answer);
}

/* ---- as text ------------------------------------------------------------- */

static const struct {
    const char *line, *message; /* as it stands in JSON */
} texts[] = {
    {"i\t{}", "{}"},
    {"i\t", ""},
    {"i\t\t", "\\t"},
    {"i\t{\"a\":\"b\"}", "{\\\"a\\\":\\\"b\\\"}"},
    {"i\t{\"a\":\"\\\"\"}", "{\\\"a\\\":\\\"\\\\\\\"\\\"}"},
    {"i\t\"}\\", "\\\"}\\\\"},
    {"i\t\\u0000\\n", "\\\\u0000\\\\n"},
    {"i\t\b\f\r\x01\x1f\x7f", "\\b\\f\\r\\u0001\\u001f\x7f"},
    {"i\t\x1b[2J", "\\u001b[2J"},
    {"i\ta\tb", "a\\tb"},
    {"i\t</script>%s%n", "</script>%s%n"},
    {"i\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
};

static void what_is_refused_goes_as_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        char expected[400];
        add(texts[i].line);
        (void)judge_and_condemn(ITEMS(MAPPING));
        (void)snprintf(expected, sizeof expected,
                       REFUSED("i") TEXT("%s", "mapper_parsing_exception"), texts[i].message);
        assert_body(0, MANY, LARGE, expected);
        bulk_release(&bulk);
    }
}

/* `len` bytes of 'x', then the tail. */
static void assert_cut(size_t len, const char *tail, size_t stays, const char *end)
{
    struct buffer line = BUFFER_INIT(LARGE), expected = BUFFER_INIT(LARGE);
    static char many[BULK_MESSAGE + 2];
    memset(many, 'x', sizeof many);
    assert_int_equal(buffer_printf(&line, "i\t%.*s%s", (int)len, many, tail), 0);
    assert_int_equal(
        buffer_printf(&expected, REFUSED("i") TEXT("%.*s%s", ""), (int)stays, many, end), 0);
    add(buffer_text(&line));
    (void)judge_and_condemn(ITEMS(ITEM("400")));
    assert_body(0, MANY, LARGE, buffer_text(&expected));
    struct bulk_answer found = judge_all(ITEMS(ITEM("201")));
    assert_int_equal(found.as_text, 1);
    assert_int_equal(found.cut, len + strlen(tail) > BULK_MESSAGE);
    buffer_release(&line);
    buffer_release(&expected);
    bulk_release(&bulk);
}

#define M BULK_MESSAGE
static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *tail;
        size_t stays;
        const char *end;
    } rows[] = {
        {M - 1, "", M - 1, ""},
        {M, "", M, ""},
        {M + 1, "", M, ""},
        {M, "yyy", M, ""},
        {M - 1, "yz", M - 1, "y"},
        {M - 2, "\xc3\xa9", M - 2, "\xc3\xa9"},
        {M - 1, "\xc3\xa9", M - 1, ""},
        {M - 2, "\xc3\xa9\xc3\xa9", M - 2, "\xc3\xa9"},
        {M - 3, "\xe2\x82\xac", M - 3, "\xe2\x82\xac"},
        {M - 2, "\xe2\x82\xac", M - 2, ""},
        {M - 1, "\xe2\x82\xac", M - 1, ""},
        {M - 4, "\xf0\x9f\x98\x80y", M - 4, "\xf0\x9f\x98\x80"},
        {M - 3, "\xf0\x9f\x98\x80", M - 3, ""},
        {M - 2, "\xf0\x9f\x98\x80", M - 2, ""},
        {M - 1, "\xf0\x9f\x98\x80", M - 1, ""},
        {M - 2, "\"\"\"", M - 2, "\\\"\\\""}, /* escapes do not count */
        {M - 1, "\\\\", M - 1, "\\\\"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_cut(rows[i].len, rows[i].tail, rows[i].stays, rows[i].end);
}

/* The record itself is never cut. */
static void a_long_record_goes_whole(void **state)
{
    (void)state;
    struct buffer line = BUFFER_INIT(LARGE), expected = BUFFER_INIT(LARGE);
    static char many[BULK_MESSAGE * 2];
    memset(many, 'x', sizeof many - 1);
    assert_int_equal(buffer_printf(&line, "i\t%s", many), 0);
    assert_int_equal(buffer_printf(&expected, INDEX("i") "%s\n", many), 0);
    add(buffer_text(&line));
    add("j\t{}");
    assert_body(0, MANY, 1000, buffer_text(&expected));
    assert_int_equal(part.end, 1);
    assert_body(part.end, MANY, 1000, INDEX("j") "{}\n");
    buffer_release(&line);
    buffer_release(&expected);
}

static void its_own_reason_stands_there(void **state)
{
    (void)state;
    add("i\t{}");
    (void)judge_all(ITEMS(MAPPING));
    (void)judge_and_condemn(ITEMS(ERROR("413", TYPE("too_large"))));
    assert_body(0, 1, LARGE, REFUSED("i") TEXT("{}", "too_large"));
    (void)judge_all(ITEMS(ERROR("503", TYPE("shards_exception"))));
    assert_body(0, 1, LARGE, REFUSED("i") TEXT("{}", "too_large"));
    (void)judge_all(ITEMS(MAPPING)); /* what the other index says of it is another matter */
    assert_body(0, 1, LARGE, REFUSED("i") TEXT("{}", "too_large"));
}

/* ---- refused and stuck --------------------------------------------------- */

static void a_whole_request_may_be_refused(void **state)
{
    (void)state;
    four(".x..");
    struct bulk_answer found;
    memset(&found, 'x', sizeof found);
    assert_body(1, 1, LARGE, C);
    bulk_refuse(&bulk, &part, 413, &found);
    assert_answer(&found, 0, &(struct bulk_answer){.refused = 1, .status = 413});
    assert_body(1, 1, LARGE, C);
    suspect_all();
    assert_int_equal(bulk_condemn(&bulk, &part), 1);
    assert_body(1, 1, LARGE, REFUSED("c") TEXT("{\\\"n\\\":3}", ""));
    bulk_refuse(&bulk, &part, 400, &found);
    assert_answer(&found, 1, &(struct bulk_answer){.stuck = 1, .status = 400});
    assert_int_equal(bulk_condemn(&bulk, &part), 0);
    assert_true(bulk.record[1].done);
    assert_false(bulk.record[0].as_text || bulk.record[1].as_text || bulk.record[3].as_text);
    assert_int_equal(bulk_waiting(&bulk), 3);
}

/* Neither what is done, nor what waits for another reason, nor that of another part. */
static void only_what_is_refused_is_condemned_by_part(void **state)
{
    (void)state;
    four("....");
    (void)judge_all(ITEMS(MAPPING "," MAPPING "," ITEM("503") "," OK));
    suspect_all();
    assert_int_equal(bulk_condemn(&bulk, &(struct bulk_part){.begin = 1, .end = 4}), 1);
    assert_body(0, MANY, LARGE, A REFUSED("b") TEXT("{\\\"n\\\":2}", "mapper_parsing_exception") C);
}

static void is_used_again(void **state)
{
    (void)state;
    four("xx..");
    (void)judge_and_condemn(ITEMS(MAPPING "," MAPPING));
    bulk_clear(&bulk);
    assert_int_equal(bulk_waiting(&bulk), 0);
    assert_int_equal(bulk.text.len, 0);
    assert_body(0, MANY, LARGE, "");
    add("new\t{}");
    assert_int_equal(bulk_waiting(&bulk), 1);
    assert_false(bulk.record[0].as_text || bulk.record[0].refused);
    assert_string_equal(bulk.record[0].why, "");
    assert_body(0, MANY, LARGE, INDEX("new") "{}\n");
    bulk_release(&bulk);
    assert_null(bulk.record);
    assert_null(bulk.text.data);
    assert_int_equal(bulk.room, 0);
    add("a\t{}");
    assert_int_equal(bulk_waiting(&bulk), 1);
    bulk_release(&bulk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_record_has_an_id, release),
        cmocka_unit_test_teardown(a_record_ends_with_its_length, release),
        cmocka_unit_test_teardown(many_records_keep_their_order, release),
        cmocka_unit_test_teardown(an_empty_one_asks_for_nothing, release),
        cmocka_unit_test_teardown(requests_have_limits, release),
        cmocka_unit_test_teardown(parts_follow_each_other, release),
        cmocka_unit_test_teardown(escapes_count_as_bytes, release),
        cmocka_unit_test_teardown(the_ceiling_of_the_body_holds, release),
        cmocka_unit_test_teardown(each_status_has_its_outcome, release),
        cmocka_unit_test_teardown(text_is_taken_or_stuck, release),
        cmocka_unit_test_teardown(the_heavier_reason_stands, release),
        cmocka_unit_test_teardown(each_record_has_its_own_answer, release),
        cmocka_unit_test_teardown(answers_belong_to_their_part, release),
        cmocka_unit_test_teardown(hostile_answers_change_nothing, release),
        cmocka_unit_test_teardown(an_endless_error_type_is_not_repeated, release),
        cmocka_unit_test_teardown(what_is_refused_goes_as_text, release),
        cmocka_unit_test_teardown(long_text_is_cut_between_characters, release),
        cmocka_unit_test_teardown(a_long_record_goes_whole, release),
        cmocka_unit_test_teardown(its_own_reason_stands_there, release),
        cmocka_unit_test_teardown(a_whole_request_may_be_refused, release),
        cmocka_unit_test_teardown(only_what_is_refused_is_condemned_by_part, release),
        cmocka_unit_test_teardown(what_is_not_condemned_goes_as_it_is, release),
        cmocka_unit_test_teardown(what_is_refused_once_goes_again_as_it_is, release),
        cmocka_unit_test_teardown(is_used_again, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
