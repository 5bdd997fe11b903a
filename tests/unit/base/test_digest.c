/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include "test.h"

/* FIPS 180-4's own examples (csrc.nist.gov, SHA256.pdf), and nothing. */
static const struct {
    const char *text, *digest;
} rows[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void is_sha_256(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[DIGEST_TEXT];
        digest_of(rows[i].text, strlen(rows[i].text), text);
        assert_string_equal(text, rows[i].digest);
    }
}

static void parts_make_a_whole(void **state)
{
    (void)state;
    struct digest digest;
    char text[DIGEST_TEXT];
    digest_begin(&digest);
    digest_add(&digest, "a", 1);
    digest_add(&digest, "", 0);
    digest_add(&digest, "bc", 2);
    digest_end(&digest, text);
    assert_string_equal(text, rows[1].digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sha_256),
        cmocka_unit_test(parts_make_a_whole),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
