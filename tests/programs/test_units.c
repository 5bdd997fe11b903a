/* SPDX-License-Identifier: MIT */
/* The units in scripts/systemd: does systemd take every line of them, and do they give
 * away no more than they must? scripts/shipper as lictor-rsyslog.service runs it. */
#include "harness.h"

static char place[] = "/tmp/lictor-units-XXXXXX";

static struct outcome shell(const char *command)
{
    char text[4000];
    (void)snprintf(text, sizeof text,
                   "set -e; D=%s; S=" SOURCE_DIR "/scripts/shipper; B=" TEST_BIN "; SD=" SOURCE_DIR
                   "/scripts/systemd; %s",
                   place, command);
    const char *argv[] = {"/bin/bash", "-c", text, NULL};
    return run_tool(NULL, argv, NULL);
}

/* @ in `out` is the place. */
static void expect(const char *command, const char *out)
{
    char wanted[1000];
    const char *at = strchr(out, '@');
    (void)snprintf(wanted, sizeof wanted, "%.*s%s%s", (int)strcspn(out, "@"), out, at ? place : "",
                   at ? at + 1 : "");
    struct outcome o = shell(command);
    if (o.code != 0 || strcmp(o.out, wanted) != 0 || *o.err)
        fail_msg("%s\nended with %d\n%s\n%s", command, o.code, o.out, o.err);
    outcome_release(&o);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(place) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    struct outcome o = shell("touch $D/ended; pkill -KILL -f \"[s]hipper run $D\" || true; "
                             "sleep 0.3; $S stop $D || true; rm -rf --one-file-system $D");
    outcome_release(&o);
    return 0;
}

/* ---- units --------------------------------------------------------------- */

#define INSTALL                                                                                    \
    "mkdir -p $D/units; for u in $SD/*.s*[te]; do sed "                                            \
    "\"s|/usr/libexec/lictor/shipper|$S|; "                                                        \
    "s|/usr/libexec/lictor/apply-logging|$B/apply-logging|\" $u >$D/units/${u##*/}; "              \
    "done; "
#define VERIFY INSTALL "SYSTEMD_UNIT_PATH=$D/units: systemd-analyze --no-pager verify $D/units/*"

static void systemd_takes_every_line(void **state)
{
    (void)state;
    expect(INSTALL "ls $D/units | tr @ +",
           "lictor-apply.socket\nlictor-apply+.service\nlictor-filebeat.service\n"
           "lictor-recover.service\nlictor-rsyslog.service\n");
    expect(VERIFY, "");
}

static void a_wrong_line_would_be_seen(void **state)
{
    (void)state;
    struct outcome o = shell("SD=$D/broken; mkdir $SD; cp " SOURCE_DIR "/scripts/systemd/* $SD; "
                             "sed -i s/^Accept=/Acept=/ $SD/lictor-apply.socket; " VERIFY);
    assert_non_null(strstr(o.err, "Acept"));
    outcome_release(&o);
}

/* systemd's own measure, 0 to 10 times ten; a line that goes missing raises it. */
static void the_units_give_little_away(void **state)
{
    (void)state;
    expect(INSTALL
           "for u in apply@ recover rsyslog filebeat; do systemd-analyze --no-pager security "
           "--offline=true --threshold=20 $D/units/lictor-$u.service >$D/security || "
           "tail -n 1 $D/security; done",
           "");
}

