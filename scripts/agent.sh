# shellcheck shell=bash
# Shared by enable, disable, cluster-set and demo (sourced, not run): talking to the agent and to people.

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
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}
usage_error() {
    printf '%s: %s, see %s --help\n' "${0##*/}" "$*" "${0##*/}" >&2
    exit 2
}
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || die "$tool is missing (apt-get install $tool)"
    done
}

# The token, from where Consul's own tools take it; else the one given with --token-file.
api_token() {
    if [[ -n ${CONSUL_HTTP_TOKEN_FILE:-} ]]; then
        cat -- "$CONSUL_HTTP_TOKEN_FILE"
    elif [[ -n ${CONSUL_HTTP_TOKEN:-} ]]; then
        printf '%s\n' "$CONSUL_HTTP_TOKEN"
    elif [[ -n ${token_file:-} ]]; then
        cat -- "$token_file"
    fi
}

# api_file DIR: what the environment does not say about the agent, from DIR/consul.env, as
# the programs read it. A token in the environment, or of --token-file, is not mixed with
# one of the file.
api_file() {
    local file=$1/consul.env line variable value own_token path owner
    [[ -e $file ]] || return 0
    own_token=${CONSUL_HTTP_TOKEN:-}${CONSUL_HTTP_TOKEN_FILE:-}${token_file:-}
    for path in "$1" "$file"; do
        owner=$(stat -c %u "$path")
        [[ ! -L $path && ($owner == 0 || $owner == "$EUID") &&
            -z $(find "$path" -maxdepth 0 -perm /022) ]] ||
            die "$path must be root's (or yours), no link, and not writable by others"
    done
    [[ -r $file ]] || [[ -n ${CONSUL_HTTP_ADDR:-} ]] || die "$file cannot be read: run as root"
    [[ -r $file ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        [[ ${line%$'\r'} =~ ^(export )?(CONSUL_[A-Z_]+)=(.*)$ ]] || continue
        variable=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
        [[ ! $value =~ ^\"(.*)\"$ ]] || value=${BASH_REMATCH[1]}
        [[ -z ${!variable:-} ]] || continue
        [[ $variable != CONSUL_HTTP_TOKEN* || -z $own_token ]] || continue
        printf -v "$variable" '%s' "$value"
    done <"$file"
}

# Words after the URL, one a line: how to reach the agent with curl.
api_options() {
    local addr=${CONSUL_HTTP_ADDR:-127.0.0.1:8500} scheme=http port=443
    [[ ${CONSUL_HTTP_SSL:-} =~ ^(1|t|T|true|TRUE|True)$ ]] && scheme=https
    case $addr in
    unix://*) printf '%s\n' --unix-socket "${addr#unix://}" && addr=$scheme://localhost ;;
    *://*) addr=${addr%/} ;;
    *) addr=$scheme://$addr ;;
    esac
    if [[ -n ${CONSUL_TLS_SERVER_NAME:-} && $addr == https://* ]]; then
        # curl takes the name from the URL: so that has the name, and this the address.
        [[ ! $addr =~ :([0-9]+)$ ]] || port=${BASH_REMATCH[1]}
        addr=${addr#https://}
        printf '%s\n' --connect-to "::${addr%":$port"}:$port"
        addr=https://$CONSUL_TLS_SERVER_NAME:$port
    fi
    printf '%s\n' "$addr"
    [[ -z ${CONSUL_CACERT:-} ]] || printf '%s\n' --cacert "$CONSUL_CACERT"
    [[ -z ${CONSUL_CLIENT_CERT:-} ]] || printf '%s\n' --cert "$CONSUL_CLIENT_CERT"
    [[ -z ${CONSUL_CLIENT_KEY:-} ]] || printf '%s\n' --key "$CONSUL_CLIENT_KEY"
    [[ ! ${CONSUL_HTTP_SSL_VERIFY:-} =~ ^(0|f|F|false|FALSE|False)$ ]] ||
        printf '%s\n' --insecure
}

# api_curl METHOD PATH OPTION...: curl, told where the agent is. The token goes through a
# pipe, never over a command line.
api_curl() {
    local options=() url='' word method=$1 path=$2
    shift 2
    while IFS= read -r word; do
        if [[ -z $url && $word == http*://* ]]; then url=$word; else options+=("$word"); fi
    done < <(api_options)
    curl -sS -m 60 --noproxy '*' -X "$method" "${options[@]}" \
        -H @<(sed -n '1s/^/X-Consul-Token: /p' <(api_token)) "$@" "$url/v1/$path"
}

# api METHOD PATH: the answer on stdout; on failure Consul's own words and 1, for 403 2.
api() {
    local body code
    body=$(api_curl "$1" "$2" -w '\n%{http_code}' 2>&1)
    code=${body##*$'\n'}
    body=${body%$'\n'*}
    printf '%s' "$body"
    case $code in
    200) return 0 ;;
    403) return 2 ;;
    *) return 1 ;;
    esac
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
