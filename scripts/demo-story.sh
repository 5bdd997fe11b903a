# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The story "demo run" tells (sourced, not run): each step is checked, the first that is not
# as it should be ends it. Checks are read from the catalogue, as the UI shows them.

place=dc/home/env/service/cluster/tag/any
index=plossys-demo
lines=20
whole='3 of 3 servers, 1 may fail'
seen=

paint() {
    if [[ -t 1 ]]; then printf '\033[%sm%s\033[0m\n' "$1" "$2"; else printf '%s\n' "$2"; fi
}
step() {
    paint 1 "$*"
    start=$(now_us)
}
# The time since $1, else since the step or what it began itself.
took() {
    local us=$(($(now_us) - ${1:-$start}))
    printf '%d.%02d s\n' $((us / 1000000)) $((us % 1000000 / 10000))
}

# must SECONDS WHAT COMMAND...: as wait_for; WHAT is what should have been, and the command
# leaves in "seen" what it saw.
must() { at_end=broken wait_for "$@"; }

broken() {
    {
        paint '1;31' "not as it should be: $1"
        [[ -z $seen ]] || printf 'seen: %s\n' "${seen%$'\n'}"
        printf 'checks that are not passing:\n%s\n' \
            "$(catalogue | grep -v '^[^ ]* [^ ]* passing' | shown)"
        printf 'logs: %s\n' "$demo"/server-*/{consul.log,shipper/output.log} \
            "$demo/elasticsearch/output.log"
    } >&2
    exit 1
}

# All checks, as the UI shows them: from the catalogue of server 1.
catalogue() { checks_in 1 'health/state/any?stale'; }

# Lines of the catalogue, for people.
shown() { sed 's/^/    /; s/ | /\n        /g'; }

