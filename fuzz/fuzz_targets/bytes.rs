//! Arbitrary bytes as a source file. The first byte chooses the ending.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((ending, bytes)) = data.split_first() else { return };
    let name = ["a.cpp", "a.c", "a.h"][usize::from(*ending) % 3];
    common::run(name, bytes);
});
