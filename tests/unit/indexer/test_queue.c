/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "indexer/queue.h"
#include "indexer/queue_reader.h"
#include "test.h"

#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>

static char base[] = "/tmp/lictor-queue-XXXXXX";
static char dir[100];
static int round_number;

/* ---- lines --------------------------------------------------------------- */

static void a_line_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const struct queue_line lines[] = {
        {1, QUEUE_LINE_NEW, "id\t{}", 5},
        {123456789012345678, QUEUE_LINE_AGAIN, "~1-2-3-4\t{\"a b\":1}", 18},
        {7, QUEUE_LINE_OURS, "probe-x\t", 8},
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct buffer text = BUFFER_INIT(1000);
        struct queue_line back;
        assert_int_equal(queue_line_append(&text, &lines[i]), 0);
        assert_int_equal(text.data[text.len - 1], '\n');
        assert_true(queue_line_parse(text.data, text.len - 1, &back));
        assert_int_equal(back.number, lines[i].number);
        assert_int_equal(back.kind, lines[i].kind);
        assert_int_equal(back.len, lines[i].len);
        assert_memory_equal(back.record, lines[i].record, back.len);
        buffer_release(&text);
    }
}

/* Whichever byte of it is another one, or missing. */
static void a_damaged_line_is_none(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT(1000);
    struct queue_line line = {12, QUEUE_LINE_NEW, "id\t{\"message\":\"page\"}", 21};
    assert_int_equal(queue_line_append(&text, &line), 0);
    const size_t len = text.len - 1;
    for (size_t i = 0; i < len; i++) {
        const char was = text.data[i];
        assert_false(queue_line_parse(text.data, i, &line));
        for (int bit = 1; bit < 256; bit *= 2) {
            text.data[i] = (char)(was ^ bit);
            if (queue_line_parse(text.data, len, &line))
                fail_msg("byte %zu, bit %d", i, bit);
        }
        text.data[i] = was;
    }
    assert_true(queue_line_parse(text.data, len, &line));
    buffer_release(&text);
}

static void a_file_is_called_by_a_number(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "lock",
                                         "state",
                                         "1",
                                         "00000000000000000x",
                                         "damaged-000000000000000001",
                                         "0000000000000000001"};
    char name[QUEUE_NAME];
    queue_line_name(42, name);
    assert_string_equal(name, "000000000000000042");
    assert_int_equal(queue_line_number(name), 42);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(queue_line_number(others[i]), -1);
}

/* ---- both sides ---------------------------------------------------------- */

static int fresh(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/%d", base, ++round_number);
    return 0;
}

static void open_queue(struct queue *q, uint64_t limit)
{
    struct error err = {0};
    if (queue_open(q, dir, limit, 0, &err) < 0)
        fail_msg("%s", err.text);
}

static void add(struct queue *q, int n)
{
    char record[40];
    struct error err = {0};
    const int len = snprintf(record, sizeof record, "id-%d\t{\"n\":%d}", n, n);
    if (queue_add(q, QUEUE_LINE_NEW, record, (size_t)len, &err) < 0)
        fail_msg("%d: %s", n, err.text);
}

/* All that is there. Returns how many. */
static size_t read_all(struct queue_reader *r, struct bulk *bulk)
{
    struct error err = {0};
    if (queue_reader_fill(r, bulk, 100000, 1U << 30, &err) < 0)
        fail_msg("%s", err.text);
    return bulk->n;
}

static void what_was_added_is_read(void **state)
{
    (void)state;
    struct queue q;
    struct bulk bulk = {.n = 0};
    struct queue_reader r = QUEUE_READER_INIT;
    open_queue(&q, 0);
    queue_reader_open(&r, dir);
    assert_int_equal(read_all(&r, &bulk), 0);
    for (int n = 1; n <= 10; n++) {
        add(&q, n);
        assert_int_equal(read_all(&r, &bulk), n);
    }
    assert_string_equal(bulk.text.data, "id-1");
    assert_int_equal(queue_reader_done(&r, q.next - 1, NULL), 0);
    queue_reader_close(&r);
    queue_close(&q);
    bulk_clear(&bulk);
    /* Both begin where they were. */
    open_queue(&q, 0);
    assert_int_equal(q.next, 11);
    r = QUEUE_READER_INIT;
    queue_reader_open(&r, dir);
    assert_int_equal(read_all(&r, &bulk), 0);
    add(&q, 11);
    assert_int_equal(read_all(&r, &bulk), 1);
    assert_int_equal(r.missed, 0);
    queue_reader_close(&r);
    queue_close(&q);
    bulk_release(&bulk);
}

