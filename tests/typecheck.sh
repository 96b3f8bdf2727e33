#!/usr/bin/env bash
# Has every fixture and every documented example of a rule compiled, as far as to its types: C and C++ by
# mingw, Rust by rustc for x86_64-pc-windows-gnu and against the real crates; what is for POSIX by the
# compilers of this machine.
# usage: tests/typecheck.sh [c] [rust]     (without a word: both)
# Prints what the compilers say and then the files that do not compile; the exit status is 1 if there are
# any. Installs mingw (with apt) and rustup's target if they are missing.
# Overridable by environment variables:
#   TYPECHECK_DIR   where everything is kept that this script makes (target/typecheck)
#   JOBS            how many compilers run at once (as many as there are processors)
#   FIXTURE         a word: only files whose path holds it
# tests/typecheck holds the versions of the crates (Cargo.lock pins them) and stand-ins for what fixtures
# leave out of the linter's sight: headers, and a crate.
set -uo pipefail
cd "$(dirname "$0")/.."
given=$PWD/tests/typecheck
work=${TYPECHECK_DIR:-$PWD/target/typecheck}
mkdir -p "$work"
work=$(realpath "$work")
jobs=${JOBS:-$(nproc)}

# Fixtures that no compiler here takes, and why. Whatever else does not compile is a fault.
declare -A uncompiled=(
    [fixtures/cpp/PL103-leaked-handle/good_structured_exceptions.c]="__try, which is MSVC's alone"
)
# Fixtures in Rust that are for tests/typecheck/older.
older=(
    fixtures/false-alarms/behind_a_guard.rs
    fixtures/false-alarms/view_of_a_placeholder.rs
    fixtures/rust/PL103-leaked-handle/bad_in_a_plain_local.rs
    fixtures/rust/PL103-leaked-handle/bad_results_of_the_windows_crate.rs
    fixtures/rust/PL103-leaked-handle/bad_view_in_a_struct.rs
    fixtures/rust/PL501-unchecked-io-result/bad_not_registered.rs
    fixtures/rust/PL501-unchecked-io-result/bad_not_registered_again.rs
    fixtures/rust/PL501-unchecked-io-result/good_registered.rs
    fixtures/rust/PL504-stale-last-error/good_unknown_call.rs
)
for file in "${!uncompiled[@]}" "${older[@]}"; do
    [ -e "$file" ] || { echo "named in $0, but not there: $file" >&2; exit 1; }
done
# What has one of these is for POSIX.
posix_c='^ *# *include <(unistd\.h|sys/(socket|syscall|wait|mman|ioctl|un|epoll|eventfd)\.h|poll\.h|spawn\.h)>'
posix_rust='std::os::(fd|unix)|\blibc::'

