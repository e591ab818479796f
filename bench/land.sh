#!/usr/bin/env bash
# usage: bench/land.sh [flags of `land figures`]
# Measures landing, and on the same document DuckDB (from npm, into a folder that
# is gone afterwards) and a plain Python program. What is missing is said.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 go build -C "$here/.." -o "$work/land" ./bench/land
more=(-module "$here/..")
if command -v npm >/dev/null && cp "$here"/duckdb/* "$work" && (cd "$work" && npm install --no-audit --no-fund --silent >&2); then
	more+=(-duckdb "$work")
else
	echo 'bench-land: no npm, or no package from it: DuckDB is left out' >&2
fi
if command -v python3 >/dev/null; then
	more+=(-python "$here/python/convert.py")
else
	echo 'bench-land: no python3: it is left out' >&2
fi
"$work/land" figures "${more[@]}" "$@"
