/* SPDX-License-Identifier: MIT */
/* All of it as installed, under a real systemd (tests/cluster/machine): make install,
 * lictor enable, Debian's sandbox around Consul, our units around apply-logging and a real
 * rsyslogd, which ships to the stand-in. */
#include "apart.h"
#include "harness.h"
#include "keeper.h"

#define SOON 30000

static pid_t machine_pid;
static char first[20]; /* the machine's first process, as we see it */

/* ---- the machine --------------------------------------------------------- */

/* A command of bash in the machine. KV, CHECK and SENT are shorthands. */
static struct outcome in_machine(const char *command)
{
    char text[8000];
    (void)snprintf(text, sizeof text,
                   "set -o pipefail; cd /; "
                   "kv() { curl -sf -X PUT --data-binary \"$2\" "
                   "127.0.0.1:8500/v1/kv/" HARNESS_ROOT
                   "/service/cluster/tag/any/$1 >/dev/null; }; "
                   "check() { curl -sf 127.0.0.1:8500/v1/agent/checks | "
                   "jq -r '.[\"cluster:logging\"] | .Status, .Output'; }; "
                   "sent() { curl -sf '127.0.0.1:9200/plossys-log/_search?size=1000'; }; "
                   "alive() { as lictor /usr/libexec/lictor/shipper alive; }; "
                   "main_pid() { systemctl show -P MainPID lictor-rsyslog.service; }; "
                   "as() { setpriv --reuid=\"$1\" --regid=\"$1\" --clear-groups --no-new-privs "
                   "\"${@:2}\"; }; "
                   "%s",
                   command);
    const char *argv[] = {"/usr/bin/nsenter", "-t", first, "-a", "--",
                          "/bin/bash",        "-c", text,  NULL};
    return run_tool(NULL, argv, NULL);
}

/* It must succeed, and its output contain `out`. */
static void expect(const char *command, const char *out)
{
    struct outcome o = in_machine(command);
    if (o.code != 0 || !strstr(o.out, out))
        harness_fail("%s\nended with %d, without \"%s\":\n%s\n%s", command, o.code, out, o.out,
                     o.err);
    outcome_release(&o);
}

/* What a machine that has ended said stands on standard error. */
static void must_live(void)
{
    if (waitpid(machine_pid, NULL, WNOHANG) != 0)
        harness_fail("the machine (tests/cluster/machine) has ended");
}

static bool becomes(void *arg, struct buffer *seen)
{
    must_live();
    const char *const *words = arg;
    struct outcome o = in_machine(words[0]);
    bool holds = o.code == 0 && strstr(o.out, words[1]);
    (void)!buffer_printf(seen, "%d %s %s", o.code, o.out, o.err);
    outcome_release(&o);
    return holds;
}

static void wait_for(const char *command, const char *out)
{
    const char *words[] = {command, out};
    wait_until(command, SOON, becomes, words);
}

static bool find_first(void *arg, struct buffer *seen)
{
    (void)arg;
    char command[400];
    must_live();
    (void)snprintf(command, sizeof command,
                   "pid=$(cat %s/machine/unshare) && [ $(cat /proc/$pid/comm) = unshare ] && "
                   "pgrep -P $pid",
                   keeper_dir());
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    (void)snprintf(first, sizeof first, "%ld", strtol(o.out, NULL, 10));
    bool found = o.code == 0;
    (void)!buffer_printf(seen, "%s%s", o.out, o.err);
    outcome_release(&o);
    return found;
}

static void boot(void)
{
    char dir[300];
    pid_t parent = getpid();
    (void)snprintf(dir, sizeof dir, "%s/machine", keeper_dir());
    machine_pid = fork();
    if (machine_pid == 0) {
        keeper_die_with(parent);
        (void)execl(SOURCE_DIR "/tests/cluster/machine", "machine", dir, (char *)NULL);
        _exit(127);
    }
    wait_until("the machine has a first process", 5000, find_first, NULL);
    wait_for("systemctl is-active machine.target", "active");
}

