#!/bin/sh
# entrypoint.sh COMMAND...: runs the command once xmlcurld lists modules. FreeSWITCH asks for that list only once, at its
# start: without an answer it would stay up, and empty.
set -eu

# A secret may also be given as a file. mod_xml_curl reads the environment only.
if [ -n "${XMLCURL_CREDENTIALS_FILE:-}" ]; then
    XMLCURL_CREDENTIALS=$(cat "$XMLCURL_CREDENTIALS_FILE")
    export XMLCURL_CREDENTIALS
fi

# What mod_xml_curl will show, as lines of curl's own configuration, which it reads from its input: command lines can be
# seen.
curl_config() {
    curl_option user "${XMLCURL_CREDENTIALS:-}"
    curl_option cacert "${XMLCURL_TLS_CA:-}"
    curl_option cert "${XMLCURL_TLS_CERT:-}"
    curl_option key "${XMLCURL_TLS_KEY:-}"
}

# curl_option NAME VALUE: the line for it, unless it has no value.
curl_option() {
    [ -z "$2" ] || printf '%s\n' "$2" | sed 's/[\\"]/\\&/g; s/.*/'"$1"' = "&"/'
}

# asks URL: whether the server there lists modules for this node. If not, answer says why.
asks() {
    answer=$(curl_config | curl --config - --fail --silent --show-error --max-time "${XMLCURL_TIMEOUT:-2}" \
        --data "hostname=${SWITCHNAME:-$(uname -n)}&section=configuration&tag_name=configuration&key_name=name&key_value=post_load_modules.conf" \
        "$1" 2>&1) || return 1
    case $answer in
        *"<load "*) return 0 ;;
    esac
    answer="it lists no modules for this node"
    return 1
}

url=${XMLCURL_URL:-http://127.0.0.1:8080/xml}
waited=0
until asks "$url" || { [ -n "${XMLCURL_URL_2:-}" ] && asks "$XMLCURL_URL_2"; }; do
    [ $((waited % 10)) -ne 0 ] || echo "entrypoint: waiting for $url${XMLCURL_URL_2:+ or $XMLCURL_URL_2}: $answer" >&2
    sleep 1
    waited=$((waited + 1))
done

exec "$@"
