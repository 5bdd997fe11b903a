/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "test.h"

#define NOT_JSON "payload: is not JSON"
#define HAS_NUL  "payload: holds U+0000 or no valid \\u escape"

static const struct {
    const char *text;
    const char *error; /* "" = accepted */
    size_t len;        /* 0: all of text */
} documents[] = {
    {"{}", "", 0},
    {"null", "", 0},
    {"[]", "", 0},
    {" \t\r\n[1, 2] \t\r\n", "", 0},
    {"\"a\\u0001\\u00e4\\uD834\\uDD1E\"", "", 0},
    {"\"\\\\u0000\"", "", 0}, /* a backslash and "u0000" */
    {"\"\\\\\\\\u0000\"", "", 0},
    {"{\"a\":{\"b\":[true,false,null,-1.5e3,\"x\"]}}", "", 0},
    {"{}garbage", "", 2},
    {"", NOT_JSON, 0},
    {" ", NOT_JSON, 0},
    {"{", NOT_JSON, 0},
    {"[1,]", NOT_JSON, 0},
    {"[1 2]", NOT_JSON, 0},
    {"nul", NOT_JSON, 0},
    {"'a'", NOT_JSON, 0},
    {"{a:1}", NOT_JSON, 0},
    {"\"open", NOT_JSON, 0},
    {"\"\\x41\"", NOT_JSON, 0},
    {"\"\\uD800\"", NOT_JSON, 0},
    {"\"\\", NOT_JSON, 0},
    {"{}{}", NOT_JSON, 0},
    {"{} x", NOT_JSON, 0},
    {"{},", NOT_JSON, 0},
    {"{}\v", NOT_JSON, 0},
    {"{}garbage", NOT_JSON, 3},
    {"\"a\\u0000b\"", HAS_NUL, 0},
    {"\"\\\\\\u0000\"", HAS_NUL, 0},
    {"{\"a\\u0000b\":1}", HAS_NUL, 0},
    {"\"\\uZZZZ\"", HAS_NUL, 0},
    {"\"\\u00\"", HAS_NUL, 0},
    {"\"\\u", HAS_NUL, 0},
    {"\"\\u000", HAS_NUL, 0},
    {"\"\\u0000", HAS_NUL, 0},
    {"\"a\0b\"", HAS_NUL, 5},
    {"{}\0", HAS_NUL, 3},
};

/* The copy has the exact size, so that a sanitizer sees every byte read behind it. */
static int parse(const char *text, size_t len, cJSON **ret, struct error *err)
{
    char *copy = malloc(len + 1); /* malloc(0) may be NULL */
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    int rc = json_parse(copy + 1, len, "payload", ret, err);
    free(copy);
    return rc;
}

static void takes_whole_documents_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(documents); i++) {
        struct error err = {0};
        cJSON *root = NULL;
        size_t len = documents[i].len ? documents[i].len : strlen(documents[i].text);
        int expected = documents[i].error[0] ? -EBADMSG : 0;
        int rc = parse(documents[i].text, len, &root, &err);
        if (rc != expected || strcmp(err.text, documents[i].error) != 0)
            fail_msg("%s: %d, \"%s\"", documents[i].text, rc, err.text);
        if (rc < 0)
            assert_null(root);
        else
            assert_non_null(root);
        cJSON_Delete(root);
    }
}

/* n times `piece` between these two; what is not closed is refused as early. */
static int parse_many(const char *begin, const char *piece, size_t n, const char *end,
                      struct error *err)
{
    cJSON *root = NULL;
    struct buffer text = BUFFER_INIT(1U << 22);
    int rc = buffer_append(&text, begin, strlen(begin));
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = buffer_append(&text, piece, strlen(piece));
    assert_int_equal(rc, 0);
    assert_int_equal(buffer_append(&text, end, strlen(end)), 0);
    rc = json_parse(buffer_text(&text), text.len, "payload", &root, err);
    assert_int_equal(root == NULL, rc < 0);
    cJSON_Delete(root);
    buffer_release(&text);
    return rc;
}