static const char install[] =
    "set -e; make -s -C " SOURCE_DIR " B=\"$(realpath --relative-to=" SOURCE_DIR " " TEST_BIN
    "/..)\" install; "
    "touch /usr/bin/consul; mount --bind %s /usr/bin/consul; "
    "printf 'u consul - - /var/lib/consul\\nu seal - - /\\nu seal-consul-agent - - "
    "/\\n' | "
    "systemd-sysusers -; "
    "install -d -o consul /var/lib/consul; install -d -o seal -g seal -m 0750 "
    "/var/log/seal; install -d /etc/consul.d /etc/lictor/logging.d; "
    "echo '{\"server\":true,\"bootstrap_expect\":1,\"bind_addr\":\"127.0.0.1\","
    "\"client_addr\":\"127.0.0.1\",\"performance\":{\"raft_multiplier\":1},"
    "\"enable_local_script_checks\":true,\"disable_update_check\":true}' "
    ">/etc/consul.d/10-server.json; "
    "echo '{\"elasticsearch\":{\"hosts\":[\"127.0.0.1\"],\"ports\":[9200,443]}}' "
    ">/etc/lictor/policy.json; "
    "cp /usr/share/lictor/consul.d/logging/rsyslog{-systemd.json,.conf.mustache} "
    "/etc/lictor/logging.d; "
    "printf '[Service]\\nExecStart=" TEST_BIN "/fake-elasticsearch 127.0.0.1 9200\\n' "
    ">/etc/systemd/system/stand-in.service; ";

/* As Debian's package has it. */
static const char consul_unit[] =
    "cat >/etc/systemd/system/consul.service <<END\n"
    "[Service]\nUser=consul\nExecStart=/usr/bin/consul agent -data-dir=/var/lib/consul "
    "-config-dir=/etc/consul.d\nExecReload=/bin/kill -HUP $MAINPID\nKillSignal=SIGINT\n"
    "NoNewPrivileges=true\nProtectSystem=full\nPrivateTmp=true\nPrivateDevices=true\n"
    "ProtectKernelTunables=true\nEND\n"
    "systemctl daemon-reload; systemctl start stand-in consul";

static int setup(void **state)
{
    (void)state;
    char text[4000];
    boot();
    (void)snprintf(text, sizeof text, install, consul_program());
    expect(text, "installed: ");
    expect(consul_unit, "");
    wait_for("curl -sf 127.0.0.1:8500/v1/status/leader", "8300");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)kill(machine_pid, SIGTERM);
    (void)waitpid(machine_pid, NULL, 0);
    return 0;
}

/* ---- tests --------------------------------------------------------------- */

static void enabling_starts_what_is_needed(void **state)
{
    (void)state;
    expect("lictor enable 2>&1", "usermod -aG seal lictor");
    expect("systemctl is-active lictor-apply.socket lictor-rsyslog.service", "active\nactive\n");
    expect("systemctl is-enabled lictor-apply.socket lictor-rsyslog.service "
           "lictor-recover.service",
           "enabled\nenabled\nenabled\n");
    expect("stat -c '%U %a' /run/lictor/apply.sock", "consul 600\n");
    expect("stat -c '%U:%G %a' /var/lib/lictor-apply /etc/lictor/credentials",
           "lictor:lictor 700\nroot:root 711\n");
    expect("cat /etc/lictor/apply-socket", "/run/lictor/apply.sock\n");
    expect("usermod -aG seal lictor && systemctl restart lictor-rsyslog.service; "
           "lictor enable",
           "enabled: ");
}

/* Passing is the check already while a change is under way. */
#define ALL_DONE "passing: 1 of 1 servers on revision"

