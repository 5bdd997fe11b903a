/* SPDX-License-Identifier: MIT */
#include "base/json_fields.h"

#include "test.h"

#define MOST INT64_C(9007199254740992)

struct thing {
    bool flag;
    int count;
    int64_t one;
    int64_t three[3];
    char name[8];
    char lines[16];
};

#define AT(member) offsetof(struct thing, member)

static const struct json_field fields[] = {
    {"flag", JSON_FIELD_FLAG, AT(flag), 1},  {"count", JSON_FIELD_INT, AT(count), 1},
    {"one", JSON_FIELD_NUMBERS, AT(one), 1}, {"three", JSON_FIELD_NUMBERS, AT(three), 3},
    {"name", JSON_FIELD_TEXT, AT(name), 8},  {"lines", JSON_FIELD_LINES, AT(lines), 16},
};

#define WHOLE                                                                                      \
    "{\"flag\":true,\"count\":-5,\"one\":-9007199254740992,\"three\":[1,0,9007199254740992],"      \
    "\"name\":\"a \\\"b\\\\\",\"lines\":\"x\\ny\\n\"}"

static const struct thing whole = {true, -5, -MOST, {1, 0, MOST}, "a \"b\\", "x\ny\n"};

static void expect_thing(const struct thing *a, const struct thing *b)
{
    assert_int_equal(a->flag, b->flag);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->one, b->one);
    assert_memory_equal(a->three, b->three, sizeof a->three);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->lines, b->lines);
}

static int load(const char *text, struct thing *to, struct error *err)
{
    cJSON *root = NULL;
    assert_int_equal(json_parse(text, strlen(text), "text", &root, err), 0);
    int rc = json_fields_load(root, to, fields, COUNT(fields), err);
    cJSON_Delete(root);
    return rc;
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    struct error err = {0};
    struct thing again = {0};
    cJSON *root = cJSON_CreateObject();
    assert_true(json_fields_save(root, &whole, fields, COUNT(fields)));
    char *text = json_print(root, true);
    assert_string_equal(text, WHOLE);
    assert_int_equal(load(text, &again, &err), 0);
    expect_thing(&again, &whole);
    cJSON_free(text);
    assert_false(json_fields_save(NULL, &whole, fields, COUNT(fields)));
}

static void what_is_missing_stays(void **state)
{
    (void)state;
    struct error err = {0};
    struct thing thing = whole;
    assert_int_equal(load("{}", &thing, &err), 0);
    expect_thing(&thing, &whole);
    assert_int_equal(load("{\"flag\":null,\"other\":[[]]}", &thing, &err), 0);
    expect_thing(&thing, &whole);
    assert_int_equal(json_fields_load(NULL, &thing, fields, COUNT(fields), &err), 0);
}

static const struct {
    const char *text, *error;
} wrong[] = {
    {"{\"flag\":1}", "\"flag\" is not true or false"},
    {"{\"count\":2147483648}", "\"count\" is out of its range"},
    {"{\"count\":-2147483649}", "\"count\" is out of its range"},
    {"{\"count\":1.5}", "\"count\" is not an integer"},
    {"{\"one\":[1]}", "\"one\" is not an integer"},
    {"{\"one\":9007199254740994}", "\"one\" is not an integer"},
    {"{\"three\":3}", "\"three\" is not an array"},
    {"{\"three\":[1,2]}", "\"three\" does not have 3 numbers"},
    {"{\"three\":[1,2,3,4]}", "\"three\" does not have 3 numbers"},
    {"{\"three\":[1,2,3,4,5,6,7,8,9]}", "\"three\" is not a short list of integers"},
    {"{\"three\":[1,2,\"3\"]}", "\"three\" is not a short list of integers"},
    {"{\"three\":[1,2,1e300]}", "\"three\" is not a short list of integers"},
    {"{\"name\":7}", "\"name\" is not a string"},
    {"{\"name\":\"12345678\"}", "\"name\" is too long or not printable"},
    {"{\"name\":\"a\\nb\"}", "\"name\" is too long or not printable"},
    {"{\"lines\":\"1234567890123456\"}", "\"lines\" is too long or not printable"},
    {"{\"lines\":\"no end\"}", "\"lines\" is too long or not printable"},
    {"{\"lines\":\"a\\tb\\n\"}", "\"lines\" is too long or not printable"},
};

/* It stays as it is; the others are read. */
static void what_is_wrong_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct error err = {0};
        struct thing thing = whole;
        assert_int_equal(load(wrong[i].text, &thing, &err), -EBADMSG);
        assert_string_equal(err.text, wrong[i].error);
        expect_thing(&thing, &whole);
    }
    struct error err = {0};
    struct thing thing = {0};
    assert_int_equal(load("{\"flag\":0,\"one\":\"x\",\"name\":\"n\"}", &thing, &err), -EBADMSG);
    assert_string_equal(err.text, "\"flag\" is not true or false");
    assert_string_equal(thing.name, "n");
}

static void numbers_beyond_what_can_be_read_are_bounded(void **state)
{
    (void)state;
    const int64_t far[] = {INT64_MIN, INT64_MAX, -MOST - 1, MOST + 1, -MOST};
    cJSON *root = cJSON_CreateObject();
    assert_true(json_add_integers(root, "far", far, COUNT(far)));
    assert_true(json_add_integers(root, "none", far, 0));
    assert_true(json_add_integer(root, "one", INT64_MAX));
    char *text = json_print(root, true);
    assert_string_equal(text, "{\"far\":[-9007199254740992,9007199254740992,-9007199254740992,"
                              "9007199254740992,-9007199254740992],\"none\":[],"
                              "\"one\":9007199254740992}");
    cJSON_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(what_is_missing_stays),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(numbers_beyond_what_can_be_read_are_bounded),
    };
    return cmocka_run_group_tests_name("json_fields", tests, NULL, NULL);
}