static void takes_no_more_than_it_can_pay_for(void **state)
{
    static const struct {
        const char *begin, *piece;
        size_t n;
        const char *end;
        int rc;
        const char *error;
    } rows[] = {
        {"", "[", 50, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 0, ""},
        {"", "[", 51, "]", -EMSGSIZE, "payload: is nested deeper than 50"},
        {"", "[", 1000000, "", -EMSGSIZE, "payload: is nested deeper than 50"},
        {"", "{\"a\":", 51, "", -EMSGSIZE, "payload: is nested deeper than 50"},
        {"[0", ",0", 49998, "]", 0, ""},
        {"[0", ",0", 49999, "]", -EMSGSIZE, "payload: holds more than 50000 values"},
        {"[0", ",{}", 25000, "]", -EMSGSIZE, "payload: holds more than 50000 values"},
        {"[0", ",[]", 25000, "]", -EMSGSIZE, "payload: holds more than 50000 values"},
        {"[\"", ",[{", 500000, "\"]", 0, ""}, /* no value in a text counts */
        {"[\"\\\"", ",", 500000, "\\\\\"]", 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        int rc = parse_many(rows[i].begin, rows[i].piece, rows[i].n, rows[i].end, &err);
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(rc, rows[i].rc);
    }
}

#define OBJECT                                                                                     \
    "{\"s\":\"text\",\"empty\":\"\",\"i\":-42,\"big\":9007199254740992,"                           \
    "\"huge\":9007199254740994,\"minus\":-9007199254740993e1,\"frac\":1.5,\"inf\":"                \
    "1e999,"                                                                                       \
    "\"t\":true,\"f\":false,\"n\":null,\"a\":[1],\"o\":{\"x\":1},\"S\":\"upper\"}"

/* What the reader for `kind` gives for a member, as text. */
static int read_as(char kind, const cJSON *object, const char *name, char ret[64],
                   struct error *err)
{
    const char *text = "";
    const cJSON *item = NULL;
    int64_t number = 0;
    bool flag = false;
    int rc = 0;
    switch (kind) {
    case 's':
        rc = json_string(object, name, &text, err);
        (void)snprintf(ret, 64, "%s", text);
        return rc;
    case 'i':
        rc = json_integer(object, name, &number, err);
        (void)snprintf(ret, 64, "%lld", (long long)number);
        return rc;
    case 'b':
        rc = json_boolean(object, name, &flag, err);
        (void)snprintf(ret, 64, "%s", flag ? "true" : "false");
        return rc;
    default:
        rc = kind == 'a' ? json_array(object, name, &item, err)
                         : json_object(object, name, &item, err);
        (void)snprintf(ret, 64, "%d members", cJSON_GetArraySize(item));
        return rc;
    }
}

static const struct {
    char kind;
    const char *name;
    int rc;
    const char *result; /* value, or the error's text */
} members[] = {
    {'s', "s", 0, "text"},
    {'s', "S", 0, "upper"},
    {'s', "empty", 0, ""},
    {'s', "none", -ENOENT, "\"none\" is missing"},
    {'s', "n", -ENOENT, "\"n\" is missing"},
    {'s', "i", -EBADMSG, "\"i\" is not a string"},
    {'s', "a", -EBADMSG, "\"a\" is not a string"},
    {'i', "i", 0, "-42"},
    {'i', "big", 0, "9007199254740992"},
    {'i', "huge", -EBADMSG, "\"huge\" is not an integer"},
    {'i', "minus", -EBADMSG, "\"minus\" is not an integer"},
    {'i', "frac", -EBADMSG, "\"frac\" is not an integer"},
    {'i', "inf", -EBADMSG, "\"inf\" is not an integer"},
    {'i', "s", -EBADMSG, "\"s\" is not an integer"},
    {'i', "t", -EBADMSG, "\"t\" is not an integer"},
    {'i', "n", -ENOENT, "\"n\" is missing"},
    {'b', "t", 0, "true"},
    {'b', "f", 0, "false"},
    {'b', "i", -EBADMSG, "\"i\" is not true or false"},
    {'b', "none", -ENOENT, "\"none\" is missing"},
    {'a', "a", 0, "1 members"},
    {'a', "o", -EBADMSG, "\"o\" is not an array"},
    {'a', "n", -ENOENT, "\"n\" is missing"},
    {'o', "o", 0, "1 members"},
    {'o', "a", -EBADMSG, "\"a\" is not an object"},
    {'o', "none", -ENOENT, "\"none\" is missing"},
};

static void reads_members_by_type(void **state)
{
    (void)state;
    cJSON *root = NULL;
    assert_int_equal(json_parse(OBJECT, strlen(OBJECT), "object", &root, NULL), 0);
    for (size_t i = 0; i < COUNT(members); i++) {
        struct error err = {0};
        char text[64];
        int rc = read_as(members[i].kind, root, members[i].name, text, &err);
        const char *result = rc < 0 ? err.text : text;
        if (rc != members[i].rc || strcmp(result, members[i].result) != 0)
            fail_msg("%c %s: %d, \"%s\"", members[i].kind, members[i].name, rc, result);
    }
    cJSON_Delete(root);
}

static void what_is_no_object_has_no_members(void **state)
{
    (void)state;
    static const char *const texts[] = {"[]", "[1,2]", "null", "\"s\"", "7"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        cJSON *root = NULL;
        const char *text = NULL;
        assert_int_equal(json_parse(texts[i], strlen(texts[i]), "x", &root, NULL), 0);
        assert_int_equal(json_string(root, "s", &text, NULL), -ENOENT);
        assert_string_equal(json_text(root, "s", "otherwise"), "otherwise");
        cJSON_Delete(root);
    }
    const char *text = NULL;
    assert_int_equal(json_string(NULL, "s", &text, NULL), -ENOENT);
}

static void gives_a_text_or_another(void **state)
{
    (void)state;
    cJSON *root = NULL;
    assert_int_equal(json_parse(OBJECT, strlen(OBJECT), "object", &root, NULL), 0);
    assert_string_equal(json_text(root, "s", "-"), "text");
    assert_string_equal(json_text(root, "empty", "-"), "");
    assert_string_equal(json_text(root, "none", "-"), "-");
    assert_string_equal(json_text(root, "n", "-"), "-");
    assert_string_equal(json_text(root, "i", "-"), "-");
    assert_null(json_text(root, "none", NULL));
    cJSON_Delete(root);
}

static void members_are_known_and_given_once(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    static const struct {
        const char *text;
        int rc;
        const char *name;
    } rows[] = {
        {"{}", 0, ""},
        {"{\"a\":1,\"b\":null}", 0, ""},
        {"{\"a\":1,\"c\":1}", -ENOENT, "c"},
        {"{\"A\":1}", -ENOENT, "A"},
        {"{\"b\":1,\"a\":1,\"b\":1}", -EEXIST, "b"},
        {"{\"a\":1,\"a\":1,\"c\":1}", -ENOENT, "c"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        cJSON *root = NULL;
        const char *name = "";
        assert_int_equal(json_parse(rows[i].text, strlen(rows[i].text), "x", &root, NULL), 0);
        assert_int_equal(json_members(root, names, 2, &name), rows[i].rc);
        if (rows[i].rc < 0)
            assert_string_equal(name, rows[i].name);
        cJSON_Delete(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_whole_documents_only),
        cmocka_unit_test(takes_no_more_than_it_can_pay_for),
        cmocka_unit_test(reads_members_by_type),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(gives_a_text_or_another),
        cmocka_unit_test(members_are_known_and_given_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
