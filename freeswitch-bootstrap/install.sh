#!/bin/sh
# install.sh PACKAGE...: installs FreeSWITCH's Debian packages while the image is built. Their repository ($FREESWITCH_REPO)
# asks for a token; it is read from the build secret /run/secrets/signalwire_token, and no copy stays in the image.
set -eu

# A failed download would cost the whole layer, and the packages are many: apt tries each file again, and this the rest.
retry() {
    for attempt in 1 2 3 4 5; do
        "$@" && return
        echo "install.sh: attempt $attempt of 5 failed: $*" >&2
        sleep $((attempt * 5))
    done
    return 1
}

apt() {
    retry apt-get -o APT::Update::Error-Mode=any -o Acquire::Retries=10 -o Acquire::http::Timeout=60 -o Acquire::https::Timeout=60 \
        -o Dir::Etc::netrc="$netrc" -o Dpkg::Use-Pty=0 "$@"
}

netrc=$(mktemp)
trap 'rm -f "$netrc"' EXIT

host=${FREESWITCH_REPO#https://}
printf 'machine %s login signalwire password %s\n' "${host%%/*}" "$(cat /run/secrets/signalwire_token)" >"$netrc"

export DEBIAN_FRONTEND=noninteractive
apt update
apt install --yes --no-install-recommends ca-certificates curl

keyring=/usr/share/keyrings/signalwire-freeswitch-repo.gpg
retry curl --fail --silent --show-error --location --netrc-file "$netrc" --output "$keyring" \
    "$FREESWITCH_REPO/signalwire-freeswitch-repo.gpg"
echo "deb [signed-by=$keyring] $FREESWITCH_REPO/ bookworm main" >/etc/apt/sources.list.d/freeswitch.list

apt update
apt install --yes --no-install-recommends "$@"
rm -rf /var/lib/apt/lists/*