static void a_kv_write_goes_live_and_records_arrive(void **state)
{
    (void)state;
    expect("kv LOG_ELASTICSEARCH_URL http://127.0.0.1:9200", "");
    wait_for("check", ALL_DONE);
    expect("[ $(alive) = $(main_pid) ]; ps -o user=,comm= -p $(alive)", "lictor   rsyslogd\n");
    expect("stat -c %U /var/lib/lictor-shipper/rsyslog.conf", "lictor\n");
    expect("as seal bash -c 'echo first-line >/var/log/seal/a.log'", "");
    wait_for("sent", "first-line");
    expect("lictor status || :", "\nquorum: warning: forming: 1 of 3 servers");
}

/* What is open on a new Consul, and nothing about what we have installed: no finding on files. */
static void of_security_only_what_is_open_is_found(void **state)
{
    (void)state;
    expect("as consul /usr/libexec/lictor/verify-security >/run/said || :; "
           "head -n 1 /run/said; sed -nE 's/^([a-z]+(-[a-z]+)+):.*/\\1/p' /run/said",
           "warning: gossip-plaintext: gossip is not encrypted; 6 more\n"
           "gossip-plaintext\nacl-off\nrpc-outgoing\nrpc-incoming\nrpc-hostname\nmin-quorum\n"
           "elasticsearch-no-user\n");
}

#define LEVEL(level) "grep 'level \"" level "\"' /var/lib/lictor-shipper/rsyslog.conf"

#define DONE " && grep -q '\"state\":\"done\"' /var/lib/lictor/logging.json"

static void each_change_is_a_new_process(void **state)
{
    (void)state;
    expect("alive >/run/before && kv LOG_LEVEL warn", "");
    wait_for(LEVEL("warn") " && pid=$(alive) && [ $pid != $(cat /run/before) ]" DONE, "");
    expect("kill -KILL $(alive)", "");
    wait_for("alive", "");
    expect("as seal bash -c 'echo second-line >>/var/log/seal/a.log'", "");
    wait_for("sent", "second-line");
}

static void switched_off_its_process_waits(void **state)
{
    (void)state;
    expect("kv LOG_ENABLED N", "");
    wait_for("[ ! -e /var/lib/lictor-shipper/rsyslog.conf ] && check", ALL_DONE);
    wait_for("ps -o comm= -p $(main_pid)", "shipper\n");
    expect("! pgrep -x rsyslogd", "");
    expect("kv LOG_ENABLED Y", "");
    wait_for(LEVEL("warn") " && alive" DONE, "");
}

/* SIGKILL is how it is ended, on purpose; killed by somebody else it comes back. */
static void a_stopped_shipper_has_not_failed(void **state)
{
    (void)state;
    expect("systemctl stop lictor-rsyslog.service; systemctl is-active lictor-rsyslog.service; "
           "systemctl list-units --failed --no-legend --plain; systemctl is-system-running",
           "inactive\nrunning\n");
    expect("systemctl start lictor-rsyslog.service", "");
    wait_for("alive >/run/before", "");
    expect("systemctl kill -s KILL lictor-rsyslog.service", "");
    wait_for("pid=$(alive) && [ $pid != $(cat /run/before) ]", "");
}

/* The command is cut out of the check's text. */
static void a_stopped_shipper_is_started_as_advised(void **state)
{
    (void)state;
    expect("systemctl stop lictor-rsyslog.service", "");
    wait_for("check | tr -s '\\n ' ' '", " systemctl restart lictor-rsyslog; journalctl ");
    expect("$(check | tr -s '\\n ' ' ' | grep -o 'systemctl restart lictor-rsyslog' | head -n 1)",
           "");
    wait_for("check", ALL_DONE);
}

/* Until it is right again; the whole way back through the socket. */
static void what_the_shipper_refuses_is_rolled_back(void **state)
{
    (void)state;
    expect("cd /etc/lictor/logging.d; cp rsyslog.conf.mustache /run/kept; echo 'nonsense' "
           ">>rsyslog.conf.mustache; kv LOG_INDEX evil",
           "");
    wait_for("check", "failed here");
    expect("check", "refused: /usr/sbin/rsyslogd");
    expect("! grep evil /var/lib/lictor-shipper/rsyslog.conf; cp /run/kept "
           "/etc/lictor/logging.d/rsyslog.conf.mustache; kv LOG_INDEX plossys-log",
           "");
    wait_for("check", ALL_DONE);
}

