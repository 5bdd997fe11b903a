/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include "test.h"

static const struct {
    const char *text;
    const char *value; /* NULL: refused */
} encoded[] = {
    {"", ""},
    {"Zg==", "f"},
    {"Zm8=", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg==", "foob"},
    {"Zm9vYmE=", "fooba"},
    {"Zm9vYmFy", "foobar"},
    {"+/+/", "\xfb\xff\xbf"},
    {"Z", NULL},
    {"Zg", NULL},
    {"Zg=", NULL},
    {"Zm9", NULL},
    {"Zg==Zg==", NULL},
    {"Zg==\n", NULL},
    {" Zg==", NULL},
    {"Zm 9", NULL},
    {"-_-_", NULL},
    {"====", NULL},
    {"Z===", NULL},
    {"Zg=a", NULL},
    {"=Zg=", NULL},
    {"Zm9v\xc3\xa4", NULL},
};

static void decodes_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(encoded); i++) {
        char *value = NULL;
        size_t len = 0;
        int rc = base64_decode(encoded[i].text, &value, &len);
        if (rc != (encoded[i].value ? 0 : -EBADMSG))
            fail_msg("\"%s\": %d", encoded[i].text, rc);
        if (rc == 0) {
            assert_string_equal(value, encoded[i].value);
            assert_int_equal(len, strlen(value));
        }
        free(value);
    }
}

static void encodes_what_it_decodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(encoded); i++) {
        if (!encoded[i].value)
            continue;
        char *text = base64_encode(encoded[i].value, strlen(encoded[i].value));
        assert_string_equal(text, encoded[i].text);
        free(text);
    }
    char *text = base64_encode("a\0b", 3);
    assert_string_equal(text, "YQBi");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_strictly),
        cmocka_unit_test(encodes_what_it_decodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