/* Half a line was never confirmed. */
static void half_a_line_goes(void **state)
{
    (void)state;
    char path[200];
    struct queue q;
    struct bulk bulk = {.n = 0};
    struct queue_reader r = QUEUE_READER_INIT;
    open_queue(&q, 0);
    add(&q, 1);
    queue_close(&q);
    queue_file_path(dir, 1, path, sizeof path);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    (void)fputs("2 0123", file);
    assert_int_equal(fclose(file), 0);
    open_queue(&q, 0);
    assert_int_equal(q.next, 2);
    add(&q, 2);
    queue_reader_open(&r, dir);
    assert_int_equal(read_all(&r, &bulk), 2);
    assert_int_equal(r.missed, 0);
    queue_reader_close(&r);
    queue_close(&q);
    bulk_release(&bulk);
}

/* The files of what has arrived go; the limit holds until then. */
static void a_limit_holds(void **state)
{
    (void)state;
    struct queue q;
    struct bulk bulk = {.n = 0};
    struct queue_reader r = QUEUE_READER_INIT;
    int n = 0;
    open_queue(&q, 4096);
    while (queue_add(&q, QUEUE_LINE_NEW, "id\t{}", 5, NULL) == 0)
        n++;
    assert_in_range(n, 100, 150);
    assert_int_equal(queue_add(&q, QUEUE_LINE_NEW, "id\t{}", 5, NULL), -EFBIG);
    queue_reader_open(&r, dir);
    assert_int_equal(read_all(&r, &bulk), n);
    assert_int_equal(queue_reader_done(&r, q.next - 1, NULL), 0);
    assert_int_equal(queue_add(&q, QUEUE_LINE_NEW, "id\t{}", 5, NULL), 0);
    queue_all_read(&q, true);
    assert_true(queue_file_after(dir, -1) > 0); /* it is little */
    queue_reader_close(&r);
    queue_close(&q);
    bulk_release(&bulk);
}

/* Each start begins a file: what was read then stays until there is enough of it. */
static void what_was_read_last_stays(void **state)
{
    (void)state;
    struct queue q;
    struct bulk bulk = {.n = 0};
    struct queue_reader r = QUEUE_READER_INIT;
    int64_t first = 0;
    for (int n = 0; n < 20; n++) {
        open_queue(&q, 0);
        assert_int_equal(queue_add(&q, QUEUE_LINE_NEW, "id\t{}", 5, NULL), 0);
        first = first ? first : q.next - 1;
        queue_close(&q);
    }
    queue_reader_open(&r, dir);
    r.keep = 200;
    assert_int_equal(read_all(&r, &bulk), 20);
    assert_int_equal(queue_reader_done(&r, first + 19, NULL), 0);
    const int64_t left = queue_file_after(dir, -1);
    assert_in_range(left, first + 10, first + 15);
    queue_reader_close(&r);
    bulk_clear(&bulk);
    r = QUEUE_READER_INIT;
    queue_reader_open(&r, dir);
    queue_reader_rewind(&r, 1U << 20);
    assert_int_equal(read_all(&r, &bulk), first + 20 - left);
    queue_reader_close(&r);
    bulk_clear(&bulk);
    r = QUEUE_READER_INIT;
    queue_reader_open(&r, dir);
    queue_reader_rewind(&r, 60);
    assert_in_range(read_all(&r, &bulk), 2, 3);
    queue_reader_close(&r);
    bulk_release(&bulk);
}

/* On a full disk what has arrived goes, when it is much. */
static void what_has_arrived_makes_room(void **state)
{
    (void)state;
    static char record[2000000] = "id\t";
    struct queue q;
    struct bulk bulk = {.n = 0};
    struct queue_reader r = QUEUE_READER_INIT;
    memset(record + 3, 'x', sizeof record - 3);
    open_queue(&q, 0);
    for (int n = 0; n < 3; n++)
        assert_int_equal(queue_add(&q, QUEUE_LINE_NEW, record, sizeof record, NULL), 0);
    queue_reader_open(&r, dir);
    assert_int_equal(read_all(&r, &bulk), 3);
    assert_int_equal(queue_reader_done(&r, q.next - 1, NULL), 0);
    queue_all_read(&q, true);
    assert_int_equal(queue_file_after(dir, -1), -1);
    queue_reader_close(&r);
    queue_close(&q);
    bulk_release(&bulk);
}

