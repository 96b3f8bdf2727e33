//! Bytes to text.

use std::io::Read;
use std::path::{Path, PathBuf};

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use thiserror::Error;

/// Files larger than this are refused: offsets are 32 bits wide.
const LARGEST: u64 = 1 << 30;
/// Bytes looked at to tell text from binary data.
const SAMPLE: usize = 8192;

/// How a file's bytes were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
    /// Bytes that are no UTF-8: read as Windows-1252, a superset of Latin-1.
    Latin1,
}

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// How it was read.
    pub encoding: Encoding,
}

/// Why a file could not be read as text.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The system refuses.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No text.
    #[error("{} is not text", path.display())]
    Binary {
        /// The file.
        path: PathBuf,
    },
    /// Too large.
    #[error("{} has {size} bytes, more than the {LARGEST} that can be linted", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
}

impl ReadError {
    /// What the user can do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "check that the file exists and may be read, or exclude it in .pipelintignore"
            }
            Self::Binary { .. } => "exclude it in .pipelintignore if it is no source file",
            Self::TooLarge { .. } => {
                "exclude it in .pipelintignore; no hand-written source is this large"
            }
        }
    }
}

/// Reads and decodes a file.
pub fn read(path: &Path) -> Result<Decoded, ReadError> {
    let fail = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(fail)?.len();
    if size > LARGEST {
        return Err(ReadError::TooLarge {
            path: path.to_owned(),
            size,
        });
    }
    decode(std::fs::read(path).map_err(fail)?, path)
}

/// Reads and decodes a stream; `name` stands for it in messages.
pub fn read_from(input: impl Read, name: &Path) -> Result<Decoded, ReadError> {
    let mut bytes = Vec::new();
    let read = input.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|source| ReadError::Io {
        path: name.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(ReadError::TooLarge {
            path: name.to_owned(),
            size: bytes.len() as u64,
        });
    }
    decode(bytes, name)
}

/// Decodes bytes: by a byte order mark, else UTF-8, else UTF-16 if every other byte is NUL, else
/// Windows-1252.
pub fn decode(bytes: Vec<u8>, path: &Path) -> Result<Decoded, ReadError> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(&bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
        let known = match encoding {
            e if e == UTF_16LE => Encoding::Utf16Le,
            e if e == UTF_16BE => Encoding::Utf16Be,
            _ => Encoding::Utf8,
        };
        debug_assert!(encoding == UTF_8 || known != Encoding::Utf8);
        return Ok(Decoded {
            text: text.into_owned(),
            encoding: known,
        });
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if let Some((encoding, known)) = wide(sample) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes);
        return Ok(Decoded {
            text: text.into_owned(),
            encoding: known,
        });
    }
    if is_binary(sample) {
        return Err(ReadError::Binary {
            path: path.to_owned(),
        });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Decoded {
            text,
            encoding: Encoding::Utf8,
        }),
        Err(error) => {
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(error.as_bytes());
            Ok(Decoded {
                text: text.into_owned(),
                encoding: Encoding::Latin1,
            })
        }
    }
}

/// UTF-16 without a mark: source text is mostly ASCII, so one byte of nearly every pair is NUL.
fn wide(sample: &[u8]) -> Option<(&'static encoding_rs::Encoding, Encoding)> {
    let pairs = sample.len() / 2;
    if pairs < 4 {
        return None;
    }
    let nul = |at: usize| {
        sample
            .iter()
            .skip(at)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd) = (nul(0), nul(1));
    if odd * 10 >= pairs * 8 && even * 10 < pairs {
        Some((UTF_16LE, Encoding::Utf16Le))
    } else if even * 10 >= pairs * 8 && odd * 10 < pairs {
        Some((UTF_16BE, Encoding::Utf16Be))
    } else {
        None
    }
}

/// A NUL, or more than one byte in twenty that no text holds.
fn is_binary(sample: &[u8]) -> bool {
    let odd = sample
        .iter()
        .filter(|b| **b < 0x20 && !matches!(**b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1a | 0x1b));
    sample.contains(&0) || odd.count() * 20 > sample.len()
}