/* What a command of apply-logging finds itself in: who it is, what it may do, whom it
 * sees, where it can write. */
static const char spy[] =
    "cat >/usr/libexec/spy <<'END'\n#!/bin/bash\nexec >/var/lib/lictor-shipper/spied "
    "2>&1\n"
    "id -un; id -Gn; grep -E '^(NoNewPrivs|CapBnd|Seccomp):' /proc/self/status\n"
    "sed 's/:.*//' /proc/net/dev | tail -n +3 | tr -d ' '\n"
    "ls -d /proc/1\n"
    "for dir in /etc /usr /var/lib /var/lib/lictor /var/log/seal /run /dev; do\n"
    "touch $dir/evil 2>/dev/null && echo can write $dir; done\n"
    "touch /var/lib/lictor-shipper/good && echo can write its own\n"
    "cat /etc/shadow /etc/lictor/consul.env 2>/dev/null && echo can read secrets\n"
    "ls -A /home /root; (exec 3<>/dev/tcp/127.0.0.1/8500) && echo reaches Consul\n"
    "echo end\nEND\n"
    "chmod 0755 /usr/libexec/spy; cd /etc/lictor/logging.d; "
    "cp rsyslog-systemd.json /run/kept.json; "
    "jq '.validate=[\"/usr/libexec/spy\",\"{file}\"]' /run/kept.json "
    ">rsyslog-systemd.json; "
    "kv LOG_LEVEL error";

static void apply_logging_is_in_a_sandbox(void **state)
{
    (void)state;
    expect(spy, "");
    wait_for("cat /var/lib/lictor-shipper/spied", "\nend\n");
    expect("sed -E 's/[[:space:]]+/ /; s/^.*: (socket|ls: |cannot|line .*)/\\1/' "
           "/var/lib/lictor-shipper/spied",
           "lictor\nlictor seal\nCapBnd: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n"
           "lo\ncannot access '/proc/1': No such file or directory\n"
           "can write its own\n"
           "cannot open directory '/home': Permission denied\n"
           "cannot open directory '/root': Permission denied\n"
           "socket: Address family not supported by protocol\n");
    expect("! grep reaches /var/lib/lictor-shipper/spied; "
           "cp /run/kept.json /etc/lictor/logging.d/rsyslog-systemd.json",
           "");
}

/* One connection at a time, however many come; none leaves a unit behind. */
static void no_flood_makes_the_socket_deaf(void **state)
{
    (void)state;
    expect("for i in $(seq 200); do as consul curl -s -m 0.5 --unix-socket "
           "/run/lictor/apply.sock http://x >/dev/null & done; wait; "
           "until [ -z \"$(systemctl list-units --no-legend 'lictor-apply@*')\" ]; do "
           "sleep 0.1; done; "
           "as consul curl -s -m 3 --unix-socket /run/lictor/apply.sock http://x & "
           "sleep 0.3; systemctl list-units --no-legend 'lictor-apply@*' | wc -l; "
           "as consul curl -s -m 3 --unix-socket /run/lictor/apply.sock http://x; "
           "case $? in 7 | 52 | 55 | 56) echo the second is closed ;; esac; wait",
           "1\nthe second is closed\n");
    expect("systemctl is-active lictor-apply.socket; sleep 0.5; "
           "systemctl list-units --all --no-legend 'lictor-apply@*' | wc -l",
           "active\n0\n");
    expect("as seal curl -s --unix-socket /run/lictor/apply.sock http://x; echo $?; "
           "as lictor curl -s --unix-socket /run/lictor/apply.sock http://x; echo $?",
           "7\n7\n");
}

/* Links to what is root's, planted where logs are: the shipper cannot read it; nor what its
 * user may read for apply-logging. */
