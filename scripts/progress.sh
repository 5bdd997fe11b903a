# shellcheck shell=bash
# Shared by setup and fetch (sourced, not run): what is done, and that it goes on.

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

fail() {
    say "$*"
    exit 1
}

# with_signs LOG WHAT COMMAND...: run it with its output in LOG; every four seconds say WHAT, for
# how long, and what `so_far LOG` (or LOG's last line) shows.
with_signs() {
    local log=$1 what=$2 ticker code=0
    shift 2
    : >"$log"
    (
        trap 'kill $!; exit' TERM
        begin=$SECONDS
        # Another shell's child, so a killed parent is noticed.
        while sleep 4 & wait $! && kill -0 $$ 2>/dev/null; do
            say "$what: $((SECONDS - begin)) s, $(so_far "$log" | cut -c 1-70)"
        done
    ) >&2 &
    ticker=$!
    "$@" >"$log" 2>&1 </dev/null || code=$?
    kill "$ticker"
    wait "$ticker" 2>/dev/null || :
    return "$code"
}

so_far() {
    tail -n 1 "$1"
}
