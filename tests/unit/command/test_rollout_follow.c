/* SPDX-License-Identifier: MIT */
#include "command/rollout_follow.h"

#include "test.h"

#define R1 "4f2a91aaaaaaaaaa"
#define R0 "9c01d2bbbbbbbbbb"

static const struct server_record done = {.revision = R1, .state = SERVER_RECORD_DONE};
static const struct server_record before = {.revision = R0, .state = SERVER_RECORD_DONE};
static const struct server_record applying = {.revision = R1, .state = SERVER_RECORD_APPLYING};
static const struct server_record rejected = {
    .revision = R1, .state = SERVER_RECORD_FAILED, .reason = "no such module"};
static const struct server_record rejected_before = {
    .revision = R0, .state = SERVER_RECORD_FAILED, .reason = "no such module"};

static const struct row {
    const struct server_record *record[3];
    bool dead[3];
    enum rollout_follow_state state;
    const char *text;
} rows[] = {
    {{&done, &done, &done}, {0}, ROLLOUT_FOLLOW_DONE, "3 of 3 servers on revision 4f2a91"},
    {{&done, &applying, &before},
     {0},
     ROLLOUT_FOLLOW_WAITS,
     "1 of 3 servers on revision 4f2a91, waiting for n2, n3"},
    {{&done, NULL, &done},
     {0},
     ROLLOUT_FOLLOW_WAITS,
     "2 of 3 servers on revision 4f2a91, waiting for n2"},
    {{&done, &rejected_before, &done},
     {0},
     ROLLOUT_FOLLOW_WAITS,
     "2 of 3 servers on revision 4f2a91, waiting for n2"},
    {{&done, &rejected, &before},
     {0},
     ROLLOUT_FOLLOW_FAILED,
     "n2 rejected revision 4f2a91: no such module"},
    /* A dead server is not waited for, but what it has rejected is rejected. */
    {{&done, &before, &done},
     {false, true},
     ROLLOUT_FOLLOW_DONE,
     "2 of 2 servers on revision 4f2a91"},
    {{&done, &rejected, &done},
     {false, true},
     ROLLOUT_FOLLOW_FAILED,
     "n2 rejected revision 4f2a91: no such module"},
    {{&done, &done, &done},
     {true, true, true},
     ROLLOUT_FOLLOW_WAITS,
     "0 of 0 servers on revision 4f2a91"},
};

static void every_row_gets_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const names[] = {"n1", "n2", "n3"};
        struct rolling_server servers[3] = {0};
        char text[ROLLOUT_FOLLOW_TEXT];
        for (int j = 0; j < 3; j++) {
            servers[j].node = names[j];
            servers[j].alive = !rows[i].dead[j];
            servers[j].record = rows[i].record[j];
        }
        assert_int_equal(rollout_follow_judge(servers, 3, R1, text), rows[i].state);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_gets_its_answer)};
    return cmocka_run_group_tests_name("rollout_follow", tests, NULL, NULL);
}
