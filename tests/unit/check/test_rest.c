/* SPDX-License-Identifier: MIT */
#include "check/rest.h"

#include "base/boottime.h"
#include "test.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/lictor-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char path[100];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/membership.spans", dir);
    (void)unlink(path);
    return rmdir(dir);
}

/* Members "a1+" (server a1 is alive), "a2-" (it is not), "c1+c" (a client), peers "a1v" (votes),
 * "a2n" (does not), in the order given. */
struct shown {
    const char *name;
    const char *members[4], *peers[4];
    bool moved; /* against the one before */
};

static const struct shown looks[] = {
    {"the first look", {"a1+", "a2+"}, {"a1v", "a2v"}, true},
    {"nothing new", {"a1+", "a2+"}, {"a1v", "a2v"}, false},
    {"in another order", {"a2+", "a1+"}, {"a2v", "a1v"}, false},
    {"a client agent comes", {"a2+", "c1+c", "a1+"}, {"a2v", "a1v"}, false},
    {"a server dies", {"a2-", "a1+"}, {"a2v", "a1v"}, true},
    {"it is taken out of raft", {"a2-", "a1+"}, {"a1v"}, true},
    {"gossip forgets it", {"a1+"}, {"a1v"}, true},
    {"another joins", {"a1+", "a3+"}, {"a1v"}, true},
    {"and waits for its vote", {"a1+", "a3+"}, {"a1v", "a3n"}, true},
    {"and votes", {"a1+", "a3+"}, {"a1v", "a3v"}, true},
    {"raft cannot be read", {"a1+", "a3+"}, {NULL}, true},
    {"still not", {"a1+", "a3+"}, {NULL}, false},
};

static int64_t note(const struct shown *look, const char *state_dir)
{
    char ids[8][8];
    struct agent_member members[4];
    struct agent agent = {.members = members};
    for (size_t i = 0; i < 4 && look->members[i]; i++) {
        const char *word = look->members[i];
        (void)snprintf(ids[i], sizeof ids[i], "%.2s", word);
        members[agent.n_members++] = (struct agent_member){
            .id = ids[i], .alive = word[2] == '+', .server = !word[3]};
    }
    for (size_t i = 0; i < 4 && look->peers[i]; i++) {
        (void)snprintf(ids[4 + i], sizeof ids[0], "%.2s", look->peers[i]);
        agent.peers[agent.n_peers++] = (struct agent_peer){.id = ids[4 + i],
                                                           .voter = look->peers[i][2] == 'v'};
    }
    return rest_note(&agent, state_dir);
}

static void rest_ends_when_a_server_comes_or_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(looks); i++) {
        print_message("  %s\n", looks[i].name);
        boottime_sleep(3);
        assert_int_equal(note(&looks[i], dir) == 0, looks[i].moved);
    }
}

static void rest_grows(void **state)
{
    (void)state;
    assert_int_equal(note(&looks[0], dir), 0);
    boottime_sleep(50);
    assert_in_range(note(&looks[0], dir), 50, 10000);
    boottime_sleep(50);
    assert_in_range(note(&looks[2], dir), 100, 10000);
}

/* Else a text would wait for as long as the disk is full. */
static void without_a_memory_nothing_waits(void **state)
{
    (void)state;
    assert_true(note(&looks[0], "/no/such/directory") == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rest_ends_when_a_server_comes_or_goes, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(rest_grows, make_dir, remove_dir),
        cmocka_unit_test(without_a_memory_nothing_waits),
    };
    return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
