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

#define SERVER_NUMBERS 18

static void server_numbers(struct offsets_server *server, int64_t *ret[SERVER_NUMBERS])
{
    int64_t *const all[SERVER_NUMBERS] = {
        &server->round_us,      &server->record.raw_us,      &server->record.real_us,
        &server->record.err_us, &server->heard_us,           &server->peer.raw_us,
        &server->peer.real_us,  &server->peer.err_us,        &server->own.raw_us,
        &server->own.real_us,   &server->own.err_us,         &server->reference.offset_us,
        &server->shown_us,      &server->peer_moved_us,      &server->own_moved_us,
        &server->ppm,           &server->shown_reference_us, &server->reference.err_us,
    };
    memcpy(ret, all, sizeof all);
}

/* Every member that is kept gets a value of its own, in its range. */
static void fill_server(struct offsets_server *server, int64_t seed, int64_t now_us)
{
    int64_t *numbers[SERVER_NUMBERS];
    server_numbers(server, numbers);
    for (int i = 0; i < SERVER_NUMBERS; i++)
        *numbers[i] = seed * 100 + i;
    (void)snprintf(server->boot, sizeof server->boot, "boot-%d+0", (int)seed);
    server->shown_us = -OFFSETS_MOST;
    server->record.real_us = OFFSETS_MOST;
    server->ppm = LOCAL_CLOCK_PPM_LEAST + seed;
    server->synced = seed % 2;
    server->wrong = seed % 3 == 0;
    server->reference.known = seed % 2 == 0;
    server->rounds.n = (int)seed % (OFFSET_BOUND_ROUNDS + 1);
    for (int i = 0; i < server->rounds.n; i++)
        server->rounds.round[i] = (struct offset_bound_round){i + 1, OFFSETS_MOST - 99,
                                                              OFFSETS_MOST - i, now_us - i};
}

static void fill_pair(struct offsets_pair *pair, int seed)
{
    pair->warning = (struct offsets_beyond){seed % 3, seed + 1};
    pair->critical = (struct offsets_beyond){(seed + 1) % 3, seed + 2};
    pair->shown_us = -seed;
    pair->bound_us = seed + 3;
}

static void fill_state(struct clock_state *h, int64_t now_us)
{
    struct offsets *offsets = &h->offsets;
    h->at_us = now_us;
    h->sent_us[0] = 1234567;
    h->sent_us[1] = 1234566;
    h->foreign = 2;
    h->reference = (struct clock_state_reference){
        .asked_us = 5, .found = {true, -300, 40}, .at = {1000, OFFSETS_MOST, 10}, .shown_us = 70};
    (void)snprintf(h->reference.servers, 10, "ntp1:123");
    verdict_note(&h->reference.notes, "ntp1 does not \"answer\"");
    verdict_set(&h->said, VERDICT_CRITICAL, "said \\ so");
    verdict_set(&h->notes, VERDICT_WARNING, "reason");
    verdict_note(&h->notes, "a note");
    verdict_note(&h->notes, "another");
    offsets->limits = (struct skew_limits){100000, 500000};
    offsets->proven_us = 17;
    offsets->standing = OFFSETS_DIFFERED;
    (void)snprintf(offsets->agreed, sizeof offsets->agreed, "3 clocks agree");
    for (int i = 0; i < offsets->n; i++)
        fill_server(&offsets->server[i], i + 1, now_us);
    for (int i = 0; i < offsets->n * (offsets->n - 1) / 2; i++)
        fill_pair(&offsets->pair[i], i);
}

static void expect_equal_server(struct offsets_server *a, struct offsets_server *b)
{
    int64_t *x[SERVER_NUMBERS];
    int64_t *y[SERVER_NUMBERS];
    server_numbers(a, x);
    server_numbers(b, y);
    for (int i = 0; i < SERVER_NUMBERS; i++)
        assert_int_equal(*x[i], *y[i]);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->boot, b->boot);
    assert_int_equal(a->synced, b->synced);
    assert_int_equal(a->wrong, b->wrong);
    assert_int_equal(a->reference.known, b->reference.known);
    assert_int_equal(a->rounds.n, b->rounds.n);
    assert_memory_equal(a->rounds.round, b->rounds.round,
                        (size_t)a->rounds.n * sizeof a->rounds.round[0]);
}

