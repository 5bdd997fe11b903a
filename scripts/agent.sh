# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Shared by enable, disable and demo (sourced, not run): talking to the agent and to people.

# shellcheck disable=SC2034
env_mark='# written by enable, removed by disable'
# shellcheck disable=SC2034
socket=/run/lictor/apply.sock
# shellcheck disable=SC2034
drop_in=/etc/systemd/system/lictor-apply.socket.d/user.conf
# shellcheck disable=SC2034
units=(lictor-recover.service lictor-rsyslog.service lictor-apply.socket)

say() { printf '  %s\n' "$*"; }
die() {
    printf '%s: %s\n' "${name_shown:-${0##*/}}" "$*" >&2
    exit 1
}
usage_error() {
    printf '%s: %s, see %s --help\n' "${name_shown:-${0##*/}}" "$*" "${name_shown:-${0##*/}}" >&2
    exit 2
}

# The command lictor: $LICTOR, beside this script, or in the checkout.
find_lictor() {
    for lictor in ${LICTOR:+"$LICTOR"} "$here/lictor" "$here/../build/lictor"; do
        [[ ! -x $lictor ]] || return 0
    done
    die "there is no lictor beside $here (make install)"
}

# api METHOD PATH [MEMBER...]: as "lictor api": the answer, or the reason, on stdout; 3 when the
# token lacks a right. A token of --token-file counts where the environment has none.
api() {
    if [[ -n ${token_file:-} && -z ${CONSUL_HTTP_TOKEN:-}${CONSUL_HTTP_TOKEN_FILE:-} ]]; then
        CONSUL_HTTP_TOKEN_FILE=$token_file "$lictor" api --config-dir "$config_dir" "$@"
    else
        "$lictor" api --config-dir "$config_dir" "$@"
    fi
}

# The user the agent runs as: the owner of the running process, else Debian's "consul".
agent_user() {
    local dir owners
    owners=$(for dir in /proc/[0-9]*; do
        [[ $(cat "$dir/comm" 2>/dev/null) != consul ]] || stat -c %U "$dir" 2>/dev/null
    done | sort -u)
    if [[ -n $owners && $owners != *$'\n'* ]]; then
        printf '%s\n' "$owners"
    elif [[ -z $owners ]] && id consul >/dev/null 2>&1; then
        printf 'consul\n'
    else
        return 1
    fi
}
