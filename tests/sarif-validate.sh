#!/usr/bin/env bash
# Validates a SARIF file with the official schema and with Microsoft's multitool.
#
#   tests/sarif-validate.sh [FILE]      without FILE: what pipelint says of the fixtures
#
# Needs npm and python3 (with venv). The tools are installed into $SARIF_TOOLS, or into a folder that
# is removed at the end. The file must keep to the schema, and the multitool must report no error and
# no warning; its notes are printed.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=${SARIF_TOOLS:-$work/tools}
mkdir -p "$tools"

if [ $# -gt 0 ]; then
  file=$(realpath "$1")
else
  file=$work/fixtures.sarif
  status=0
  (cd "$root" && cargo run -q -p pipelint -- check --format sarif fixtures) >"$file" || status=$?
  # 1: there are findings.
  if [ "$status" -gt 1 ]; then
    echo "pipelint failed on the fixtures with status $status" >&2
    exit 2
  fi
fi

if [ ! -x "$tools/venv/bin/check-jsonschema" ]; then
  python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" -q --disable-pip-version-check install check-jsonschema
fi
package=$tools/node_modules/@microsoft/sarif-multitool-linux
if [ ! -f "$package/sarif-2.1.0.json" ]; then
  npm install --silent --no-audit --no-fund --prefix "$tools" @microsoft/sarif-multitool
fi
# The package is published without the run bit.
chmod +x "$package/Sarif.Multitool"

echo "schema: $file"
"$tools/venv/bin/check-jsonschema" --schemafile "$package/sarif-2.1.0.json" "$file"

echo "multitool: $file"
# It exits with 0 whatever it finds, and can say nothing of a broken file: its log is what counts.
DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$package/Sarif.Multitool" validate "$file" \
  --rule-kind "Sarif;Gh" --level "Error;Warning;Note" \
  --log ForceOverwrite --output "$work/validation.sarif" >"$work/multitool.txt" 2>&1 || {
  cat "$work/multitool.txt"
  exit 1
}
[ -s "$work/validation.sarif" ] || {
  cat "$work/multitool.txt"
  echo "the multitool wrote no log" >&2
  exit 1
}
python3 - "$work/validation.sarif" <<'PYTHON'
import collections, json, sys

run = json.load(open(sys.argv[1], encoding="utf-8-sig"))["runs"][0]
invocations = run.get("invocations", [])
if not invocations or not all(i.get("executionSuccessful") for i in invocations):
    sys.exit("the multitool did not finish its work")
rules = run["tool"]["driver"].get("rules", [])
levels = collections.Counter()
kinds = collections.Counter()
for result in run.get("results", []):
    rule = rules[result["ruleIndex"]]
    level = result.get("level", "warning")
    levels[level] += 1
    kinds[level, result["ruleId"], rule.get("name", "")] += 1
    if level in ("error", "warning"):
        message = result["message"]
        text = message.get("text") or rule["messageStrings"][message["id"]]["text"]
        for at, argument in enumerate(message.get("arguments", [])):
            text = text.replace("{%d}" % at, argument)
        print(f"{level} {result['ruleId']}: {text}")
for (level, code, name), count in sorted(kinds.items()):
    print(f"{count:6} {level} {code} {name}")
if levels["error"] or levels["warning"]:
    sys.exit(f"{levels['error']} errors, {levels['warning']} warnings")
print(f"valid, with {levels['note']} notes")
PYTHON
