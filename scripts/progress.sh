# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Shared by setup, fetch and tests/run (sourced, not run): what is done, and that it goes on.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# start_ticker COMMAND...: run it every four seconds until `kill "$ticker"`, or until this
# process is gone.
start_ticker() {
    (
        trap 'kill $!; exit' TERM
        while sleep 4 & wait $! && kill -0 $$ 2>/dev/null; do "$@"; done
    ) >&2 &
    ticker=$!
}

# with_signs LOG WHAT COMMAND...: run it with its output in LOG; every four seconds say WHAT, for
# how long, and what `so_far LOG` (or LOG's last line) shows.
with_signs() {
    local log=$1 what=$2 begin=$SECONDS code=0
    shift 2
    : >"$log"
    start_ticker sign
    "$@" >"$log" 2>&1 </dev/null || code=$?
    kill "$ticker"
    wait "$ticker" 2>/dev/null || :
    return "$code"
}

sign() { say "$what: $((SECONDS - begin)) s, $(so_far "$log" | cut -c 1-70)"; }
so_far() { grep -a '[[:alnum:]]\{3\}' "$1" | tail -n 1; }
