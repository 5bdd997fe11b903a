/* SPDX-License-Identifier: MIT */
#include "base/boottime.h"
#include "base/file.h"
#include "indexer/account.h"
#include "test.h"

static char dir[] = "/tmp/lictor-account-XXXXXX";
static char path[100];

static void put(const char *text)
{
    assert_int_equal(file_replace(path, text, strlen(text), 0600, false, NULL), 0);
}

static void it_goes_on_after_a_restart(void **state)
{
    (void)state;
    struct complaint complaint = {.told_ms = 0};
    struct account_file f = {.complaint = &complaint};
    struct account a;
    struct stat st;
    struct destination to = {.urls = 1};
    (void)snprintf(to.account, sizeof to.account, "%s", path);
    account_open(&f, &to);
    f.account.arrived = 300;
    f.account.as_text = 2;
    f.account.cut = 1;
    f.account.waiting = 256;
    account_note(&f, "es: 401\x1b[2J", 1000);
    account_read(path, &a);
    assert_int_equal(a.arrived, 300);
    assert_int_equal(a.as_text, 2);
    assert_int_equal(a.cut, 1);
    assert_int_equal(a.waiting, 256);
    assert_string_equal(a.why, "es: 401?[2J");
    assert_in_range(a.until_ms, boottime_ms(), boottime_ms() + 1000);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    struct account_file next = {.complaint = &complaint};
    account_open(&next, &to);
    assert_int_equal(next.account.arrived, 300);
    assert_int_equal(next.account.waiting, 0);
    assert_string_equal(next.account.why, "es: 401?[2J");
    assert_int_equal(next.account.since_ms, a.since_ms);
    assert_string_equal(complaint.text, "");
}

/* A reason that changes its words does not begin again. */
static void it_says_since_when(void **state)
{
    (void)state;
    struct account_file f = {.to = NULL};
    account_note(&f, "es: 401", 0);
    f.account.since_ms -= 5000;
    int64_t since_ms = f.account.since_ms;
    account_note(&f, "es: 503", 0);
    assert_int_equal(f.account.since_ms, since_ms);
    account_note(&f, "", 0);
    assert_true(f.account.since_ms > since_ms);
}

static void what_is_damaged_is_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[]",
                                        "{\"arrived\":-5,\"waiting\":\"7\",\"why\":7}", "null"};
    struct account a;
    for (size_t i = 0; i < COUNT(texts); i++) {
        put(texts[i]);
        account_read(path, &a);
        assert_memory_equal(&a, &(struct account){0}, sizeof a);
    }
    put("{\"boot\":\"another\",\"arrived\":7,\"since_ms\":1,\"until_ms\":2}");
    account_read(path, &a);
    assert_int_equal(a.arrived, 7);
    assert_int_equal(a.since_ms, 0);
    assert_int_equal(a.until_ms, 0);
    assert_int_equal(unlink(path), 0);
    account_read(path, &a);
    assert_memory_equal(&a, &(struct account){0}, sizeof a);
}

static void what_cannot_be_written_is_told(void **state)
{
    (void)state;
    struct complaint complaint = {.told_ms = 0};
    struct account_file f = {.complaint = &complaint};
    struct destination to = {.account = "/nowhere/account.json"};
    account_open(&f, &to);
    account_alive(&f, 1000);
    assert_non_null(
        strstr(complaint.text, "nobody is told what became of the records: cannot write /nowhere"));
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    (void)snprintf(path, sizeof path, "%s/account.json", dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_after_a_restart),
        cmocka_unit_test(it_says_since_when),
        cmocka_unit_test(what_is_damaged_is_empty),
        cmocka_unit_test(what_cannot_be_written_is_told),
    };
    int failed = cmocka_run_group_tests_name("account", tests, NULL, NULL);
    return rmdir(dir) < 0 ? 1 : failed;
}
