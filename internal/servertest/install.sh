#!/bin/sh
# Installs what the tests' servers need and is not there: PostgreSQL, from
# Debian's packages. The package's own server is neither set up nor started.
set -eu

if command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
	exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo 'The tests need PostgreSQL: install the package postgresql (nothing of it has to run).' >&2
	exit 1
fi
conf=/etc/postgresql-common/createcluster.conf
if [ ! -e "$conf" ]; then
	mkdir -p "$(dirname "$conf")"
	echo 'create_main_cluster = false' >"$conf"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold postgresql
