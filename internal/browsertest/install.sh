#!/bin/sh
# Brings what the browser tests need and is not there: Chromium from Debian's
# packages, and axe-core, at the version that axe.go names, from npm into the
# user's cache.
set -eu

here=$(dirname "$0")
version=$(sed -n 's/^const axeVersion = "\(.*\)"$/\1/p' "$here/axe.go")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/weir-tests/axe-core-$version"

if [ ! -s "$cache/package/axe.min.js" ]; then
	if ! command -v npm >/dev/null; then
		echo 'The browser tests need axe-core: install npm.' >&2
		exit 1
	fi
	mkdir -p "$cache"
	archive=$(cd "$cache" && npm pack --silent "axe-core@$version")
	tar -xzf "$cache/$archive" -C "$cache"
	rm "$cache/$archive"
fi

if command -v chromium >/dev/null; then
	exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo 'The browser tests need Chromium: install the package chromium.' >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
