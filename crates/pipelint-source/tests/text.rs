//! Bytes to text, and what is no text.

use std::path::Path;

use pipelint_source::{Decoded, Encoding, ReadError, decode, read, read_from};

fn decoded(bytes: &[u8]) -> Decoded {
    decode(bytes.to_vec(), Path::new("f.c")).unwrap_or_else(|error| panic!("{error}"))
}

type ToBytes = fn(u16) -> [u8; 2];

fn utf16(text: &str, to_bytes: ToBytes) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

const CODE: &str = "int main() { return 0; } // größe, 管道, 😀\r\n";

#[test]
fn utf_8_with_and_without_a_mark() {
    let with_mark = [b"\xef\xbb\xbf", CODE.as_bytes()].concat();
    for bytes in [CODE.as_bytes(), &with_mark] {
        let found = decoded(bytes);
        assert_eq!(
            (found.text.as_str(), found.encoding),
            (CODE, Encoding::Utf8)
        );
    }
}

#[test]
fn utf_16_with_and_without_a_mark() {
    let cases: [(ToBytes, Encoding); 2] = [
        (u16::to_le_bytes, Encoding::Utf16Le),
        (u16::to_be_bytes, Encoding::Utf16Be),
    ];
    for (to_bytes, encoding) in cases {
        for mark in ["", "\u{feff}"] {
            let found = decoded(&utf16(&format!("{mark}{CODE}"), to_bytes));
            assert_eq!((found.text.as_str(), found.encoding), (CODE, encoding));
        }
        // Half a character at the end, and half a pair.
        let mut cut = utf16(&format!("\u{feff}{CODE}"), to_bytes);
        cut.extend(to_bytes(0xd83d));
        cut.push(b'x');
        assert!(decoded(&cut).text.starts_with(CODE));
    }
}

#[test]
fn other_bytes_are_windows_1252() {
    let found = decoded(b"// gr\xf6\xdfe \x80 \x93x\x94\nint x;\n");
    assert_eq!(found.text, "// größe € “x”\nint x;\n");
    assert_eq!(found.encoding, Encoding::Latin1);
}

#[test]
fn empty_and_tiny_files_are_text() {
    for text in ["", "a", "ab", "\n", "\r\n"] {
        assert_eq!(decoded(text.as_bytes()).text, text);
    }
    assert_eq!(decoded(b"\xff").text, "ÿ");
    assert_eq!(decoded(b"\xef\xbb\xbf").text, "");
    assert_eq!(decoded(b"\xff\xfe").text, "");
}

#[test]
fn binary_files_are_told_apart() {
    let mut random = Vec::new();
    let mut state = 1u32;
    for _ in 0..4096 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random.push((state >> 24) as u8);
    }
    let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 64]].concat();
    let controls = b"\x01\x02\x03\x04 mostly words but not only \x05\x06\x07\x08".to_vec();
    for bytes in [random, elf, controls, b"int x;\0".to_vec()] {
        let error = decode(bytes, Path::new("dir/f.c")).expect_err("binary data is no text");
        assert!(matches!(error, ReadError::Binary { .. }), "{error}");
        assert_eq!(error.to_string(), "dir/f.c is not text");
        assert!(error.help().contains(".pipelintignore"));
    }
}

#[test]
fn form_feeds_and_an_end_of_file_mark_are_text() {
    assert_eq!(
        decoded(b"int x;\n\x0c\nint y;\n\x1a").text,
        "int x;\n\x0c\nint y;\n\x1a"
    );
}

#[test]
fn a_file_that_cannot_be_read_names_itself() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("missing.c");
    let error = read(&path).expect_err("there is no such file");
    assert!(matches!(error, ReadError::Io { .. }));
    assert!(error.to_string().contains("missing.c"), "{error}");
    assert!(!error.help().is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("huge.c");
    let file = std::fs::File::create(&path).expect("a file");
    // A hole: it takes no room.
    file.set_len(3 << 30).expect("the length is set");
    let error = read(&path).expect_err("too large");
    assert!(matches!(error, ReadError::TooLarge { size, .. } if size == 3 << 30));
    assert!(error.to_string().contains("huge.c"), "{error}");
}

#[test]
fn a_stream_goes_by_its_name() {
    let found = read_from(CODE.as_bytes(), Path::new("x.c")).expect("text");
    assert_eq!(found.text, CODE);
    let error = read_from(&b"\0\0\0"[..], Path::new("x.c")).expect_err("no text");
    assert_eq!(error.to_string(), "x.c is not text");
}
