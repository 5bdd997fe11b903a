# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# Shared by enable, disable and demo (sourced, not run): where things are, and talking to the agent
# and to people.

here=$(dirname -- "$(readlink -f -- "$0")")
name_shown=${0##*/} exit_code=1
config_dir=/etc/lictor
state_dir=/var/lib/lictor
consul_config=/etc/consul.d
token_file=
name=60-cluster.hcl
programs=(heartbeat reconfigure-logging rollout-logging apply-logging verify-quorum verify-clock
    hear-clock verify-logging verify-security)
env_mark='# written by enable, removed by disable'
socket=/run/lictor/apply.sock
drop_in=/etc/systemd/system/lictor-apply.socket.d/user.conf
units=(lictor-recover.service lictor-rsyslog.service lictor-filebeat.service lictor-apply.socket)

say() { printf '  %s\n' "$*"; }
die() {
    printf '%s: %s\n' "$name_shown" "$*" >&2
    exit "$exit_code"
}
usage_error() { exit_code=2 die "$*, see $name_shown --help"; }

# take_options KNOWN WORD...: with KNOWN "|print|user=|" --user NAME sets "user", --print sets
# "print" to 1; --consul-config is consul_config.
take_options() {
    local known=$1 option value
    shift
    while (($#)); do
        [[ $1 != --help ]] || { help && exit 0; }
        [[ $1 != --version ]] || { find_lictor && exec "$lictor" --version; }
        option=${1#--} value=1
        [[ $1 =~ ^--[a-z-]+$ && $known =~ \|$option(=?)\| ]] || usage_error "unknown option $1"
        if [[ -n ${BASH_REMATCH[1]} ]]; then
            (($# >= 2)) || usage_error "$1 needs a value"
            value=$2
            shift
        fi
        printf -v "${option//-/_}" '%s' "$value"
        shift
    done
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
    [[ -z $token_file || -n ${CONSUL_HTTP_TOKEN:-}${CONSUL_HTTP_TOKEN_FILE:-} ]] ||
        local -x CONSUL_HTTP_TOKEN_FILE=$token_file
    "$lictor" api --config-dir "$config_dir" "$@"
}
