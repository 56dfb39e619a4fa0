#!/bin/sh
# entrypoint.sh COMMAND...: starts FreeSWITCH (the command) once xmlcurld lists modules, and again whenever it ends, until a
# signal comes. FreeSWITCH asks for that list only once, at its start: without an answer it would stay up, and empty. It is
# started again in here, since a new container would have a new network, and who shares the old one would stay in it.
set -eu

freeswitch= # the number of its process, or what else there is: nothing, or one that is being started
stopping=
stop() {
    stopping=yes
    case $freeswitch in
        "") exit 143 ;;
        starting) ;; # ended as soon as its number is known
        *) kill -TERM "$freeswitch" 2>/dev/null || : ;;
    esac
}
trap stop TERM INT

# A secret may also be given as a file. mod_xml_curl reads the environment only.
if [ -n "${BOOTSTRAP_CREDENTIALS_FILE:-}" ]; then
    BOOTSTRAP_CREDENTIALS=$(cat "$BOOTSTRAP_CREDENTIALS_FILE")
    export BOOTSTRAP_CREDENTIALS
fi

# What mod_xml_curl will show, as lines of curl's own configuration, which it reads from its input: command lines can be
# seen.
curl_config() {
    curl_option user "${BOOTSTRAP_CREDENTIALS:-}"
    curl_option cacert "${BOOTSTRAP_TLS_CA:-}"
    curl_option cert "${BOOTSTRAP_TLS_CERT:-}"
    curl_option key "${BOOTSTRAP_TLS_KEY:-}"
}

# curl_option NAME VALUE: the line for it, unless it has no value.
curl_option() {
    [ -z "$2" ] || printf '%s\n' "$2" | sed 's/[\\"]/\\&/g; s/.*/'"$1"' = "&"/'
}

# asks URL: whether the server there lists modules for this node. If not, answer says why.
asks() {
    answer=$(curl_config | curl --config - --fail --silent --show-error --max-time "${BOOTSTRAP_TIMEOUT:-2}" \
        --data "hostname=${SWITCHNAME:-$(uname -n)}&section=configuration&tag_name=configuration&key_name=name&key_value=post_load_modules.conf" \
        "$1" 2>&1) || return 1
    case $answer in
        *"<load "*) return 0 ;;
    esac
    answer="it lists no modules for this node"
    return 1
}

# wait_for_server returns when one of the servers lists modules; answer holds them.
url=${BOOTSTRAP_URL:-http://127.0.0.1:8080/xml}
wait_for_server() {
    waited=0
    until asks "$url" || { [ -n "${BOOTSTRAP_URL_2:-}" ] && asks "$BOOTSTRAP_URL_2"; }; do
        [ $((waited % 10)) -ne 0 ] || echo "entrypoint: waiting for $url${BOOTSTRAP_URL_2:+ or $BOOTSTRAP_URL_2}: $answer" >&2
        pause 1
        waited=$((waited + 1))
    done
}

# pause SECONDS: a signal ends it; a bare sleep would be waited for.
pause() {
    sleep "$1" &
    wait $! || :
}

# listed_module is a module in answer that the conf tree beside this file does not load itself.
listed_module() {
    printf '%s\n' "$answer" | sed -n 's/.*<load module="\(mod_[a-z0-9_]*\)".*/\1/p' |
        grep -v -x -e mod_console -e mod_logfile -e mod_xml_curl -e mod_commands -e mod_event_socket | head -n 1
}

# watch MODULE: ends FreeSWITCH if it came up without the module, because the server went away just then. A server that
# reaches the event socket loads what is missing, and is given some seconds for it. An event socket that takes another
# password by now was told so by a server: after two minutes nothing is left to be seen.
watch() {
    empty=0 looks=0
    while [ "$empty" -lt 3 ]; do
        [ "$looks" -lt 24 ] || return 0
        looks=$((looks + 1))
        pause 5
        case $(fs_cli --timeout=3000 --password="${EVENT_SOCKET_PASSWORD:-ClueCon}" --execute="module_exists $1" 2>/dev/null) in
            true*) return ;;
            false*) empty=$((empty + 1)) ;;
        esac
    done
    echo "entrypoint: FreeSWITCH came up without $1: starting it again" >&2
    kill -TERM "$freeswitch" 2>/dev/null || :
}

while :; do
    wait_for_server
    module=$(listed_module) || module=
    began=$(date +%s)
    freeswitch=starting
    "$@" <&0 &
    freeswitch=$!
    [ -z "$stopping" ] || kill -TERM "$freeswitch"
    watcher=
    if [ -n "$module" ]; then
        (trap - TERM INT; watch "$module") &
        watcher=$!
    fi
    # A signal ends wait before FreeSWITCH has ended.
    while :; do
        status=0
        wait "$freeswitch" || status=$?
        kill -0 "$freeswitch" 2>/dev/null || break
    done
    freeswitch=
    [ -z "$watcher" ] || kill "$watcher" 2>/dev/null || :
    [ -z "$stopping" ] || exit "$status"
    # Who starts containers again knows how to wait between tries: this is left to them.
    [ $(($(date +%s) - began)) -ge 10 ] || exit "$status"
    echo "entrypoint: FreeSWITCH ended with status $status: starting it again" >&2
done
