#!/usr/bin/env bash
# Compares the Rust front end with syn over more than a million lines of public Rust: functions, calls,
# macro calls and `?`, at exactly the same places. Prints counts, differences and exceptions, and fails
# where a difference is left that nothing explains. docs/oracle.md tells what is compared.
# usage: tests/oracle.sh [FOLDER...]
#   FOLDER  Rust sources; without one, the crates below, which cargo fetches, and the standard library's
#           sources where they are installed (Debian's rust-web-src, or rustup's rust-src)
# Overridable by environment variables:
#   ORACLE_DIR      where the fetched crates are kept (target/oracle)
#   ORACLE_TARGETS  for which systems `cfg` is decided ("windows unix")
#   ORACLE_SHOW     differences shown of each kind (20)
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=${ORACLE_DIR:-$here/target/oracle}

# Crates with much code that people wrote; few are bindings or tables.
crates=(tokio=1.54.1 tokio-util=0.7.20 mio=1.2.5 socket2=0.6.5 hyper=1.12.0 h2=0.4.20 axum=0.8.9
  reqwest=0.13.5 quinn=0.11.12 quinn-proto=0.11.19 rustls=0.23.46 interprocess=2.4.7 notify=8.2.2
  nix=0.32.0 rustix=1.1.6 winit=0.30.13 async-std=1.13.2 async-io=2.6.0 futures-util=0.3.34
  crossbeam-channel=0.5.17 crossbeam-utils=0.8.23 parking_lot_core=0.9.12 rayon=1.12.0 bytes=1.12.2
  url=2.5.8 http=1.5.0 wasmtime=48.0.8 cranelift-codegen=0.135.8 naga=30.0.2 wgpu-core=30.0.2
  wgpu-hal=30.0.2 egui=0.37.0 image=0.25.10 rav1e=0.8.1 regex-automata=0.4.19 syn=3.0.10
  serde=1.0.229 serde_json=1.0.154 tracing=0.1.44 winnow=1.0.5 quick-xml=0.41.0 jiff=0.2.46
  time=0.3.55 chrono=0.4.45 sqlparser=0.62.0 diesel=2.3.14 polars-core=0.55.2 polars-plan=0.55.2
  rustpython-vm=0.6.0 gix=0.90.0 object=0.39.1 gimli=0.33.0 petgraph=0.6.5 hashbrown=0.17.2
  indexmap=2.14.2 itertools=0.15.0 num-bigint=0.4.8 object_store=0.13.2 sysinfo=0.39.6)

# Has cargo put the crates into $work/vendor, from a package made up for them.
fetch() {
  rm -rf "$work"
  mkdir -p "$work/src"
  : >"$work/src/lib.rs"
  {
    printf '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
    for crate in "${crates[@]}"; do
      printf '%s = { version = "=%s", default-features = false }\n' "${crate%%=*}" "${crate#*=}"
    done
  } >"$work/Cargo.toml"
  (cd "$work" && cargo vendor -q --versioned-dirs vendor >/dev/null)
  printf '%s\n' "${crates[@]}" >"$work/fetched"
}

at_least=0
if [ $# -eq 0 ]; then
  at_least=1000000
  printf '%s\n' "${crates[@]}" | cmp -s - "$work/fetched" || fetch
  for crate in "${crates[@]}"; do
    set -- "$@" "$work/vendor/${crate%%=*}-${crate#*=}"
  done
  for library in /usr/src/rustc-*/library "$(rustc --print sysroot)/lib/rustlib/src/rust/library"; do
    if [ -d "$library/std" ]; then
      set -- "$@" "$library"
      break
    fi
  done
fi

export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
cargo build -q --release --locked --manifest-path "$here/Cargo.toml" -p pipelint-oracle
bin=${CARGO_TARGET_DIR:-$here/target}/release/pipelint-oracle
status=0
for target in ${ORACLE_TARGETS:-windows unix}; do
  echo "== cfg of $target"
  "$bin" --target "$target" --at-least "$at_least" --show "${ORACLE_SHOW:-20}" "$@" || status=$?
done
exit "$status"
