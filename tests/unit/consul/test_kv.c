/* SPDX-License-Identifier: MIT */
#include "consul/kv.h"

#include "base/json.h"
#include "test.h"

static int parse(const char *text, struct kv_list *list, struct error *err)
{
    cJSON *root = NULL;
    assert_int_equal(json_parse(text, strlen(text), "payload", &root, err), 0);
    int rc = kv_parse(root, list, err);
    cJSON_Delete(root);
    return rc;
}

/* What `consul watch -type keyprefix` of Consul 1.8.7 writes. */
static void reads_a_watch_payload(void **state)
{
    (void)state;
    struct kv_list list = {0};
    assert_int_equal(
        parse("[{\"Key\":\"p/A\",\"CreateIndex\":12,\"ModifyIndex\":15,\"LockIndex\":0,"
              "\"Flags\":0,\"Value\":\"aHR0cDovL2E6OTIwMA==\",\"Session\":\"\"},"
              "{\"Key\":\"p/folder/"
              "\",\"CreateIndex\":13,\"ModifyIndex\":13,\"LockIndex\":0,"
              "\"Flags\":0,\"Value\":null,\"Session\":\"\"},"
              "{\"Key\":\"p/"
              "nul\",\"ModifyIndex\":9007199254740992,\"Value\":\"YQBi\"}]\n",
              &list, NULL),
        0);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.entries[0].key, "p/A");
    assert_string_equal(list.entries[0].value, "http://a:9200");
    assert_int_equal(list.entries[0].len, 13);
    assert_int_equal(list.entries[0].modify_index, 15);
    assert_string_equal(list.entries[1].key, "p/folder/");
    assert_int_equal(list.entries[1].len, 0);
    assert_string_equal(list.entries[1].value, "");
    assert_int_equal(list.entries[2].len, 3);
    assert_memory_equal(list.entries[2].value, "a\0b", 4);
    assert_int_equal(list.entries[2].modify_index, UINT64_C(9007199254740992));
    kv_release(&list);
    assert_int_equal(list.n, 0);
    assert_null(list.entries);
}

/* A transaction takes such a name. */
static const struct {
    const char *name, *read;
} names[] = {
    {"p/\\u0000z", "p/\xef\xbf\xbdz"}, {"p/\\u0000\\u0000", "p/\xef\xbf\xbd\xef\xbf\xbd"},
    {"p/\\\\u0000", "p/\\u0000"},      {"p/\\\\\\u0000", "p/\\\xef\xbf\xbd"},
    {"p/\\n\\\"", "p/\n\""},
};

static void a_name_with_a_nul_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct kv_list list = {0};
        struct buffer text = BUFFER_INIT(200);
        struct error err = {0};
        assert_int_equal(
            buffer_printf(&text, "[{\"Key\":\"%s\",\"ModifyIndex\":1}]", names[i].name), 0);
        assert_int_equal(kv_parse_text(&text, "payload", &list, &err), 0);
        assert_string_equal(list.entries[0].key, names[i].read);
        kv_release(&list);
        buffer_clear(&text);
        assert_int_equal(buffer_append(&text, names[i].name, strlen(names[i].name)), 0);
        assert_int_equal(kv_parse_text(&text, "payload", &list, &err), -EBADMSG);
        assert_string_equal(err.text, "payload: is not JSON");
        buffer_release(&text);
    }
}

static const struct {
    const char *text, *key;
    size_t bytes;
} texts[] = {
    {"", "", 0},
    {"[]", "", 0},
    {"[{\"LockIndex\":0,\"Key\":\"p/a\",\"Value\":\"YQ==\"},{\"Key\":\"p/b\",\"Val", "p/a", 15},
    {"[{\"Key\":\"p/a\",\"Value\":\"YQ==\"},{\"Key\":\"p/b\",\"Value\":\"YQYQYQYQYQYQYQYQYQ", "p/b",
     24},
    {"[{\"Key\":\"p/\xff\\\"Key\\\":\\\"b\",\"Value\":\"\"}]", "p/?\\", 21},
    {"[{\"Key\":\"p/without an end", "", 0},
};

static void the_largest_entry_is_found(void **state)
{
    (void)state;
    char key[KV_NAME];
    for (size_t i = 0; i < COUNT(texts); i++) {
        print_message("  %s\n", texts[i].text);
        assert_int_equal(kv_largest(texts[i].text, strlen(texts[i].text), key), texts[i].bytes);
        assert_string_equal(key, texts[i].key);
    }
}

#define NO_ENTRY "not a KV entry as Consul writes it"
#define NO_TEXT  "KV entry k: value is not base64"

static const struct {
    const char *text;
    size_t n; /* entries */
    const char *error;
} payloads[] = {
    {"null", 0, ""},
    {"[]", 0, ""},
    {"{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":\"YQ==\"}", 1, ""},
    {"{\"Key\":\"k\",\"ModifyIndex\":0}", 1, ""},
    {"[{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":\"\"}]", 1, ""},
    {"\"text\"", 0, "not a list of KV entries"},
    {"7", 0, "not a list of KV entries"},
    {"false", 0, "not a list of KV entries"},
    {"{}", 0, NO_ENTRY},
    {"[{}]", 0, NO_ENTRY},
    {"[null]", 0, NO_ENTRY},
    {"[7]", 0, NO_ENTRY},
    {"[[]]", 0, NO_ENTRY},
    {"{\"Key\":\"k\"}", 0, NO_ENTRY},
    {"{\"Key\":7,\"ModifyIndex\":1}", 0, NO_ENTRY},
    {"{\"Key\":null,\"ModifyIndex\":1}", 0, NO_ENTRY},
    {"{\"Key\":\"k\",\"ModifyIndex\":-1}", 0, NO_ENTRY},
    {"{\"Key\":\"k\",\"ModifyIndex\":1.5}", 0, NO_ENTRY},
    {"{\"Key\":\"k\",\"ModifyIndex\":\"1\"}", 0, NO_ENTRY},
    {"{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":7}", 0, NO_TEXT},
    {"{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":[]}", 0, NO_TEXT},
    {"{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":false}", 0, NO_TEXT},
    {"{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":\"YQ=\"}", 0, NO_TEXT},
    {"[{\"Key\":\"a\",\"ModifyIndex\":1,\"Value\":\"YQ==\"},"
     "{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":\"!\"}]",
     0, NO_TEXT},
};

