//! What the preprocessor is assumed to know before it reads a file.

use std::collections::{BTreeMap, BTreeSet};

use pipelint_ir::Language;

/// The names that `#if` sees as defined, as a compiler's `-D` and `-U` options give them.
///
/// A name that neither this nor the file defines is undefined, hence 0 in a condition, with one
/// exception: a name that speaks of a version (`OPENSSL_VERSION_NUMBER`) is taken as newer than
/// whatever it is compared with, so that of two branches the one for the newer release is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CppConfig {
    /// Names and their values; `None` stands for 1, as with a bare `-DNAME`.
    pub defines: BTreeMap<String, Option<String>>,
    /// Names that are undefined whatever `defines` says.
    pub undefines: BTreeSet<String>,
}

/// Defined in a build by the Microsoft compiler for 64-bit Windows.
///
/// `NDEBUG`, `_DEBUG` and `DEBUG` are all left undefined: debug-only branches written as
/// `#ifdef _DEBUG` are not in what is shipped, while `#ifndef NDEBUG` guards checks that do no
/// harm when read.
const WINDOWS: &[(&str, Option<&str>)] = &[
    ("_WIN32", None),
    ("WIN32", None),
    ("_WIN64", None),
    ("WIN64", None),
    ("_WINDOWS", None),
    ("Q_OS_WIN", None),
    ("Q_OS_WIN32", None),
    ("Q_OS_WIN64", None),
    ("Q_OS_WINDOWS", None),
    ("Q_CC_MSVC", Some("1930")),
    ("Q_PROCESSOR_X86_64", None),
    ("_MSC_VER", Some("1930")),
    ("_MSC_FULL_VER", Some("193030705")),
    ("_MSC_EXTENSIONS", None),
    ("_M_X64", Some("100")),
    ("_M_AMD64", Some("100")),
    ("_AMD64_", None),
    ("_INTEGRAL_MAX_BITS", Some("64")),
    ("_MT", None),
    ("_DLL", None),
    ("UNICODE", None),
    ("_UNICODE", None),
    ("__STDC__", None),
    ("__STDC_HOSTED__", None),
    ("WINVER", Some("0x0A00")),
    ("_WIN32_WINNT", Some("0x0A00")),
    ("_WIN32_IE", Some("0x0A00")),
    ("NTDDI_VERSION", Some("0x0A00000C")),
    ("_WIN32_WINNT_NT4", Some("0x0400")),
    ("_WIN32_WINNT_WIN2K", Some("0x0500")),
    ("_WIN32_WINNT_WINXP", Some("0x0501")),
    ("_WIN32_WINNT_WS03", Some("0x0502")),
    ("_WIN32_WINNT_VISTA", Some("0x0600")),
    ("_WIN32_WINNT_WIN7", Some("0x0601")),
    ("_WIN32_WINNT_WIN8", Some("0x0602")),
    ("_WIN32_WINNT_WINBLUE", Some("0x0603")),
    ("_WIN32_WINNT_WIN10", Some("0x0A00")),
    ("WINAPI_FAMILY", Some("100")),
    ("WINAPI_FAMILY_DESKTOP_APP", Some("100")),
    ("INT_MAX", Some("2147483647")),
    ("UINT_MAX", Some("4294967295")),
    ("LONG_MAX", Some("2147483647")),
    ("ULONG_MAX", Some("4294967295")),
    ("SIZE_MAX", Some("18446744073709551615")),
];

/// Defined in a build by GCC for 64-bit Linux; of the debug names the same holds as on Windows.
const UNIX: &[(&str, Option<&str>)] = &[
    ("__linux__", None),
    ("__linux", None),
    ("linux", None),
    ("__gnu_linux__", None),
    ("__unix__", None),
    ("__unix", None),
    ("unix", None),
    ("__ELF__", None),
    ("_GNU_SOURCE", None),
    ("__GNUC__", Some("13")),
    ("__GNUC_MINOR__", Some("0")),
    ("__x86_64__", None),
    ("__amd64__", None),
    ("__LP64__", None),
    ("_LP64", None),
    ("__SIZEOF_POINTER__", Some("8")),
    ("Q_OS_UNIX", None),
    ("Q_OS_LINUX", None),
    ("Q_CC_GNU", Some("1300")),
    ("Q_PROCESSOR_X86_64", None),
    ("__STDC__", None),
    ("__STDC_HOSTED__", None),
    ("INT_MAX", Some("2147483647")),
    ("UINT_MAX", Some("4294967295")),
    ("LONG_MAX", Some("9223372036854775807")),
    ("ULONG_MAX", Some("18446744073709551615")),
    ("SSIZE_MAX", Some("9223372036854775807")),
    ("SIZE_MAX", Some("18446744073709551615")),
];

impl Default for CppConfig {
    fn default() -> Self {
        Self::windows()
    }
}

impl CppConfig {
    /// A build by the Microsoft compiler for 64-bit Windows.
    pub fn windows() -> Self {
        Self::of(WINDOWS)
    }

    /// A build by GCC for 64-bit Linux.
    pub fn unix() -> Self {
        Self::of(UNIX)
    }

    fn of(names: &[(&str, Option<&str>)]) -> Self {
        let own =
            |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        Self {
            defines: names.iter().map(own).collect(),
            undefines: BTreeSet::new(),
        }
    }

    /// Defines a name as the option `-DNAME` or `-DNAME=VALUE` does; the latest option wins.
    pub fn define(&mut self, option: &str) {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        self.undefines.remove(name.trim());
        self.defines.insert(name.trim().to_owned(), value);
    }

    /// Undefines a name as the option `-UNAME` does; the latest option wins.
    pub fn undefine(&mut self, name: &str) {
        self.undefines.insert(name.trim().to_owned());
    }

    /// The value text of `name`, if it is defined when a file of `language` begins.
    pub(crate) fn value(&self, name: &str, language: Language) -> Option<&str> {
        if self.undefines.contains(name) {
            return None;
        }
        if let Some(value) = self.defines.get(name) {
            return Some(value.as_deref().unwrap_or("1"));
        }
        match (name, language) {
            ("__cplusplus" | "_MSVC_LANG", Language::Cpp) => Some("202002L"),
            ("__STDC_VERSION__", Language::C) => Some("201710L"),
            _ => None,
        }
    }
}
