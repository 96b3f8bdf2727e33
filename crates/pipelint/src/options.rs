//! The options of a compiler that say where includes are and what is defined.

/// A `-D` or a `-U`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    /// `NAME` or `NAME=VALUE`.
    Define(String),
    /// `NAME`.
    Undefine(String),
}

/// What one command says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Parsed {
    /// Folders of `-iquote`.
    pub(crate) quoted: Vec<String>,
    /// Folders of `-I`.
    own: Vec<String>,
    /// Folders of `-isystem` and its like, which come after all others.
    system: Vec<String>,
    /// Definitions, in order.
    pub(crate) changes: Vec<Change>,
}

#[derive(Clone, Copy)]
enum Takes {
    Quoted,
    Own,
    System,
    Define,
    Undefine,
}

/// Options of every compiler, with `-`; those that begin like others come first.
const DASH: &[(&str, Takes)] = &[
    ("-iquote", Takes::Quoted),
    ("-isystem", Takes::System),
    ("-idirafter", Takes::System),
    ("-imsvc", Takes::System),
    ("-external:I", Takes::System),
    ("-I", Takes::Own),
    ("-D", Takes::Define),
    ("-U", Takes::Undefine),
];

/// The same as Microsoft's compiler writes them: elsewhere a word that begins so is a path.
const SLASH: &[(&str, Takes)] = &[
    ("/imsvc", Takes::System),
    ("/external:I", Takes::System),
    ("/I", Takes::Own),
    ("/D", Takes::Define),
    ("/U", Takes::Undefine),
];

/// Reads the words of a command; the first is the compiler.
pub(crate) fn parse(words: &[String]) -> Parsed {
    let slashes = words.first().is_some_and(|program| is_microsofts(program))
        || words.iter().any(|word| word == "--driver-mode=cl");
    let mut parsed = Parsed::default();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let options = DASH.iter().chain(if slashes { SLASH } else { &[] });
        let found = options
            .filter_map(|(name, takes)| Some((word.strip_prefix(name)?, *takes)))
            .next();
        let Some((rest, takes)) = found else { continue };
        let value = match rest {
            "" => match words.next() {
                Some(next) => next.as_str(),
                None => break,
            },
            rest => rest,
        };
        parsed.take(takes, value, slashes);
    }
    parsed
}

/// `cl.exe` or `clang-cl`, by whatever path and in whatever case.
fn is_microsofts(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    name == "cl" || name.starts_with("clang-cl")
}

impl Parsed {
    fn take(&mut self, takes: Takes, value: &str, microsofts: bool) {
        match takes {
            Takes::Quoted => self.quoted.push(value.to_owned()),
            Takes::Own => self.own.push(value.to_owned()),
            Takes::System => self.system.push(value.to_owned()),
            Takes::Undefine => self.changes.push(Change::Undefine(value.to_owned())),
            Takes::Define => {
                // `/DNAME#VALUE` is `/DNAME=VALUE`, for shells that take the sign for their own.
                let value = match value.split_once('#') {
                    Some((name, text)) if microsofts && !name.contains('=') => {
                        format!("{name}={text}")
                    }
                    _ => value.to_owned(),
                };
                self.changes.push(Change::Define(value));
            }
        }
    }

    /// The folders of both kinds of include, in the order they are looked into.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &String> {
        self.own.iter().chain(&self.system)
    }

    /// Replaces each folder.
    pub(crate) fn resolve(&mut self, with: impl Fn(&str) -> String) {
        let all = [&mut self.quoted, &mut self.own, &mut self.system];
        for folder in all.into_iter().flatten() {
            *folder = with(folder);
        }
    }

    /// Keeps the definitions that the other has too, and adds its folders.
    pub(crate) fn share(&mut self, other: &Self) {
        self.changes.retain(|change| other.changes.contains(change));
        add(&mut self.quoted, &other.quoted);
        add(&mut self.own, &other.own);
        add(&mut self.system, &other.system);
    }
}

fn add(all: &mut Vec<String>, more: &[String]) {
    for folder in more {
        if !all.contains(folder) {
            all.push(folder.clone());
        }
    }
}
