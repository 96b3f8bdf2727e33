#!/usr/bin/env bash
# Lints labelled places of public code, and prints which faults are found and where there is a false alarm.
# usage: tests/corpus.sh REPOSITORIES LABELS [options]
#   REPOSITORIES  a folder of git repositories named OWNER+NAME: bare, a clone, or OWNER+NAME/repo
#   LABELS        a folder with cases.tsv and negatives.tsv; tests/corpus.py says what they hold
#   options       --only ID, --families ABC, --languages C,C++, --at-least PERCENT, --alarms-at-most N,
#                 --standing-at-most N; `--help` explains them
# PIPELINT names the binary; without it a release binary is built.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${PIPELINT:-}" ] && [ "${1:-}" != --help ]; then
  cargo build -q --release --manifest-path "$here/Cargo.toml" -p pipelint
  PIPELINT=${CARGO_TARGET_DIR:-$here/target}/release/pipelint
  export PIPELINT
fi
exec python3 "$here/tests/corpus.py" "$@"