static void expect_equal_pair(const struct offsets_pair *a, const struct offsets_pair *b)
{
    assert_int_equal(a->warning.records, b->warning.records);
    assert_int_equal(a->warning.end_us, b->warning.end_us);
    assert_int_equal(a->critical.records, b->critical.records);
    assert_int_equal(a->critical.end_us, b->critical.end_us);
    assert_int_equal(a->shown_us, b->shown_us);
    assert_int_equal(a->bound_us, b->bound_us);
}

static void expect_equal_verdict(const struct verdict *a, const struct verdict *b)
{
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->summary, b->summary);
    assert_string_equal(a->details, b->details);
}

static void expect_equal(struct clock_state *a, struct clock_state *b)
{
    assert_string_equal(a->node, b->node);
    assert_int_equal(a->at_us, b->at_us);
    assert_memory_equal(a->sent_us, b->sent_us, sizeof a->sent_us);
    assert_int_equal(a->foreign, b->foreign);
    assert_memory_equal(&a->reference, &b->reference,
                        offsetof(struct clock_state_reference, notes));
    expect_equal_verdict(&a->reference.notes, &b->reference.notes);
    expect_equal_verdict(&a->notes, &b->notes);
    expect_equal_verdict(&a->said, &b->said);
    assert_string_equal(a->offsets.boot, b->offsets.boot);
    assert_memory_equal(&a->offsets.limits, &b->offsets.limits, sizeof a->offsets.limits);
    assert_memory_equal(&a->offsets.own, &b->offsets.own, sizeof a->offsets.own);
    assert_int_equal(a->offsets.standing, b->offsets.standing);
    assert_int_equal(a->offsets.proven_us, b->offsets.proven_us);
    assert_string_equal(a->offsets.agreed, b->offsets.agreed);
    assert_int_equal(a->offsets.n, b->offsets.n);
    for (int i = 0; i < a->offsets.n; i++)
        expect_equal_server(&a->offsets.server[i], &b->offsets.server[i]);
    for (int i = 0; i < a->offsets.n * (a->offsets.n - 1) / 2; i++)
        expect_equal_pair(&a->offsets.pair[i], &b->offsets.pair[i]);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const int sizes[] = {0, 1, 3, OFFSETS_SERVERS};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        begin(&kept, sizes[i]);
        write_state(&kept);
        assert_true(can_be_read());
        expect_equal(&kept, &again);
        fill_state(&kept, now().raw_us);
        write_state(&kept);
        assert_true(can_be_read());
        assert_int_equal(again.offsets.n, sizes[i]);
        expect_equal(&kept, &again);
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

/* The largest there can be: 51 servers, every number as long as it gets. */
static void the_largest_fits(void **state)
{
    (void)state;
    begin(&kept, OFFSETS_SERVERS);
    fill_state(&kept, now().raw_us);
    for (int i = 0; i < OFFSETS_SERVERS; i++) {
        kept.offsets.server[i].rounds.n = OFFSET_BOUND_ROUNDS;
        for (int n = 0; n < OFFSET_BOUND_ROUNDS; n++)
            kept.offsets.server[i].rounds.round[n] = (struct offset_bound_round){
                1, OFFSETS_MOST, OFFSETS_MOST, kept.at_us};
        memset(kept.offsets.server[i].boot, 'b', LOCAL_CLOCK_BOOT - 1);
    }
    for (int i = 0; i < OFFSETS_PAIRS; i++)
        kept.offsets.pair[i].bound_us = kept.offsets.pair[i].shown_us = OFFSETS_MOST;
    memset(kept.said.details, '\n', sizeof kept.said.details - 1);
    memset(kept.notes.details, '\n', sizeof kept.notes.details - 1);
    memset(kept.reference.servers, '"', sizeof kept.reference.servers - 1);
    write_state(&kept);
    assert_true(can_be_read());
    expect_equal(&kept, &again);
}

/* What could not be read again, such as twice 2^53 us, is written as the most that can. */
static void no_number_makes_it_unreadable(void **state)
{
    (void)state;
    begin(&kept, 3);
    fill_state(&kept, now().raw_us);
    kept.offsets.server[1].peer_moved_us = 2 * OFFSETS_MOST;
    kept.offsets.server[1].own_moved_us = -2 * OFFSETS_MOST;
    kept.offsets.pair[2].bound_us = INT64_MAX;
    write_state(&kept);
    assert_true(can_be_read());
    assert_int_equal(again.offsets.server[1].peer_moved_us, OFFSETS_MOST);
    assert_int_equal(again.offsets.server[1].own_moved_us, -OFFSETS_MOST);
    assert_int_equal(again.offsets.pair[2].bound_us, OFFSETS_MOST);
}

/* ---- a file that is damaged, old or somebody's ---------------------------- */

static char *file_text(void)
{
    struct error err = {0};
    struct buffer text = BUFFER_INIT(1U << 20);
    assert_int_equal(file_read(state_file(), &text, &err), 0);
    return buffer_detach(&text);
}

static void put_file(const char *bytes, size_t len)
{
    struct error err = {0};
    assert_int_equal(file_replace(state_file(), bytes, len, 0600, false, &err), 0);
}

static void a_cut_file_is_dropped(void **state)
{
    (void)state;
    begin(&kept, 3);
    fill_state(&kept, now().raw_us);
    write_state(&kept);
    char *text = file_text();
    for (size_t len = 0; len < strlen(text); len++) {
        put_file(text, len);
        assert_false(can_be_read());
    }
    put_file(text, strlen(text));
    assert_true(can_be_read());
    put_file(text, strlen(text) + 1); /* with its NUL */
    assert_false(can_be_read());
    free(text);
}

/* Bytes that chance has changed: dropped, or every value is one that can be judged. */
static void a_damaged_file_does_no_harm(void **state)
{
    (void)state;
    const struct skew_limits limits = {100000, 500000};
    static const char bytes[] = "0123456789-.,:[]{}\"\\entfu \x01\xff";
    unsigned random = 7;
    int used = 0;
    begin(&kept, 3);
    fill_state(&kept, now().raw_us);
    write_state(&kept);
    char *text = file_text();
    const size_t len = strlen(text);
    for (int i = 0; i < 4000; i++) {
        char *copy = strdup(text);
        for (int k = 0; k <= i % 3; k++) {
            random = random * 1103515245U + 12345U;
            copy[(random >> 8) % len] = bytes[(random >> 4) % (sizeof bytes - 1)];
        }
        put_file(copy, len);
        free(copy);
        if (can_be_read()) {
            const struct local_clock_reading at = now();
            struct verdict clocks = {0}, whole = {0};
            used++;
            (void)clock_state_begin(&again, NULL, 0, &at);
            (void)clock_state_reference(&again, &at);
            clock_state_judge(&again, &limits, &at, &clocks, &whole);
        }
    }
    assert_in_range(used, 100, 3999);
    free(text);
}

/* `with` in the place of the first `what` after `where` (NULL: from the beginning). */
static void put_changed(const char *text, const char *where, const char *what, const char *with)
{
    struct buffer changed = BUFFER_INIT(1U << 20);
    const char *from = where ? strstr(text, where) : text;
    const char *at = from ? strstr(from, what) : NULL;
    if (!at) {
        fail_msg("no %s after %s in %s", what, where ? where : "the beginning", text);
        return;
    }
    assert_int_equal(buffer_append(&changed, text, (size_t)(at - text)), 0);
    assert_int_equal(buffer_append(&changed, with, strlen(with)), 0);
    assert_int_equal(buffer_append(&changed, at + strlen(what), strlen(at + strlen(what))), 0);
    put_file(changed.data, changed.len);
    buffer_release(&changed);
}

static const struct changed_row {
    const char *where, *what, *with;
    bool taken;
} changed_rows[] = {
    /* Another release. */
    {NULL, "\"node\":", "\"later\":[{}],\"node\":", true},
    {"servers\":[", "{\"name\"", "{\"later\":1,\"name\"", true},
    {NULL, "\"foreign\":2,", "", true},
    {NULL, ",\"said\":{\"status\":2,\"summary\":\"said \\\\ so\",\"details\":\"\"}", "", true},
    {NULL, "\"version\":1", "\"version\":2", false},
    /* Types, ranges, lengths. */
    {NULL, "\"node\":\"n1\"", "\"node\":1", false},
    {NULL, "\"node\":\"n1\"", "\"node\":\"n\\n1\"", false},
    {NULL, "\"foreign\":2", "\"foreign\":5", false},
    {NULL, "\"foreign\":2", "\"foreign\":-1", false},
    {NULL, "\"foreign\":2", "\"foreign\":3000000000", false},
    {NULL, "\"sent\":[1234567,1234566]", "\"sent\":[1234567]", false},
    {NULL, "\"sent\":[1234567,1234566]", "\"sent\":[1,2,3]", false},
    {NULL, "\"sent\":[1234567,1234566]", "\"sent\":[1,-2]", false},
    {NULL, "\"sent\":[1234567,1234566]", "\"sent\":[1,1.5]", false},
    {NULL, "\"at\":", "\"at\":9", false},
    {"\"reference\"", "\"asked\":5", "\"asked\":9000000000000000", false},
    {"\"reference\"", "\"at\":[1000", "\"at\":[9000000000000000", false},
    {"\"reference\"", "\"err\":40", "\"err\":-40", false},
    {"\"reference\"", "\"known\":true", "\"known\":1", false},
    {"\"reference\"", "\"offset\":-300", "\"offset\":1e17", false},
    {NULL, "\"status\":2", "\"status\":3", false},
    {NULL, "\"status\":2", "\"status\":\"2\"", false},
    {NULL, "a note\\n", "a note\\u001b[31m\\n", false},
    {NULL, "another\\n", "another", false},
    {NULL, "\"standing\":2", "\"standing\":3", false},
    {NULL, "\"standing\":2", "\"standing\":-1", false},
    {NULL, "\"servers\":[", "\"servers\":[{},", false},
    {NULL, "\"servers\":[", "\"servers\":[1,", false},
    {"\"rounds\":[", "]", ",1]", false},
    {NULL, "\"rounds\":[", "\"rounds\":[1,2,3,-1,", false},
    {"\"pairs\":[", "]", ",1]", false},
    {NULL, "\"pairs\":[0,", "\"pairs\":[3,", false},
    {NULL, "\"pairs\":[0,", "\"pairs\":[4294967296,", false},
    {NULL, "\"n3\"", "\"n2\"", false},
};

static void a_changed_file_is_taken_or_dropped(void **state)
{
    (void)state;
    begin(&kept, 3);
    fill_state(&kept, now().raw_us);
    write_state(&kept);
    char *text = file_text();
    for (size_t i = 0; i < COUNT(changed_rows); i++) {
        const struct changed_row *row = &changed_rows[i];
        put_changed(text, row->where, row->what, row->with);
        if (can_be_read() != row->taken)
            fail_msg("%s -> %s", row->what, row->with);
        if (!row->taken) /* nothing of it is left */
            assert_true(again.at_us == 0 && again.offsets.n == 0 && !again.said.summary[0]);
    }
    free(text);
}

/* Up to 0.1.0: a digest with its NUL, then the struct as it was in memory. */
static void what_old_releases_wrote_is_dropped(void **state)
{
    (void)state;
    static char bytes[20000] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    begin(&kept, 3);
    memcpy(bytes + 65, &kept, sizeof bytes - 65);
    put_file(bytes, sizeof bytes);
    assert_false(can_be_read());
    put_file("{}", 2);
    assert_false(can_be_read());
    put_file("null", 4);
    assert_false(can_be_read());
}

/* More than anybody has a right to, and deep. */
static void a_huge_file_is_dropped(void **state)
{
    (void)state;
    const size_t len = 4U << 20;
    char *text = malloc(len);
    assert_non_null(text);
    begin(&kept, 3);
    for (int i = 0; i < 2; i++) {
        memset(text, i ? '[' : ' ', len);
        put_file(text, i ? 100000 : len);
        assert_false(can_be_read());
    }
    free(text);
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
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(no_number_makes_it_unreadable),
        cmocka_unit_test(a_cut_file_is_dropped),
        cmocka_unit_test(a_damaged_file_does_no_harm),
        cmocka_unit_test(a_changed_file_is_taken_or_dropped),
        cmocka_unit_test(what_old_releases_wrote_is_dropped),
        cmocka_unit_test(a_huge_file_is_dropped),
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
