#!/bin/sh
# Installs the programs that the tests of the job service need, from Debian's packages, where they are not there.
set -eu
wanted=""
command -v chromium >/dev/null || wanted="$wanted chromium"
command -v promtool >/dev/null || wanted="$wanted prometheus"
[ -n "$wanted" ] || exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "the tests of the job service need Debian's packages$wanted: install them, or run this as root" >&2
    exit 1
fi
apt-get update --quiet=2
# Versions are those of the distribution's release. Of prometheus only promtool is used.
DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install --quiet=2 --yes --no-install-recommends $wanted >/dev/null
