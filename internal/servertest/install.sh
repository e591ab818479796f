#!/bin/sh
# Installs what the tests' servers need and is not there: PostgreSQL, from
# Debian's packages. The package's own server is neither set up nor started.
set -eu

if command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	cat >&2 <<'TEXT'
The tests start a PostgreSQL of their own and there is none on this machine. Install PostgreSQL (14 or newer) so that
`postgres` and `initdb` are in PATH; no server of it has to run.
TEXT
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	cat >&2 <<'TEXT'
The tests start a PostgreSQL of their own and there is none on this machine. Either run, once,

    sudo ./internal/servertest/install.sh

which installs Debian's package and starts no server, or install the package postgresql yourself. Then go on as you were.
TEXT
	exit 1
fi
conf=/etc/postgresql-common/createcluster.conf
if [ ! -e "$conf" ]; then
	mkdir -p "$(dirname "$conf")"
	echo 'create_main_cluster = false' >"$conf"
fi
export DEBIAN_FRONTEND=noninteractive
echo 'installing PostgreSQL for the tests, once' >&2
# A list that cannot be fetched is no matter as long as the package is found.
apt-get update -qq || true
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold postgresql >/dev/null
