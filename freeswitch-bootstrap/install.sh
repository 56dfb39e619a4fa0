#!/bin/sh
# install.sh PACKAGE...: installs FreeSWITCH's Debian packages while the image is built. Their repository ($FREESWITCH_REPO)
# asks for a token; it is read from the build secret /run/secrets/signalwire_token, and no copy stays in the image.
set -eu

token=$(cat /run/secrets/signalwire_token)
if [ -z "$token" ]; then
    echo 'install.sh: the token is empty: export SIGNALWIRE_TOKEN=… and build again' >&2
    exit 1
fi

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
printf 'machine %s login signalwire password %s\n' "${host%%/*}" "$token" >"$netrc"

export DEBIAN_FRONTEND=noninteractive
apt update
apt install --yes --no-install-recommends ca-certificates curl

# A token that is not taken will not be taken at the next attempt either.
case $(curl --silent --output /dev/null --write-out '%{http_code}' --location --netrc-file "$netrc" "$FREESWITCH_REPO/signalwire-freeswitch-repo.gpg") in
    401 | 403)
        echo "install.sh: $FREESWITCH_REPO does not take the token: export the right SIGNALWIRE_TOKEN=… and build again" >&2
        exit 1
        ;;
esac

keyring=/usr/share/keyrings/signalwire-freeswitch-repo.gpg
retry curl --fail --silent --show-error --location --netrc-file "$netrc" --output "$keyring" \
    "$FREESWITCH_REPO/signalwire-freeswitch-repo.gpg"
echo "deb [signed-by=$keyring] $FREESWITCH_REPO/ bookworm main" >/etc/apt/sources.list.d/freeswitch.list

apt update
apt install --yes --no-install-recommends "$@"
rm -rf /var/lib/apt/lists/*