/* What nothing but these lines promises. */
static void what_must_stand_in_them_does(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *line;
    } rows[] = {
        {"lictor-apply.socket", "SocketMode=0600"},
        {"lictor-apply.socket", "Accept=yes"},
        {"lictor-apply.socket", "MaxConnections=1"},
        {"lictor-apply.socket", "TriggerLimitIntervalSec=0"},
        {"lictor-apply@.service", "CollectMode=inactive-or-failed"},
        {"lictor-apply@.service", "User=lictor"},
        {"lictor-apply@.service", "PrivateNetwork=yes"},
        {"lictor-apply@.service", "NoNewPrivileges=yes"},
        {"lictor-apply@.service", "CapabilityBoundingSet="},
        {"lictor-apply@.service", "ProtectSystem=strict"},
        {"lictor-filebeat.service", "User=lictor"},
        {"lictor-filebeat.service", "Restart=always"},
        {"lictor-filebeat.service", "SuccessExitStatus=SIGKILL"},
        {"lictor-filebeat.service", "StartLimitIntervalSec=0"},
        {"lictor-filebeat.service", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"},
        {"lictor-rsyslog.service", "User=lictor"},
        {"lictor-rsyslog.service", "Restart=always"},
        {"lictor-rsyslog.service", "KillSignal=SIGKILL"},
        {"lictor-rsyslog.service", "SuccessExitStatus=SIGKILL"},
        {"lictor-rsyslog.service", "StartLimitIntervalSec=0"},
        {"lictor-recover.service", "User=lictor"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char command[200];
        (void)snprintf(command, sizeof command, "grep -cx '%s' $SD/%s", rows[i].line, rows[i].unit);
        expect(command, "1\n");
    }
}

/* ---- the shipper under a service manager --------------------------------- */

/* Restart=always. A configuration with a number, at once there as apply-logging does it. */
#define MANAGER                                                                                    \
    "(while [ ! -e $D/ended ]; do $S run $D || true; sleep 0.1; done) >/dev/null "                 \
    "2>&1 & "
#define CONF(number)                                                                               \
    "printf '# %s\\nglobal(workDirectory=\"%s/work\")\\naction(type=\"omfile\" "                   \
    "file=\"%s/out\")\\n' " number " $D $D >$D/new; mv $D/new $D/rsyslog.conf; "
#define RUNNING "pgrep -xfc \"/usr/sbin/rsyslogd -n -f $D/rsyslog.conf .*\" || true; "

#define ALIVE "$S alive $D >$D/pid && echo alive; "

static void it_waits_until_there_is_something_to_run(void **state)
{
    (void)state;
    expect(MANAGER "sleep 0.3; " RUNNING, "0\n");
    expect("$S respawn $D 2>&1 || true",
           "shipper: @/rsyslog.conf is missing: apply-logging makes it\n");
    expect(CONF("1") "$S respawn $D; " ALIVE RUNNING, "alive\n1\n");
}

static void a_new_file_is_run_by_a_new_process(void **state)
{
    (void)state;
    expect("cp $D/pid $D/before; " CONF(
               "2") "$S alive $D 2>&1 || true; $S respawn $D; " ALIVE
                    "! cmp -s $D/before $D/pid; [ \"$(cat $D/pid)\" = \"$(cat "
                    "$D/rsyslogd.pid)\" ]",
           "shipper: rsyslogd was started with another @/rsyslog.conf\nalive\n");
}

static void one_that_dies_comes_back_by_itself(void **state)
{
    (void)state;
    expect("cp $D/pid $D/before; kill -KILL $(cat $D/pid); until $S alive $D >$D/pid "
           "2>$D/said; do sleep 0.05; done; ! cmp -s $D/before $D/pid; cat $D/said",
           "");
}

static void stopped_it_stays_so_until_respawned(void **state)
{
    (void)state;
    expect("$S stop $D; sleep 0.4; $S alive $D 2>&1 || true; " RUNNING,
           "shipper: no rsyslogd runs with @/rsyslog.conf\n0\n");
    expect("$S respawn $D; " ALIVE RUNNING, "alive\n1\n");
    expect("$S stop $D; rm $D/rsyslog.conf; sleep 0.4; " RUNNING, "0\n");
    expect(CONF("3") "$S respawn $D; " ALIVE, "alive\n");
}

/* However far the service is in starting it: after "stop" there is none, after "respawn"
 * the present file runs. */
static void no_moment_of_a_start_is_a_wrong_one(void **state)
{
    (void)state;
    expect("for i in $(seq 12); do "
           "pkill -KILL -xf \"/usr/sbin/rsyslogd -n -f $D/rsyslog.conf .*\" || true; "
           "sleep 0.0$((i * 8 % 10))$i; $S stop $D; sleep 0.25; " RUNNING
           "sleep 0.0$i; " CONF("$i") "$S respawn $D; $S alive $D >$D/pid; done | sort "
                                      "| uniq -c | tr -d ' '",
           "120\n");
}

static void without_the_service_respawning_says_so(void **state)
{
    (void)state;
    struct outcome o = shell("touch $D/ended; pkill -KILL -f \"[s]hipper run $D\" || true; "
                             "sleep 0.2; $S respawn $D");
    assert_int_equal(o.code, 1);
    assert_non_null(strstr(o.err, "rsyslogd does not start (is lictor-rsyslog.service "
                                  "running?)"));
    outcome_release(&o);
}

static void the_version_is_that_of_the_programs(void **state)
{
    (void)state;
    expect("mkdir $D/bin; cp $S $D/bin; $D/bin/shipper --version 2>&1 || echo $?",
           "shipper: there is no lictor beside @/bin (make install)\n1\n");
    expect("cp $B/lictor $D/bin; $D/bin/shipper --version", "lictor test\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systemd_takes_every_line),
        cmocka_unit_test(a_wrong_line_would_be_seen),
        cmocka_unit_test(the_units_give_little_away),
        cmocka_unit_test(what_must_stand_in_them_does),
        cmocka_unit_test(it_waits_until_there_is_something_to_run),
        cmocka_unit_test(a_new_file_is_run_by_a_new_process),
        cmocka_unit_test(one_that_dies_comes_back_by_itself),
        cmocka_unit_test(stopped_it_stays_so_until_respawned),
        cmocka_unit_test(no_moment_of_a_start_is_a_wrong_one),
        cmocka_unit_test(without_the_service_respawning_says_so),
        cmocka_unit_test(the_version_is_that_of_the_programs),
    };
    return cmocka_run_group_tests_name("units", tests, setup, teardown);
}
