#!/usr/bin/env bash
# Compiles the C++ twin of the pipe writer for Windows and runs its tests under Wine.
# Installs what is missing (Debian: apt). usage: tests/twin.sh
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
source=$here/fixtures/known-good/cpp
out=${TWIN_TARGET_DIR:-$here/target/twin}
compiler=x86_64-w64-mingw32-g++-posix
# A test that hangs has failed.
limit=300

missing=()
command -v "$compiler" >/dev/null || missing+=(g++-mingw-w64-x86-64)
command -v wine >/dev/null || missing+=(wine wine64)
if [ ${#missing[@]} -ne 0 ]; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

mkdir -p "$out"
"$compiler" -std=c++20 -O1 -Wall -Wextra -Werror -static -D_WIN32_WINNT=0x0A00 -DUNICODE \
  "$source"/*.cpp "$source"/tests/*.cpp -lbcrypt -lntdll -o "$out/twin.exe"

export WINEPREFIX=$out/wine WINEDEBUG=-all
unset DISPLAY
# A prefix that was made is kept: it takes longer than the tests.
[ -d "$WINEPREFIX/drive_c" ] || timeout "$limit" wineboot -i
# A program that crashes can end with status 0 under Wine: it has to say itself that all went well.
# Into a file, since a pipe would stay open as long as Wine's services.
status=0
timeout "$limit" wine "$out/twin.exe" >"$out/twin.log" 2>&1 || status=$?
cat "$out/twin.log"
[ "$status" -eq 0 ]
tr -d '\r' <"$out/twin.log" | grep -x 'all right' >/dev/null
