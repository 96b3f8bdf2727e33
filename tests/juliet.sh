#!/usr/bin/env bash
# Scores pipelint on NIST Juliet 1.3.
# usage: tests/juliet.sh SOURCES LIST SCORER MAP [scorer options]
#   SOURCES  a checkout with the folders testcases and testcasesupport
#   LIST     paths of the cases, one a line, relative to SOURCES
#   SCORER   a script that takes SARIF, sources, --files LIST and --map MAP
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
sources=$1 list=$(realpath "$2") scorer=$(realpath "$3") map=$(realpath "$4")
shift 4
cargo build -q --release --manifest-path "$here/Cargo.toml" -p pipelint
bin=${CARGO_TARGET_DIR:-$here/target}/release/pipelint
report=$(mktemp --suffix=.sarif)
trap 'rm -f "$report"' EXIT
cd "$sources"
# The support files hold the constants that decide the flows.
xargs -s 1500000 -x "$bin" check --format sarif testcasesupport <"$list" >"$report" || [ $? -eq 123 ]
python3 "$scorer" "$report" testcases --files "$list" --map "$map" "$@"
