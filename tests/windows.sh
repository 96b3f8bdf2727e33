#!/usr/bin/env bash
# Proves the Windows side on Debian: the pipe writer is compiled for Windows and its tests run under
# Wine; it is type-checked for MSVC; the C and C++ fixtures are compiled with mingw.
# usage: tests/windows.sh
# Installs what is missing with apt, as root. Overridable by environment variables:
#   WINDOWS_DIR   where everything is kept that this script makes (target/windows)
#   CARGO_HOME_WINDOWS, WINEPREFIX   the registry's copies and Wine's files (in WINDOWS_DIR)
# docs/windows.md says what this does and does not prove.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
work=${WINDOWS_DIR:-$root/target/windows}
mkdir -p "$work"
work=$(realpath "$work")

failed=()
summary=()
# step NAME COMMAND...: runs the command and remembers how it went and how long it took.
step() {
    local name=$1 begin=$SECONDS result=ok
    shift
    echo "== $name"
    "$@" || { result=FAILED; failed+=("$name"); }
    summary+=("$(printf '%-6s %4d s  %s' "$result" $((SECONDS - begin)) "$name")")
}

# The packages of Debian's rustc for browsers, which is new enough, and the source of exactly that
# standard library; /usr/bin/rustc must be theirs.
packages=(gcc g++ gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64 wine wine64 rustc-web cargo-web rust-web-src)
knows_target() {
    [ -x /usr/bin/rustc ] && /usr/bin/rustc --print target-list | grep -qx x86_64-win7-windows-gnu
}
install_missing() {
    local missing=()
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    # An old one knows no target whose programs start under Wine.
    knows_target || missing+=(rustc-web cargo-web rust-web-src)
    [ ${#missing[@]} -eq 0 ] && return
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
    knows_target || { echo "rustc-web does not know x86_64-win7-windows-gnu" >&2; return 1; }
}

# Another rustc's settings must not reach Debian's.
unset DISPLAY RUSTUP_TOOLCHAIN RUSTFLAGS CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS
export PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
# -Zbuild-std asks for it: the standard library is built from source.
export RUSTC_BOOTSTRAP=1
export CARGO_HOME=${CARGO_HOME_WINDOWS:-$work/cargo-home} CARGO_TARGET_DIR=$work/cargo-target
export WINEPREFIX=${WINEPREFIX:-$work/wine} WINEDEBUG=-all
export CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER=wine

# The win7 target: programs of the plain one need a library that Debian's Wine does not have.
# A program that crashes can end with status 0 under Wine: each has to say itself that all went well.
writer_tests() {
    local log=$work/writer-tests.log started passed
    timeout 1800 /usr/bin/cargo test -p pipe-writer -Zbuild-std \
        --target x86_64-win7-windows-gnu --tests --no-fail-fast 2>&1 | tee "$log" || return 1
    started=$(grep -c '^ *Running ' "$log")
    passed=$(grep -c '^test result: ok' "$log")
    [ "$started" -gt 0 ] && [ "$started" -eq "$passed" ] ||
        { echo "$started programs were started, $passed passed" >&2; return 1; }
}
msvc_check() {
    timeout 1800 /usr/bin/cargo check -p pipe-writer -Zbuild-std=std,panic_abort \
        --target x86_64-pc-windows-msvc --lib
}

begin=$SECONDS
step "what is missing is installed" install_missing
if [ ${#failed[@]} -eq 0 ]; then
    step "Wine starts" timeout 300 wineboot -i
    step "the pipe writer's tests, under Wine" writer_tests
    step "the pipe writer, type-checked for MSVC" msvc_check
    step "the fixtures in C and C++, compiled" env TYPECHECK_DIR="$work/typecheck" tests/typecheck.sh c
    if [ -e tests/twin.sh ]; then
        step "the pipe writer's twin in C++, under Wine" bash tests/twin.sh
    fi
fi

echo
printf '%s\n' "${summary[@]}"
echo "$((SECONDS - begin)) s in all"
[ ${#failed[@]} -eq 0 ]