static void links_among_the_logs_ship_nothing_of_roots(void **state)
{
    (void)state;
    expect("echo top-secret >/etc/lictor/secret; chmod 0600 /etc/lictor/secret; "
           "as seal ln -s /etc/lictor/secret /var/log/seal/link.log; "
           "as seal ln -s /etc/shadow /var/log/seal/shadow.log; "
           "echo top-secret >/etc/lictor/credentials/x.json; "
           "chgrp lictor /etc/lictor/credentials/x.json; "
           "chmod 0640 /etc/lictor/credentials/x.json; "
           "as lictor cat /etc/lictor/credentials/x.json >/dev/null; "
           "as seal ln -s /etc/lictor/credentials/x.json /var/log/seal/own.log; "
           "as seal bash -c 'echo "
           "{\\\"level\\\":\\\"fatal\\\",\\\"a\\\":\\\"third-line\\\"} "
           ">>/var/log/seal/a.log'",
           "");
    wait_for("sent", "third-line");
    expect("! sent | grep -E 'top-secret|root:'", "");
}

#define SLOW                                                                                       \
    "printf '#!/bin/sh\\ntouch /var/lib/lictor-shipper/slow; sleep 3\\n' "                         \
    ">/usr/libexec/slow; "                                                                         \
    "chmod 0755 /usr/libexec/slow; cd /etc/lictor/logging.d; "                                     \
    "jq '.reload=[\"/usr/libexec/slow\"]' /run/kept.json >rsyslog-systemd.json; "

/* Power lost in the middle of a change, as far as a test can. */
static void recovery_comes_before_the_shipper(void **state)
{
    (void)state;
    expect(SLOW "kv LOG_LEVEL fatal", "");
    wait_for("ls /var/lib/lictor-shipper/slow", "slow");
    expect("systemctl kill -s KILL 'lictor-apply@*'; systemctl stop "
           "lictor-rsyslog.service; " LEVEL("fatal") " && cat /var/lib/lictor-apply/journal",
           "\"existed\":true");
    expect("systemctl restart lictor-recover.service && ls -A "
           "/var/lib/lictor-apply; " LEVEL("error"),
           "least severe level \"error\"");
    expect("systemctl show -P Before lictor-recover.service", "lictor-rsyslog.service");
    /* A heartbeat may have tried meanwhile, with the shipper stopped. */
    expect("cp /run/kept.json /etc/lictor/logging.d/rsyslog-systemd.json; "
           "systemctl start lictor-rsyslog.service; "
           "lictor retry",
           "");
    wait_for(LEVEL("fatal") " && alive", "");
}

static void an_agent_of_another_user_has_the_socket(void **state)
{
    (void)state;
    expect("lictor enable --user seal-consul-agent || journalctl --no-pager -n 20; "
           "stat -c %U /run/lictor/apply.sock",
           "\nseal-consul-agent\n");
    expect("lictor enable; stat -c %U /run/lictor/apply.sock; "
           "ls /etc/systemd/system/lictor-apply.socket.d",
           "\nconsul\n");
}

#define FILEBEAT SOURCE_DIR "/build/filebeat/filebeat"

/* As its package has it, with a log and positions of its own. */
static const char filebeat_package[] =
    "install -D " FILEBEAT " /usr/share/filebeat/bin/filebeat; install -d /etc/filebeat; "
    "echo 'filebeat.inputs: [{type: filestream, id: own, paths: [/var/log/own.log]}]' "
    ">/etc/filebeat/filebeat.yml; "
    "printf 'output.file: {path: /run}\\npath.data: /var/lib/filebeat\\n' "
    ">>/etc/filebeat/filebeat.yml; printf '[Service]\\nExecStart="
    "/usr/share/filebeat/bin/filebeat -c /etc/filebeat/filebeat.yml\\n' "
    ">/etc/systemd/system/filebeat.service; "
    "systemctl daemon-reload; systemctl start filebeat; sleep 1; "
    "systemctl show -P MainPID filebeat >/run/package";

