/* SPDX-License-Identifier: MIT */
/* state.c: what is kept between runs, and whose records count. */
#include "clock/clock_state.h"

#include "base/file.h"
#include "clock/clock_record.h"
#include "test.h"

static char dir[] = "/tmp/lictor-clock-state-XXXXXX";
static struct clock_state kept, again;

static const char *state_file(void)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "%s/clock", dir);
    return path;
}

static struct local_clock_reading now(void)
{
    struct local_clock_reading reading;
    local_clock_read(&reading);
    return reading;
}

/* A state of three servers, as the first heartbeat of n1 makes it. */
static void begin(struct clock_state *h, int servers)
{
    static char names[OFFSETS_SERVERS][16];
    const char *list[OFFSETS_SERVERS];
    const struct local_clock_reading at = now();
    (void)unlink(state_file());
    clock_state_read(dir, &at, h);
    (void)snprintf(h->node, sizeof h->node, "n1");
    for (int i = 0; i < servers; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%d", i + 1);
        list[i] = names[i];
    }
    clock_state_begin(h, list, (size_t)servers, &at);
}

static void write_state(struct clock_state *h)
{
    struct error err = {0};
    if (clock_state_write(h, dir, &err) < 0)
        fail_msg("%s", err.text);
}

static bool can_be_read(void)
{
    const struct local_clock_reading at = now();
    clock_state_read(dir, &at, &again);
    return again.node[0] != '\0';
}

/* ---- the file ------------------------------------------------------------ */

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const int sizes[] = {0, 1, 3, OFFSETS_SERVERS};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        begin(&kept, sizes[i]);
        kept.sent_us[0] = 1234567;
        kept.foreign = 2;
        (void)snprintf(kept.reference.servers, 10, "ntp1:123");
        verdict_set(&kept.said, VERDICT_CRITICAL, "said");
        verdict_note(&kept.notes, "a note");
        kept.offsets.proven_us = 17;
        for (int n = 0; n < sizes[i]; n++)
            kept.offsets.server[n].shown_us = n;
        for (int n = 0; n < sizes[i] * (sizes[i] - 1) / 2; n++)
            kept.offsets.pair[n].shown_us = n;
        write_state(&kept);
        assert_true(can_be_read());
        assert_int_equal(again.offsets.n, sizes[i]);
        assert_string_equal(again.node, "n1");
        assert_int_equal(again.sent_us[0], 1234567);
        assert_int_equal(again.foreign, 2);
        assert_string_equal(again.reference.servers, "ntp1:123");
        assert_memory_equal(&again.said, &kept.said, sizeof kept.said);
        assert_string_equal(again.notes.details, "a note\n");
        assert_int_equal(again.offsets.proven_us, 17);
        for (int n = 0; n < sizes[i]; n++) {
            assert_string_equal(again.offsets.server[n].name, kept.offsets.server[n].name);
            assert_int_equal(again.offsets.server[n].shown_us, n);
        }
        for (int n = 0; n < sizes[i] * (sizes[i] - 1) / 2; n++)
            assert_int_equal(again.offsets.pair[n].shown_us, n);
    }
}

