#!/bin/sh
# Installs what the tests need and is not there, from Debian's packages:
# PostgreSQL, whose own server is neither set up nor started, and promtool, which
# checks alert rules. Of the package prometheus nothing else is kept.
set -eu

have_postgres() {
	command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
}
have_promtool() { command -v promtool >/dev/null 2>&1; }

if have_postgres && have_promtool; then
	exit 0
fi
missing="$(have_postgres || echo PostgreSQL) $(have_promtool || echo promtool)"
if ! command -v apt-get >/dev/null 2>&1; then
	cat >&2 <<TEXT
The tests need what is not on this machine: $missing. Install PostgreSQL (14 or newer) so that \`postgres\` and \`initdb\`
are in PATH, no server of it has to run; and \`promtool\`, which comes with Prometheus.
TEXT
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	cat >&2 <<TEXT
The tests need what is not on this machine: $missing. Either run, once,

    sudo ./internal/servertest/install.sh

which takes them from Debian's packages and starts no server, or install the packages postgresql and prometheus
yourself. Then go on as you were.
TEXT
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing for the tests, once: $missing" >&2
# A list that cannot be fetched is no matter as long as the package is found.
apt-get update -qq || true
if ! have_postgres; then
	conf=/etc/postgresql-common/createcluster.conf
	if [ ! -e "$conf" ]; then
		mkdir -p "$(dirname "$conf")"
		echo 'create_main_cluster = false' >"$conf"
	fi
	apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold postgresql >/dev/null
fi
if ! have_promtool; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root prometheus)
	dpkg-deb --extract "$work"/prometheus_*.deb "$work/package"
	install -m 755 "$work/package/usr/bin/promtool" /usr/local/bin/promtool
fi