/* The reader has it open already, and finds what is written to it later. */
static void a_file_without_a_line_stays(void **state)
{
    (void)state;
    static char record[6000000] = "id\t";
    struct rlimit none, before;
    struct queue q;
    struct bulk bulk = {.n = 0};
    struct queue_reader r = QUEUE_READER_INIT;
    memset(record + 3, 'x', sizeof record - 3);
    open_queue(&q, 0);
    assert_int_equal(queue_add(&q, QUEUE_LINE_NEW, record, sizeof record, NULL), 0);
    queue_all_read(&q, false); /* so the next one is in a new file */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(queue_add(&q, QUEUE_LINE_NEW, "id\t{}", 5, NULL), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    r.keep = 8U << 20;
    queue_reader_open(&r, dir);
    assert_int_equal(read_all(&r, &bulk), 1);
    assert_int_equal(queue_reader_done(&r, q.next - 1, NULL), 0);
    bulk_clear(&bulk);
    assert_int_equal(read_all(&r, &bulk), 0); /* it is at the new file now */
    queue_all_read(&q, true);
    assert_int_equal(queue_add(&q, QUEUE_LINE_NEW, "id\t{}", 5, NULL), 0);
    assert_int_equal(read_all(&r, &bulk), 1);
    queue_reader_close(&r);
    queue_close(&q);
    bulk_release(&bulk);
}

/* One process at a time adds to it. */
static void it_is_locked(void **state)
{
    (void)state;
    struct queue q, other;
    open_queue(&q, 0);
    assert_int_equal(queue_open(&other, dir, 0, 0, NULL), -EWOULDBLOCK);
    queue_close(&q);
    open_queue(&other, 0);
    queue_close(&other);
}

/* Of files with damaged lines the newest stay, for whoever wants to look. */
static void what_is_damaged_is_put_aside(void **state)
{
    (void)state;
    char path[200];
    struct queue q;
    struct bulk bulk = {.n = 0};
    struct queue_reader r = QUEUE_READER_INIT;
    for (int n = 1; n <= 2 * QUEUE_READER_ASIDE; n++) {
        open_queue(&q, 0);
        add(&q, n);
        queue_close(&q);
        queue_file_path(dir, n, path, sizeof path);
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        (void)fputc('x', file);
        assert_int_equal(fclose(file), 0);
    }
    open_queue(&q, 0);
    add(&q, 0);
    assert_int_equal(queue_state_write(dir, &(struct queue_state){.next = 1}, NULL), 0);
    queue_reader_open(&r, dir);
    assert_int_equal(read_all(&r, &bulk), 1);
    assert_int_equal(r.missed, 2 * QUEUE_READER_ASIDE);
    assert_int_equal(queue_reader_done(&r, q.next - 1, NULL), 0);
    for (int n = 1; n <= 2 * QUEUE_READER_ASIDE; n++) {
        (void)snprintf(path, sizeof path, "%s/damaged-%018d", dir, n);
        assert_int_equal(access(path, F_OK), n > QUEUE_READER_ASIDE ? 0 : -1);
    }
    queue_reader_close(&r);
    queue_close(&q);
    bulk_release(&bulk);
}

static void a_state_that_is_damaged_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"",           "\n",        "1 2 3\n",
                                        "1 2 3 -4\n", "x 2 3 4\n", "99999999999999999999 1 1 x\n"};
    char path[200];
    struct queue_state s = {5, 6, 7, 8}, back;
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(queue_state_write(dir, &s, NULL), 0);
    queue_state_read(dir, &back);
    assert_int_equal(back.next, 5);
    assert_int_equal(back.lost, 8);
    (void)snprintf(path, sizeof path, "%s/state", dir);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(file_replace(path, texts[i], strlen(texts[i]), 0600, false, NULL), 0);
        queue_state_read(dir, &back);
        assert_int_equal(back.next + back.taken + back.arrived + back.lost, 0);
    }
}

/* What is missing may have been counted before the state was lost. */
static void without_a_state_nothing_is_counted_twice(void **state)
{
    (void)state;
    struct queue_state known = {.next = 1, .taken = 3};
    for (int with = 0; with < 2; with++) {
        struct queue q;
        struct bulk bulk = {.n = 0};
        struct queue_reader r = QUEUE_READER_INIT;
        (void)fresh(NULL);
        open_queue(&q, 0);
        add(&q, 1);
        queue_close(&q);
        open_queue(&q, 0);
        q.next = 10;
        add(&q, 10);
        assert_int_equal(with ? queue_state_write(dir, &known, NULL) : 0, 0);
        queue_reader_open(&r, dir);
        assert_int_equal(read_all(&r, &bulk), 2);
        assert_int_equal(r.missed, with ? 8 : 0);
        queue_reader_close(&r);
        queue_close(&q);
        bulk_release(&bulk);
    }
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_read_as_it_was_written),
        cmocka_unit_test(a_damaged_line_is_none),
        cmocka_unit_test(a_file_is_called_by_a_number),
        cmocka_unit_test_setup(what_was_added_is_read, fresh),
        cmocka_unit_test_setup(half_a_line_goes, fresh),
        cmocka_unit_test_setup(a_limit_holds, fresh),
        cmocka_unit_test_setup(what_was_read_last_stays, fresh),
        cmocka_unit_test_setup(what_has_arrived_makes_room, fresh),
        cmocka_unit_test_setup(a_file_without_a_line_stays, fresh),
        cmocka_unit_test_setup(it_is_locked, fresh),
        cmocka_unit_test_setup(what_is_damaged_is_put_aside, fresh),
        cmocka_unit_test_setup(a_state_that_is_damaged_is_none, fresh),
        cmocka_unit_test(without_a_state_nothing_is_counted_twice),
    };
    return cmocka_run_group_tests_name("queue", tests, setup, teardown);
}