static void it_is_as_small_as_it_can_be(void **state)
{
    (void)state;
    struct stat st = {0};
    begin(&kept, 3);
    write_state(&kept);
    assert_int_equal(stat(state_file(), &st), 0);
    assert_in_range(st.st_size, 1, 32768);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void cut_to(off_t size)
{
    assert_int_equal(truncate(state_file(), size), 0);
}

static void a_damaged_file_is_dropped(void **state)
{
    (void)state;
    struct stat st = {0};
    begin(&kept, 3);
    write_state(&kept);
    assert_int_equal(stat(state_file(), &st), 0);
    for (off_t at = 0; at < st.st_size; at += at < 200 ? 1 : 97) {
        FILE *f = fopen(state_file(), "r+");
        assert_non_null(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        int byte = fgetc(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_true(fputc(byte ^ 1, f) >= 0);
        assert_int_equal(fclose(f), 0);
        assert_false(can_be_read());
        write_state(&kept);
    }
    for (off_t size = st.st_size - 1; size >= 0; size -= size > 200 ? 97 : 1) {
        cut_to(size);
        assert_false(can_be_read());
    }
    write_state(&kept);
    cut_to(st.st_size + 1);
    assert_false(can_be_read());
    write_state(&kept);
    assert_true(can_be_read());
}

static void of_another_boot_it_is_dropped(void **state)
{
    (void)state;
    begin(&kept, 3);
    (void)snprintf(kept.offsets.boot, sizeof kept.offsets.boot, "another+0");
    write_state(&kept);
    assert_false(can_be_read());
    assert_string_not_equal(again.boot, "");
    assert_in_range(again.kernel.ppm, LOCAL_CLOCK_PPM_LEAST, LOCAL_CLOCK_PPM_MOST);
}

static void from_the_future_it_is_dropped(void **state)
{
    (void)state;
    begin(&kept, 3);
    kept.offsets.server[1].heard_us = now().raw_us + 60000000;
    write_state(&kept);
    assert_false(can_be_read());
}

static void the_lock_is_exclusive(void **state)
{
    (void)state;
    struct error err = {0};
    int first = clock_state_lock(dir, &err);
    assert_true(first >= 0);
    assert_int_equal(clock_state_lock(dir, &err), -EWOULDBLOCK);
    file_unlock(first);
    int second = clock_state_lock(dir, &err);
    assert_true(second >= 0);
    file_unlock(second);
}

/* ---- records ------------------------------------------------------------- */

#define RECORD                                                                                     \
    "{\"v\":1,\"boot\":\"%s\",\"raw\":%lld,\"real\":7000000000,\"err\":1,\"ppm\":50,"              \
    "\"synced\":true,\"heard\":{}}"

static void add_record(struct kv_list *list, const char *key, const char *boot, int64_t raw_us)
{
    char text[400];
    int len = snprintf(text, sizeof text, RECORD, boot, (long long)raw_us);
    assert_int_equal(kv_add(list, key, text, (size_t)len, 1), 0);
}

static void only_records_of_participants_count(void **state)
{
    (void)state;
    struct kv_list list = {0};
    struct verdict damaged = {0};
    struct local_clock_reading at;
    begin(&kept, 3);
    add_record(&list, CLOCK_RECORD_PREFIX "n1", kept.boot, 5);
    add_record(&list, CLOCK_RECORD_PREFIX "n2", "b+0", 6);
    add_record(&list, CLOCK_RECORD_PREFIX "n3/x", "b+0", 7);
    add_record(&list, CLOCK_RECORD_PREFIX "n10", "b+0", 8);
    add_record(&list, "lictor/n3", "b+0", 9);
    add_record(&list, "n3", "b+0", 9);
    assert_int_equal(kv_add(&list, CLOCK_RECORD_PREFIX "n11", "x", 1, 1), 0);
    at = now();
    assert_int_equal(clock_state_receive(&kept, &list, &at, &damaged), 1);
    assert_string_equal(kept.offsets.server[0].boot, "");
    assert_string_equal(kept.offsets.server[1].boot, "b+0");
    assert_int_equal(kept.offsets.server[1].heard_us, at.raw_us);
    assert_string_equal(kept.offsets.server[2].boot, "");
    assert_string_equal(damaged.details, "");
    at = now();
    assert_int_equal(clock_state_receive(&kept, &list, &at, NULL), 0);
    kv_release(&list);
}

static void a_damaged_record_is_named(void **state)
{
    (void)state;
    struct kv_list list = {0};
    struct verdict damaged = {0};
    const struct local_clock_reading at = now();
    begin(&kept, 3);
    assert_int_equal(kv_add(&list, CLOCK_RECORD_PREFIX "n2", "x", 1, 1), 0);
    add_record(&list, CLOCK_RECORD_PREFIX "n3", "b+0", -1);
    assert_int_equal(clock_state_receive(&kept, &list, &at, NULL), 0);
    assert_int_equal(clock_state_receive(&kept, &list, &at, &damaged), 0);
    assert_string_equal(damaged.details,
                        "lictor/clock/n2 cannot be used: is not JSON\n"
                        "lictor/clock/n3 cannot be used: \"raw\" is out of its range\n");
    kv_release(&list);
}

/* Of two runs side by side the one with the older list may come second. */
static void an_older_list_is_passed_by(void **state)
{
    (void)state;
    struct kv_list older = {0};
    struct kv_list newer = {0};
    struct local_clock_reading first = now();
    struct local_clock_reading second = first;
    begin(&kept, 3);
    second.raw_us += 1000;
    add_record(&older, CLOCK_RECORD_PREFIX "n2", "b+0", 6);
    add_record(&newer, CLOCK_RECORD_PREFIX "n2", "b+0", 7);
    assert_int_equal(clock_state_receive(&kept, &newer, &second, NULL), 1);
    assert_int_equal(clock_state_receive(&kept, &older, &first, NULL), 0);
    assert_int_equal(kept.offsets.server[1].record.raw_us, 7);
    kv_release(&older);
    kv_release(&newer);
}

static void going_on_keeps_the_participants(void **state)
{
    (void)state;
    struct kv_list list = {0};
    struct local_clock_reading at = now();
    begin(&kept, 3);
    add_record(&list, CLOCK_RECORD_PREFIX "n2", "b+0", 6);
    assert_int_equal(clock_state_receive(&kept, &list, &at, NULL), 1);
    at = now();
    clock_state_begin(&kept, NULL, 0, &at);
    assert_int_equal(kept.offsets.n, 3);
    assert_int_equal(kept.offsets.self, 0);
    assert_string_equal(kept.offsets.server[1].boot, "b+0");
    kv_release(&list);
}

/* ---- the own record ------------------------------------------------------ */

/* What stands under our key, one heartbeat after the other: o ours, b the one before,
 * r an older one of ours (a snapshot was restored), x another boot, g garbage, - nothing.
 * The answer of each: ! somebody else writes, . nothing to say. */
static const struct own_row {
    const char *found, *said;
} own_rows[] = {
    {"-ooo", "...."},           {"oob", "..."},           {"oroo", "...."},
    {"ogoo", "...."},           {"oxxo", "..!!"},         {"oxxoooo", "..!!!.."},
    {"oxoxox", "......"},       {"xxxx", ".!!!"},         {"xxooox", ".!!!.!"},
    {"oggoooooo", "..!!!...."}, {"xx------", ".!!!...."}, {"rroooo", ".!!!.."},
};

static void put_own(struct kv_list *list, const struct clock_state *h, char what)
{
    if (what == 'o')
        add_record(list, CLOCK_RECORD_PREFIX "n1", h->boot, 2000);
    else if (what == 'b')
        add_record(list, CLOCK_RECORD_PREFIX "n1", h->boot, 1000);
    else if (what == 'r')
        add_record(list, CLOCK_RECORD_PREFIX "n1", h->boot, 500);
    else if (what == 'x')
        add_record(list, CLOCK_RECORD_PREFIX "n1", "foreign+0", 2000);
    else if (what == 'g')
        assert_int_equal(kv_add(list, CLOCK_RECORD_PREFIX "n1", "x", 1, 1), 0);
}

static void somebody_else_under_our_name_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(own_rows); i++) {
        const struct own_row *row = &own_rows[i];
        char said[16] = "";
        begin(&kept, 3);
        kept.sent_us[0] = 2000;
        kept.sent_us[1] = 1000;
        for (size_t at = 0; row->found[at]; at++) {
            struct kv_list list = {0};
            put_own(&list, &kept, row->found[at]);
            said[at] = clock_state_check_own(&kept, &list) ? '!' : '.';
            kv_release(&list);
        }
        print_message("  %s\n", row->found);
        assert_string_equal(said, row->said);
    }
}

/* Who has no memory of what it wrote cannot tell. */
static void a_lost_state_accuses_nobody(void **state)
{
    (void)state;
    begin(&kept, 3);
    for (int i = 0; i < 5; i++) {
        struct kv_list list = {0};
        put_own(&list, &kept, 'x');
        assert_false(clock_state_check_own(&kept, &list));
        kv_release(&list);
    }
}

/* ---- NTP servers, notes --------------------------------------------------- */

static void a_measured_offset_ages(void **state)
{
    (void)state;
    const struct local_clock_reading at = {.raw_us = 1000, .real_us = 5000, .err_us = 10};
    struct local_clock_reading stamp = {.raw_us = 10001000, .real_us = 12005000, .err_us = 20};
    begin(&kept, 3);
    assert_false(clock_state_reference(&kept, &stamp).known);
    kept.reference.found = (struct clock_reference){true, -300, 40};
    kept.reference.at = at;
    kept.kernel.ppm = 100;
    struct clock_reference found = clock_state_reference(&kept, &stamp);
    assert_true(found.known);
    assert_int_equal(found.offset_us, -300 + 2000000);       /* set ahead by 2 s meanwhile */
    assert_int_equal(found.err_us, 40 + 10 + 20 + 1000 + 1); /* 10 s at 100 ppm */
}

static void notes_are_added_to_the_verdict(void **state)
{
    (void)state;
    const struct skew_limits limits = {100000, 500000};
    const struct local_clock_reading at = now();
    struct verdict clocks = {0}, whole = {0};
    char text[VERDICT_OUTPUT + 1];
    begin(&kept, 1);
    clock_state_judge(&kept, &limits, &at, &clocks, &whole);
    assert_memory_equal(&clocks, &whole, sizeof clocks);
    verdict_set(&kept.notes, VERDICT_WARNING, "a CLOCK_ setting is rejected");
    verdict_note(&kept.notes, "CLOCK_SKEW_WARNING: no duration");
    verdict_note(&kept.reference.notes, "ntp1 does not answer");
    clock_state_judge(&kept, &limits, &at, &clocks, &whole);
    verdict_render(&clocks, text);
    assert_string_equal(text, "passing: 1 clock: there is no other to compare it with\n");
    verdict_render(&whole, text);
    assert_string_equal(text, "warning: 1 clock: there is no other to compare it with; "
                              "a CLOCK_ setting is rejected\n"
                              "CLOCK_SKEW_WARNING: no duration\nntp1 does not answer\n");
}

static int clean(void **state)
{
    char path[64];
    (void)state;
    (void)unlink(state_file());
    (void)snprintf(path, sizeof path, "%s/clock.lock", dir);
    (void)unlink(path);
    return rmdir(dir);
}

int main(void)
{
    if (!mkdtemp(dir) || setenv("LICTOR_LIMITS", "lock=50ms", 1) < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lock_is_exclusive),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(it_is_as_small_as_it_can_be),
        cmocka_unit_test(a_damaged_file_is_dropped),
        cmocka_unit_test(of_another_boot_it_is_dropped),
        cmocka_unit_test(from_the_future_it_is_dropped),
        cmocka_unit_test(only_records_of_participants_count),
        cmocka_unit_test(a_damaged_record_is_named),
        cmocka_unit_test(an_older_list_is_passed_by),
        cmocka_unit_test(going_on_keeps_the_participants),
        cmocka_unit_test(somebody_else_under_our_name_is_noticed),
        cmocka_unit_test(a_lost_state_accuses_nobody),
        cmocka_unit_test(a_measured_offset_ages),
        cmocka_unit_test(notes_are_added_to_the_verdict),
    };
    return cmocka_run_group_tests_name("clock_state", tests, NULL, clean);
}