# checks ID STATUS TEXT [SERVER...]: has each of them, else each of the three, this check with this
# status and TEXT in its output?
checks() {
    local id=$1 status=$2 text=$3 n=0 node state line
    shift 3
    (($#)) || set -- 1 2 3
    seen=$(catalogue | grep -F " $id ")
    while read -r node _ state line; do
        [[ " $* " != *" ${node#server-} "* || $state != "$status" || $line != *"$text"* ]] ||
            n=$((n + 1))
    done <<<"$seen"
    ((n == $#))
}

consul() { CONSUL_HTTP_ADDR=http://$net.1:8500 command "$consul" "$@"; }
lictor() {
    CONSUL_HTTP_ADDR=http://$net.1:8500 "$tree/build/lictor" --config-dir "$demo/server-1/etc" \
        --state-dir "$demo/server-1/state" "$@"
}

# Run a command and show it as an admin would type it.
typed() {
    printf '    $ %s\n' "$*"
    seen=$("$@" 2>&1) || broken "\"$*\" succeeds"
    [[ -z $seen ]] || printf '    %s\n' "${seen//$'\n'/$'\n'    }"
}

# ---- what is looked at -------------------------------------------------------------------

# Was every shipper started with a configuration which contains $1?
live_everywhere() {
    local i dir
    for i in 1 2 3; do
        dir=$demo/server-$i/shipper
        seen="server $i: $(head -n 3 "$dir/rsyslog.conf" 2>&1)"
        grep -qsF -- "$1" "$dir/rsyslog.conf" && alive "$i" >/dev/null 2>&1 || return
    done
}

# Has every server said that it has the same revision in force, and is its check passing?
reported_everywhere() {
    seen=$(consul kv get -recurse lictor/logging/)
    [[ $(grep -c '"state":"done"' <<<"$seen") == 3 &&
        $(grep -o '"revision":"[^"]*"' <<<"$seen" | sort -u | wc -l) == 1 ]] &&
        checks cluster:logging passing ''
}

# Configurations and processes of all shippers: must not change when a value is rejected.
fingerprint() {
    local i
    sha256sum "$demo"/server-[123]/shipper/rsyslog.conf
    for i in 1 2 3; do alive "$i" 2>&1; done
}

write_lines() {
    local i
    for i in 1 2 3; do
        jq -nc --argjson i "$i" --argjson n "$lines" --arg time "$(date +%FT%T%z)" \
            --arg story "$1s$i" 'range(1; $n + 1) | {
                $time, level: "info", $story, message: "line \(.) of server \($i)"
            }' >>"$demo/server-$i/log/demo.log"
    done
}

# Every line of every server, and none twice.
all_found() {
    local i n good=0
    seen=
    for i in 1 2 3; do
        n=$(http "$elasticsearch/$index/_count?q=story.keyword:$1s$i" | jq -r .count)
        seen+="server $i: ${n:-0} of $lines lines found"$'\n'
        [[ $n != "$lines" ]] || good=$((good + 1))
    done
    ((good == 3))
}

ship_and_find() {
    local token=t$(now_us) start
    start=$(now_us)
    write_lines "$token"
    must 30 "every line of every server is found in Elasticsearch, once" all_found "$token"
    say "$lines lines a server written; search finds all $((3 * lines)), none twice, after $(took)"
}

# ---- the steps ---------------------------------------------------------------------------

story_up() {
    step 'Three Consul servers and an Elasticsearch'
    start_all 3
    say "up after $(took); Consul's UI, as long as this runs: $ui"
    typed lictor confirm
}

story_write() {
    step 'An admin says where the logs go: one KV write'
    typed lictor set "LOG_ELASTICSEARCH_URL=$elasticsearch"
    must 60 'all three log shippers run with the new address' live_everywhere "$elasticsearch"
    say "one server after the other, all three log shippers run with it after $(took)"
    must 30 'all three report the same revision, cluster:logging is passing' reported_everywhere
    say "confirmed and reported by all three (cluster:logging passing) after $(took)"
}

story_plain_write() {
    step "Consul's own tools do as well"
    typed consul kv put "$place/LOG_INDEX" "$index"
    must 60 'all three log shippers run with the new index' live_everywhere "$index"
    say "all three log shippers run with it after $(took)"
    must 30 'all three report the same revision, cluster:logging is passing' reported_everywhere
    ship_and_find
}

story_bad_value() {
    local before bad=${elasticsearch%:*}:92000
    step 'A bad value is rejected, and nothing happens to the logs'
    before=$(fingerprint)
    seen=$(lictor set "LOG_ELASTICSEARCH_URL=$bad" 2>&1) && broken "lictor set rejects $bad"
    printf '    $ %s\n    %s\n' "lictor set LOG_ELASTICSEARCH_URL=$bad" "${seen//$'\n'/$'\n'    }"
    start=$(now_us)
    typed consul kv put "$place/LOG_ELASTICSEARCH_URL" "$bad"
    must 30 'cluster:logging of all three is a warning that names the value' \
        checks cluster:logging warning "$bad"
    say "named by all three servers after $(took):"
    sed '1!s/ | .*//' <<<"$seen" | shown
    ship_and_find
    seen=$(diff <(printf '%s\n' "$before") <(fingerprint)) ||
        broken 'configurations and shippers are what they were'
    say 'configurations are the same, byte for byte; no log shipper was restarted'
    typed consul kv put "$place/LOG_ELASTICSEARCH_URL" "$elasticsearch"
    must 30 'cluster:logging is passing again' checks cluster:logging passing ''
    say 'put right: cluster:logging is passing on all three'
}

# When server 3 is gone for Consul itself: its check of the node is critical, or autopilot
# has already taken the node away.
consul_sees() {
    seen=$(catalogue)
    ! grep -q '^server-3 serfHealth passing' <<<"$seen"
}

story_failure() {
    local event
    step 'A server fails'
    must 40 'cluster:quorum is passing on all three' checks cluster:quorum passing "$whole"
    say "cluster:quorum of all three: $whole"
    start=$(now_us)
    kill_agent 3
    say 'server 3 killed (SIGKILL)'
    must 60 'Consul notices' consul_sees
    event=$(now_us)
    say "Consul itself has noticed after $(took)"
    must 20 'cluster:quorum of the other two is a warning' \
        checks cluster:quorum warning '2 of 3 servers, none may fail' 1 2
    say "the verdict is in the catalogue $(took "$event") later:"
    grep -v ^server-3 <<<"$seen" | sed 's/ | .*//' | shown
}

whole_again() { checks serfHealth passing '' && checks cluster:quorum passing "$whole"; }
all_passing() { checks cluster:logging passing '' && checks cluster:heartbeat passing ''; }

story_return() {
    step 'The server comes back'
    start_agent 3
    must 90 'cluster:quorum is passing again on all three' whole_again
    say "server 3 started; cluster:quorum is passing on all three after $(took)"
    (($(now_us) - start < 10000000)) ||
        say '(Consul had taken it out; it votes again once it was stable for 10 s)'
    must 30 'cluster:logging and cluster:heartbeat are passing on all three' all_passing
    ship_and_find
}

story_clock() {
    local agree='3 clocks agree within 100 ms'
    step 'The clock of a server is wrong'
    must 90 'cluster:clock is passing on all three' checks cluster:clock passing "$agree"
    say "cluster:clock of all three: $agree"
    start=$(now_us)
    set_clock 2 +2s
    say 'clock of server 2 set ahead by 2 s (for our programs: libfaketime)'
    must 75 'cluster:clock of all three is critical and names server-2' \
        checks cluster:clock critical 'server-2 differs by +2.0 s from '
    say "named by all three after $(took), with two of its records as proof:"
    sed 's/ | .*//' <<<"$seen" | shown
    start=$(now_us)
    set_clock 2 right
    must 45 'cluster:clock is passing again on all three' checks cluster:clock passing "$agree"
    say "put right: cluster:clock is passing on all three after $(took)"
}

run() {
    local start begun part ui=http://$net.1:8500/ui/
    [[ $# == 0 || $* == --keep ]] || usage_error 'run takes --keep or nothing'
    begun=$(now_us)
    begin
    for part in up write plain_write bad_value failure return clock; do "story_$part"; done
    paint '1;32' "All as it should be, after $(took "$begun")."
    if (($#)); then
        trap - EXIT INT TERM HUP
        printf 'It stays up: %s, scripts/demo status, scripts/demo down\n' "$ui"
        return
    fi
    printf '"scripts/demo run --keep" leaves it up.\n'
}