static void takes_only_what_consul_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(payloads); i++) {
        struct error err = {0};
        struct kv_list list = {0};
        assert_int_equal(kv_add(&list, "before", "x", 1, 7), 0);
        int rc = parse(payloads[i].text, &list, &err);
        if (rc != (payloads[i].error[0] ? -EBADMSG : 0) || list.n != payloads[i].n + 1 ||
            strcmp(err.text, payloads[i].error) != 0)
            fail_msg("%s: %d, %zu entries, \"%s\"", payloads[i].text, rc, list.n, err.text);
        assert_string_equal(list.entries[0].key, "before");
        kv_release(&list);
    }
    struct kv_list list = {0};
    assert_int_equal(kv_parse(NULL, &list, NULL), -EBADMSG);
}

static void finds_by_whole_key(void **state)
{
    (void)state;
    struct kv_list list = {0};
    assert_null(kv_find(&list, "a"));
    assert_int_equal(kv_add(&list, "a/b", "1", 1, 3), 0);
    assert_int_equal(kv_add(&list, "a", NULL, 0, 4), 0);
    assert_int_equal(kv_add(&list, "A", "2", 1, 5), 0);
    assert_int_equal(kv_find(&list, "a")->modify_index, 4);
    assert_string_equal(kv_find(&list, "a")->value, "");
    assert_int_equal(kv_find(&list, "a/b")->modify_index, 3);
    assert_null(kv_find(&list, "a/"));
    assert_null(kv_find(&list, ""));
    kv_release(&list);
}

/* Entries "KEY=VALUE" in one text, separated by blanks; indexes begin at `index`. */
static void sets_and_removes(void **state)
{
    (void)state;
    struct kv_list list = {0};
    assert_int_equal(kv_set(&list, "a", "1"), 0);
    assert_int_equal(kv_set(&list, "b", "2"), 0);
    assert_int_equal(kv_set(&list, "a", "three"), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(kv_find(&list, "a")->value, "three");
    assert_int_equal(kv_find(&list, "a")->len, 5);
    kv_remove(&list, "a");
    kv_remove(&list, "none");
    assert_int_equal(list.n, 1);
    assert_null(kv_find(&list, "a"));
    assert_string_equal(kv_find(&list, "b")->value, "2");
    kv_remove(&list, "b");
    assert_int_equal(list.n, 0);
    kv_release(&list);
}

static void digest_of(const char *entries, const char *prefix, uint64_t index, char ret[KV_DIGEST])
{
    char copy[128];
    char *rest = NULL;
    struct kv_list list = {0};
    (void)snprintf(copy, sizeof copy, "%s", entries);
    for (char *at = strtok_r(copy, " ", &rest); at; at = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(at, '=');
        *value++ = '\0';
        assert_int_equal(kv_add(&list, at, value, strlen(value), index++), 0);
    }
    assert_int_equal(kv_digest(&list, prefix, ret, NULL), 0);
    kv_release(&list);
}

/* sha256sum over 8 bytes of length (little end first) and the bytes, of each part. */
#define DIGEST_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DIGEST_TWO   "ce01dbd2823f6a5de23dc6226cbe47843fda444754b1ad11608e4fb99bb08ac1"

static void the_same_words_have_the_same_digest(void **state)
{
    (void)state;
    static const struct {
        const char *entries;
        const char *prefix;
        bool two; /* the digest of a/b=x a/c= */
    } rows[] = {
        {"a/b=x a/c=", "a/", true},
        {"a/c= a/b=x", "a/", true},
        {"a/c= b/d=1 a/b=x a=7", "a/", true},
        {"a/b=x a/c=", "", true},
        {"a/b=x", "a/", false},
        {"a/b= a/c=x", "a/", false},
        {"a/b=xa/c=", "a/", false},
        {"a/bx= a/c=", "a/", false},
        {"a/b=x a/c= a/d=", "a/", false},
    };
    char digest[KV_DIGEST];
    digest_of("a/b=x", "c", 1, digest);
    assert_string_equal(digest, DIGEST_EMPTY);
    for (size_t i = 0; i < COUNT(rows); i++) {
        digest_of(rows[i].entries, rows[i].prefix, i, digest);
        assert_int_equal(strlen(digest), KV_DIGEST - 1);
        if ((strcmp(digest, DIGEST_TWO) == 0) != rows[i].two)
            fail_msg("%s below \"%s\": %s", rows[i].entries, rows[i].prefix, digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_watch_payload),
        cmocka_unit_test(a_name_with_a_nul_is_read),
        cmocka_unit_test(the_largest_entry_is_found),
        cmocka_unit_test(takes_only_what_consul_writes),
        cmocka_unit_test(finds_by_whole_key),
        cmocka_unit_test(sets_and_removes),
        cmocka_unit_test(the_same_words_have_the_same_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
