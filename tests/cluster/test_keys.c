/* SPDX-License-Identifier: MIT */
/* Keys that nobody of us wrote, on three real servers with a shipper that is instant: they change
 * nothing, stop nothing, and are named. */
#include "chain.h"

#include "base/base64.h"

#define PLACE    HARNESS_ROOT "/service/cluster/tag/any/"
#define SOON     20000
#define QUIET_MS 4000
#define STORM    200

static int setup(void **state)
{
    *state = chain_start();
    chain_set(*state);
    return 0;
}

static int calm(void **state)
{
    struct cluster *c = *state;
    setting_delete(c, "LOG_ENABLED");
    kv_delete_prefix(c, PLACE "LOG_z");
    kv_delete_prefix(c, PLACE "OTHER_");
    kv_delete_prefix(c, "lictor/logging/zz");
    setting_delete(c, "LOG_%ff");
    setting_delete(c, "LOG_%fe");
    setting_put(c, "LOG_INDEX", "calm");
    chain_reach(c, "calm");
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "passing", "3 of 3 servers on revision", SOON);
    return 0;
}

/* `len` bytes of one value. free() it. */
static char *many(size_t len)
{
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

static void put_bytes(struct cluster *c, const char *key, const void *bytes, size_t len)
{
    char body[400];
    char *value = base64_encode(bytes, len);
    (void)snprintf(body, sizeof body,
                   "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"%s\",\"Value\":\"%s\"}}]", key, value);
    assert_int_equal(http(c, 1, "PUT", "/v1/txn", body, NULL), 200);
    free(value);
}

/* Together more than one answer may hold. */
static void put_huge(struct cluster *c, const char *prefix)
{
    char key[200], *huge = many(500000);
    for (int i = 1; i <= 2; i++) {
        (void)snprintf(key, sizeof key, "%szz%d", prefix, i);
        kv_put(c, key, huge);
    }
    free(huge);
}

static void expect_named(struct cluster *c, const char *text)
{
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "warning", text, SOON);
}

/* A change comes through while the key is there, and the key is named. */
static void expect_harmless(struct cluster *c, const char *index, const char *named)
{
    setting_put(c, "LOG_INDEX", index);
    chain_reach(c, index);
    expect_named(c, named);
}

/* ---- unknown LOG_ keys ----------------------------------------------------- */

static void an_unknown_key_changes_nothing(void **state)
{
    struct cluster *c = *state;
    char *huge = many(70000), *name = many(480), key[600];
    setting_put(c, "LOG_zz", huge);
    expect_harmless(c, "huge", "LOG_zz: there is no setting of that name");
    (void)snprintf(key, sizeof key, PLACE "LOG_zz%s", name + 6);
    kv_put(c, key, "1");
    expect_harmless(c, "long-name", "LOG_zzxxxxxxxx");
    setting_put(c, "LOG_%ff", "1");
    setting_put(c, "LOG_%fe", "2");
    expect_harmless(c, "equal-names", "LOG_???: there is no setting of that name");
    put_bytes(c, PLACE "LOG_z\\u0000z", "1", 1);
    expect_harmless(c, "nul-in-name", "LOG_z");
    setting_put(c, "LOG_ENABLED", "N");
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "warning", "(switched off)", SOON);
    free(huge);
    free(name);
}

static void an_unknown_key_with_a_nul_starts_nothing(void **state)
{
    struct cluster *c = *state;
    put_bytes(c, PLACE "LOG_zz", "a\0b", 3);
    setting_put(c, "LOG_LEVEL", "warn");
    expect_harmless(c, "nul", "LOG_zz: there is no setting of that name");
    size_t before = runs(c, 0, "reconfigure-logging");
    sleep_ms(QUIET_MS);
    assert_in_range(runs(c, 0, "reconfigure-logging") - before, 0, 3);
    setting_delete(c, "LOG_LEVEL");
}

static void unknown_keys_are_named_beside_huge_ones(void **state)
{
    struct cluster *c = *state;
    put_huge(c, PLACE "OTHER_");
    setting_put(c, "LOG_zz", "1");
    expect_harmless(c, "over", "LOG_zz: there is no setting of that name");
    expect_named(c, "OTHER_zz2: there is no setting of that name");
}

/* Handlers are started by Consul, but nothing else is, and none goes on afterwards. */
static void a_storm_of_foreign_keys_is_bounded(void **state)
{
    struct cluster *c = *state;
    char value[20];
    size_t before = runs(c, 0, "reconfigure-logging");
    int64_t begin = now_ms();
    for (int i = 0; i < STORM; i++) {
        (void)snprintf(value, sizeof value, "%d", i);
        setting_put(c, "LOG_zz", value);
        kv_put(c, "lictor/logging/zz", value);
        if (i == STORM / 2)
            setting_put(c, "LOG_INDEX", "storm");
    }
    int64_t end = now_ms();
    chain_reach(c, "storm");
    size_t after = runs(c, 0, "reconfigure-logging");
    print_message("  %d writes in %lld ms: %zu runs on three servers, done after %lld ms\n",
                  2 * STORM, (long long)(end - begin), after - before,
                  (long long)(now_ms() - begin));
    assert_in_range(after - before, 1, 2 * STORM * 3 + 60);
    expect_named(c, "LOG_zz: there is no setting of that name");
    before = runs(c, 0, "reconfigure-logging");
    sleep_ms(QUIET_MS);
    assert_in_range(runs(c, 0, "reconfigure-logging") - before, 0, 3);
}

/* ---- huge keys where records are ----------------------------------------- */

static void huge_keys_beside_the_records_stop_nothing(void **state)
{
    struct cluster *c = *state;
    put_huge(c, "lictor/logging/");
    expect_harmless(c, "huge-beside", "lictor/logging/zz1 has 500 kB");
    struct chain *chain = chain_watch(c);
    setting_put(c, "LOG_INDEX", "huge-still");
    chain_reach(c, "huge-still");
    chain_unwatch(chain);
    setting_put(c, "LOG_ENABLED", "N");
    expect_named(c, "(switched off)");
    expect_named(c, "3 of 3 servers on revision ");
    size_t before = runs(c, 0, "reconfigure-logging");
    sleep_ms(QUIET_MS);
    assert_in_range(runs(c, 0, "reconfigure-logging") - before, 0, 3);
}

/* Hearing is deaf then, so it must be said why. */
static void huge_keys_beside_the_clocks_are_named(void **state)
{
    struct cluster *c = *state;
    put_huge(c, "lictor/clock/");
    for (int i = 1; i <= 3; i++) {
        wait_check(c, i, "cluster:clock", "warning", "lictor/clock/zz1 has 500 kB", SOON);
        wait_check(c, i, "cluster:clock", "warning", "records come late", SOON);
    }
    kv_delete_prefix(c, "lictor/clock/zz");
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:clock", "passing", "3 clocks agree", SOON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_unknown_key_changes_nothing, calm),
        cmocka_unit_test_setup(an_unknown_key_with_a_nul_starts_nothing, calm),
        cmocka_unit_test_setup(unknown_keys_are_named_beside_huge_ones, calm),
        cmocka_unit_test_setup(a_storm_of_foreign_keys_is_bounded, calm),
        cmocka_unit_test_setup(huge_keys_beside_the_records_stop_nothing, calm),
        cmocka_unit_test_setup(huge_keys_beside_the_clocks_are_named, calm),
    };
    return HARNESS_RUN("keys", tests, setup, cluster_tear_down);
}