#define SHIPPERS(from, to)                                                                         \
    "cd /etc/lictor/logging.d; rm -f " from "*; "                                                  \
    "cp /usr/share/lictor/consul.d/logging/" to " .; lictor retry"

/* Beside the service of its package, which goes on; rsyslogd is stopped, and comes back. */
static void filebeat_ships_in_the_place_of_rsyslogd(void **state)
{
    (void)state;
    if (access(FILEBEAT, X_OK) < 0) {
        print_message("# note: there is no Filebeat: left out\n");
        skip();
    }
    expect("rm -f /var/log/seal/{link,shadow,own}.log", ""); /* of a test before */
    expect(filebeat_package, "");
    expect("lictor enable; systemctl is-active lictor-filebeat", "active\n");
    expect(SHIPPERS("rsyslog", "filebeat{-systemd.json,.yml.mustache}"), "");
    wait_for("check", ALL_DONE);
    expect("ps -o user=,comm= -p $(systemctl show -P MainPID lictor-filebeat)",
           "lictor   filebeat\n");
    expect("! alive; ls /var/lib/lictor-shipper/rsyslog.conf 2>&1 || :", "No such file");
    expect("as seal bash -c 'echo filebeat-line >>/var/log/seal/a.log'", "");
    wait_for("curl -sf '127.0.0.1:9200/plossys-log/_count?q=message.keyword:filebeat-line'",
             "\"count\":1");
    expect("[ $(systemctl show -P MainPID filebeat) = $(cat /run/package) ] && "
           "systemctl is-active filebeat",
           "active\n");
    expect("systemctl stop lictor-filebeat; systemctl show -P Result lictor-filebeat", "success\n");
    wait_for(
        "check | tr -s '\\n ' ' '",
        " does not run, hangs, or cannot write (disk full?): systemctl restart lictor-filebeat; ");
    expect("$(check | tr -s '\\n ' ' ' | grep -o 'systemctl restart lictor-filebeat' | head -n 1)",
           "");
    wait_for("check", ALL_DONE);
    expect(SHIPPERS("filebeat", "rsyslog{-systemd.json,.conf.mustache}"), "");
    wait_for("alive && check", ALL_DONE);
    expect("! pgrep -f lictor-shipper/filebeat.yml; systemctl is-active filebeat", "active\n");
}

static void disabling_closes_the_socket_and_ships_on(void **state)
{
    (void)state;
    expect("lictor disable", "\n  disabled\n");
    expect("systemctl is-active lictor-apply.socket lictor-rsyslog.service; "
           "ls /run/lictor /etc/lictor/apply-socket 2>&1; alive >/dev/null && echo ships",
           "inactive\nactive\n");
    expect("make -s -C " SOURCE_DIR " uninstall; ls /usr/lib/systemd/system "
           "/usr/lib/*.d /usr/libexec /usr/sbin | grep lictor || echo nothing",
           "nothing\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enabling_starts_what_is_needed),
        cmocka_unit_test(a_kv_write_goes_live_and_records_arrive),
        cmocka_unit_test(of_security_only_what_is_open_is_found),
        cmocka_unit_test(each_change_is_a_new_process),
        cmocka_unit_test(switched_off_its_process_waits),
        cmocka_unit_test(a_stopped_shipper_has_not_failed),
        cmocka_unit_test(a_stopped_shipper_is_started_as_advised),
        cmocka_unit_test(what_the_shipper_refuses_is_rolled_back),
        cmocka_unit_test(apply_logging_is_in_a_sandbox),
        cmocka_unit_test(no_flood_makes_the_socket_deaf),
        cmocka_unit_test(links_among_the_logs_ship_nothing_of_roots),
        cmocka_unit_test(recovery_comes_before_the_shipper),
        cmocka_unit_test(an_agent_of_another_user_has_the_socket),
        cmocka_unit_test(filebeat_ships_in_the_place_of_rsyslogd),
        cmocka_unit_test(disabling_closes_the_socket_and_ships_on),
    };
    return HARNESS_RUN("systemd", tests, setup, teardown);
}