# The documented examples, each file with the line numbers that its lines have in the rule.
examples() {
    local rule into
    rm -rf "$work/examples"
    for rule in rules/src/*/*.rs; do
        into=$work/examples/$(dirname "${rule#rules/src/}")
        mkdir -p "$into"
        awk -v into="$into/$(basename "$rule" .rs)" '
            out && /^ *\/\/\/ ```$/ { close(out); out = "" }
            out { sub(/^ *\/\/\/ ?/, ""); print > out }
            match($0, /```(c|cpp|rust),(bad|good)$/) {
                split(substr($0, RSTART + 3), words, ",")
                out = into "_" NR "_" words[2] "." (words[1] == "rust" ? "rs" : words[1])
                for (line = 1; line <= NR; line++) print "" > out
            }' "$rule"
    done
}
# sources NAME...: the files to compile whose names are like one of these.
sources() {
    local name file names=()
    for name in "$@"; do names+=(-o -name "$name"); done
    while IFS= read -r file; do
        if [ -n "${uncompiled[$file]-}" ]; then
            echo "left out: $file: ${uncompiled[$file]}" >&2
        else
            echo "$file"
        fi
    done < <(find fixtures "$work/examples" -type f \( "${names[@]:1}" \) | grep -F -- "${FIXTURE-}" | sort)
}

install_mingw() {
    local package missing=()
    for package in gcc g++ gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}
# mingw gcc|g++ ARGUMENT...: the compiler for Windows.
mingw() {
    local gcc=$1
    shift
    "x86_64-w64-mingw32-$gcc-posix" -D_WIN32_WINNT=0x0A00 -DNTDDI_VERSION=0x0A000006 "$@"
}
# compile FILE: checks a file in C or C++, and writes down if it failed.
compile() {
    local file=$1 gcc=g++ options=(-std=c++20) said
    case $file in
    # What newer compilers do not take either.
    *.c) gcc=gcc options=(-std=c11 -D_GNU_SOURCE -Werror={implicit-function-declaration,int-conversion,incompatible-pointer-types}) ;;
    esac
    options+=(-fsyntax-only -iquote "$given/headers")
    if grep -qE "$posix_c" "$file"; then
        said=$("$gcc" "${options[@]}" -I"$given/headers/posix" "$file" 2>&1)
    else
        said=$(mingw "$gcc" "${options[@]}" -I"$work/headers/$gcc" "$file" 2>&1)
    fi || { echo "$said"; echo "$file" >>"$work/failed"; }
}
export given work posix_c
export -f mingw compile
check_c() {
    install_mingw || return 1
    # The compiler takes <windows.h> ready-made where nothing stands before it, in a fifth of the time.
    local gcc options
    for gcc in gcc g++; do
        [ "$gcc" = gcc ] && options=(-std=c11 -D_GNU_SOURCE -x c-header) || options=(-std=c++20 -x c++-header)
        mkdir -p "$work/headers/$gcc"
        echo '#include_next <windows.h>' >"$work/headers/$gcc/windows.h"
        mingw "$gcc" "${options[@]}" -w "$work/headers/$gcc/windows.h" -o "$work/headers/$gcc/windows.h.gch" || return 1
    done
    sources '*.c' '*.cpp' >"$work/c.list"
    files=$((files + $(wc -l <"$work/c.list")))
    tr '\n' '\0' <"$work/c.list" | xargs -0 -r -n 1 -P "$jobs" bash -c 'compile "$0"'
    counts+=("$(sources '*.c' 2>/dev/null | wc -l) in C" "$(sources '*.cpp' 2>/dev/null | wc -l) in C++")
}

check_rust() {
    local target=x86_64-pc-windows-gnu log=$work/cargo.log file package name status=0
    local -A file_of=()
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] || rustup target add "$target" || return 1
    rm -rf "$work/rust"
    # The times too: what has not changed is not checked again.
    cp -a "$given" "$work/rust"
    sources '*.rs' >"$work/rust.list"
    files=$((files + $(wc -l <"$work/rust.list")))
    while IFS= read -r file; do
        package=windows
        if [[ " ${older[*]} " == *" $file "* ]]; then
            package=older
        elif grep -qE "$posix_rust" "$file"; then
            package=unix
        fi
        name=${file#"$work/"}
        name=${name//\//--}
        name=${name%.rs}
        file_of[$name]=$file
        printf '\n[[example]]\nname = "%s"\npath = "%s"\ncrate-type = ["lib"]\n' \
            "$name" "$(realpath "$file")" >>"$work/rust/$package/Cargo.toml"
    done <"$work/rust.list"
    local check=(cargo check --manifest-path "$work/rust/Cargo.toml" --locked --examples --keep-going -j "$jobs")
    export CARGO_TARGET_DIR=$work/cargo-target CARGO_TERM_COLOR=never RUSTFLAGS="-A warnings"
    "${check[@]}" --target "$target" -p fixtures-windows -p fixtures-older 2>&1 | tee "$log" || status=1
    "${check[@]}" -p fixtures-unix 2>&1 | tee -a "$log" || status=1
    while IFS= read -r name; do
        echo "${file_of[$name]}" >>"$work/failed"
    done < <(sed -n 's/^error: could not compile .* (example "\([^"]*\)").*/\1/p' "$log")
    counts+=("$(wc -l <"$work/rust.list") in Rust")
    return $status
}

[ $# -gt 0 ] || set -- c rust
begin=$SECONDS
counts=()
stopped=()
files=0
: >"$work/failed"
examples
for what in "$@"; do
    case $what in
    c | rust) "check_$what" || stopped+=("$what") ;;
    *) echo "usage: $0 [c] [rust]" >&2; exit 2 ;;
    esac
done

echo
sort "$work/failed" | sed 's/^/does not compile: /'
failures=$(wc -l <"$work/failed")
if [ "$failures" -eq 0 ] && [ ${#stopped[@]} -ne 0 ]; then
    echo "did not come to its end: ${stopped[*]}"
fi
printf '%s, ' "${counts[@]}"
echo "$failures do not compile; $((SECONDS - begin)) s"
[ "$files" -gt 0 ] && [ "$failures" -eq 0 ] && [ ${#stopped[@]} -eq 0 ]
