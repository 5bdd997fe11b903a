/* SPDX-License-Identifier: MIT */
/* Keys that were published are known by their digest. SEAL's is in no source of ours; those of
 * HashiCorp's documentation stand for it here. */
#include "security/gossip_key.h"

#include "base/json.h"
#include "test.h"

#define OWN     "aVR0bPFSI7iPC1xvUpA2Pw=="
#define EXAMPLE "cg8StVXbQJ0gPvMd9o7yrg=="
#define LONG    "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="
#define WORDS   "gossip takes a key that HashiCorp publishes as an example"

static const struct row {
    const char *keys;
    int code;
    const char *what; /* "" no finding */
} rows[] = {
    {"[\"" OWN "\"]", 0, ""},
    {"[\"" EXAMPLE "\"]", 0, WORDS},
    {"[\"" LONG "\"]", 0, WORDS},
    {"[\"" OWN "\",\"" EXAMPLE "\",\"" OWN "\"]", 0, WORDS},
    {"[{\"WAN\":false,\"Keys\":{\"" OWN "\":3},\"NumNodes\":3}]", 0, ""},
    {"[{\"WAN\":true,\"Keys\":{\"" OWN "\":3}},{\"WAN\":false,\"Keys\":{\"" EXAMPLE "\":1,\"" OWN
     "\":3}}]",
     0, WORDS},
    {"[]", -EBADMSG, ""},
    {"null", -EBADMSG, ""},
    {"{\"Keys\":{\"" EXAMPLE "\":1}}", -EBADMSG, ""},
    {"[{\"Keys\":{}},{\"Keys\":null},7,{}]", -EBADMSG, ""},
};

static void a_published_key_is_known(void **state)
{
    static struct findings findings;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cJSON *keys = NULL;
        struct error err = {0};
        findings = (struct findings){0};
        print_message("  %s\n", rows[i].keys);
        assert_int_equal(json_parse(rows[i].keys, strlen(rows[i].keys), "it", &keys, &err), 0);
        assert_int_equal(gossip_key_judge(keys, &findings, &err), rows[i].code);
        assert_string_equal(findings.n ? findings.found[0].what : "", rows[i].what);
        assert_string_equal(err.text, rows[i].code ? "there is no key in it" : "");
        cJSON_Delete(keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_published_key_is_known)};
    return cmocka_run_group_tests_name("gossip_key", tests, NULL, NULL);
}
