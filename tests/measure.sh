#!/usr/bin/env bash
# Lints source trees and prints a row of docs/accuracy.md for each: files, functions, gaps, findings.
# usage: tests/measure.sh FOLDER...
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
cargo build -q --release --manifest-path "$here/Cargo.toml" -p pipelint
bin=${CARGO_TARGET_DIR:-$here/target}/release/pipelint
printf '| folder | files parsed of linted | functions | whole | gaps | findings |\n|---|---|---|---|---|---|\n'
for folder in "$@"; do
  report=$(mktemp) statistics=$(mktemp)
  (cd "$folder" && "$bin" check --format concise --statistics --config /dev/null . >"$report" 2>"$statistics") || [ $? -eq 1 ]
  awk -v folder="$folder" -v findings="$(grep -c ' PL[0-9]' "$report" || true)" '
    /^files/ { linted = $2; parsed = $4 }
    /^functions/ { functions = $2; sub(":", "", functions); whole = $5; sub("[(]", "", whole) }
    /^gap/ { gaps += $2 }
    END { printf "| %s | %d of %d | %d | %s %% | %d | %d |\n", folder, parsed, linted, functions, whole, gaps, findings }
  ' "$statistics"
  rm -f "$report" "$statistics"
done
