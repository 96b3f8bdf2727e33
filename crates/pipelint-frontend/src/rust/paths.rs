//! What paths mean: modules, what they declare, and what their `use` brings in.

use pipelint_ir::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::format_smolstr;

/// Steps through re-exports and globs before a path is left as it is.
const DEPTH: u32 = 12;

/// A module: its own items, and what it uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Module {
    /// Names of items that stand in it: functions, types, constants, modules.
    pub(crate) items: FxHashSet<Name>,
    /// `use a::b as c`: what `c` stands for, as written.
    pub(crate) uses: FxHashMap<Name, Vec<Name>>,
    /// `use a::*`, as written.
    pub(crate) globs: Vec<Vec<Name>>,
    /// What the globs bring in: full paths, once all modules are known.
    targets: Vec<Vec<Name>>,
}

/// All modules of a run, by their paths.
#[derive(Debug, Default)]
pub(crate) struct Modules(FxHashMap<Name, Module>);

/// Crates that hold the system's own functions and types under their own names.
const RAW: &[&str] = &[
    "windows_sys",
    "winapi",
    "libc",
    "ntapi",
    "windows_targets",
    "kernel32",
    "advapi32",
    "ws2_32",
];

impl Modules {
    /// Adds what one file says of a module.
    pub(crate) fn add(&mut self, name: Name, module: Module) {
        let known = self.0.entry(name).or_default();
        known.items.extend(module.items);
        for (alias, path) in module.uses {
            known.uses.entry(alias).or_insert(path);
        }
        known.globs.extend(module.globs);
    }

    /// Finds out once what every glob brings in. To be called when all modules are there: until then
    /// globs bring in nothing.
    pub(crate) fn settle(&mut self) {
        // A glob's path may begin with what another glob brings in: the second time that is known.
        self.settle_once();
        self.settle_once();
    }

    fn settle_once(&mut self) {
        let found: Vec<(Name, Vec<Vec<Name>>)> = self
            .0
            .iter()
            .filter(|(_, module)| !module.globs.is_empty())
            .map(|(name, module)| {
                let globs = module.globs.iter();
                let target = |glob: &Vec<Name>| self.full(name, glob, 4);
                let of = globs.map(|glob| target(glob).unwrap_or_else(|| glob.clone()));
                (name.clone(), of.collect())
            })
            .collect();
        for (name, mut targets) in found {
            if let Some(module) = self.0.get_mut(&name) {
                let mut seen = FxHashSet::default();
                targets.retain(|target| seen.insert(target.clone()));
                module.targets = targets;
            }
        }
    }

    /// The full paths of what a module uses: globs as their module's `*`.
    pub(crate) fn imports(&self, module: &str) -> Vec<Name> {
        let Some(here) = self.get(module) else {
            return Vec::new();
        };
        let mut out: Vec<Name> = here
            .uses
            .values()
            .map(|path| self.resolve(module, path))
            .collect();
        for glob in &here.globs {
            let of = self.resolve(module, glob);
            out.push(format_smolstr!("{of}::*"));
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// True for a module that its parent, which is known, does not declare on this target: its names
    /// are not what others mean.
    pub(crate) fn is_off(&self, module: &str) -> bool {
        let mut at = module;
        while let Some((parent, last)) = at.rsplit_once("::") {
            if self
                .get(parent)
                .is_some_and(|parent| !parent.items.contains(last))
            {
                return true;
            }
            at = parent;
        }
        false
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Module> {
        self.0.get(name)
    }

    /// The full path of what a path written in a module means.
    pub(crate) fn resolve(&self, module: &str, path: &[Name]) -> Name {
        let full = self.full(module, path, DEPTH);
        canonical(&full.unwrap_or_else(|| path.to_vec()))
    }

    /// As `resolve`, as segments, before the names of libraries are made uniform; none when the
    /// first segment is no name of the module's.
    fn full(&self, module: &str, path: &[Name], depth: u32) -> Option<Vec<Name>> {
        let (first, rest) = path.split_first()?;
        let depth = depth.checked_sub(1)?;
        match first.as_str() {
            "" => return self.absolute(rest, depth),
            "crate" | "$crate" => {
                let mut all = vec![root(module)];
                all.extend_from_slice(rest);
                return self.absolute(&all, depth);
            }
            "self" => {
                let mut all = segments(module);
                all.extend_from_slice(rest);
                return self.absolute(&all, depth);
            }
            "super" => {
                let parent = module
                    .rsplit_once("::")
                    .map_or(module, |(parent, _)| parent);
                let mut all = vec![Name::new_static("self")];
                all.extend_from_slice(rest);
                if rest.first().is_some_and(|next| next == "super") {
                    return self.full(parent, rest, depth);
                }
                return self.full(parent, &all, depth);
            }
            _ => {}
        }
        let here = self.get(module);
        if let Some(here) = here {
            if here.items.contains(first) {
                let mut all = segments(module);
                all.extend_from_slice(path);
                return self.absolute(&all, depth);
            }
            if let Some(target) = here.uses.get(first) {
                let mut all = target.clone();
                all.extend_from_slice(rest);
                // `use foo::foo;` and a crate of that name.
                if target.first() == Some(first) && target.len() == 1 {
                    return self.absolute(&all, depth);
                }
                return self
                    .full(module, &all, depth)
                    .or_else(|| self.absolute(&all, depth));
            }
            if let Some(found) = self.through_globs(module, here, path, depth) {
                return Some(found);
            }
        }
        if path.len() > 1 {
            return self.absolute(path, depth);
        }
        None
    }

    /// A name that a glob of the module brings in.
    fn through_globs(
        &self,
        module: &str,
        here: &Module,
        path: &[Name],
        depth: u32,
    ) -> Option<Vec<Name>> {
        let first = path.first()?;
        let mut outside = None;
        for target in &here.targets {
            let name: Name = target.join("::").into();
            if name == module {
                continue;
            }
            match self.get(&name) {
                Some(there) => {
                    let declared = there.items.contains(first) || there.uses.contains_key(first);
                    let mut all = target.clone();
                    all.extend_from_slice(path);
                    if declared {
                        return self.absolute(&all, depth);
                    }
                    if !there.targets.is_empty() && depth > 2 {
                        let inner = self.through_globs(&name, there, path, depth / 2);
                        if inner.is_some() {
                            return inner;
                        }
                    }
                }
                None if brings_in(target, path) => {
                    let mut all = target.clone();
                    all.extend_from_slice(path);
                    outside.get_or_insert(all);
                }
                None => {}
            }
        }
        // A name of the prelude's is not what such a glob means.
        outside.filter(|_| !is_prelude(first))
    }

    /// Follows a path from its crate on, through re-exports.
    fn absolute(&self, path: &[Name], depth: u32) -> Option<Vec<Name>> {
        let mut module = String::new();
        for (i, segment) in path.iter().enumerate() {
            if !module.is_empty() {
                let Some(here) = self.get(&module) else {
                    break;
                };
                if !here.items.contains(segment) {
                    let Some(depth) = depth.checked_sub(1) else {
                        break;
                    };
                    let rest = &path[i..];
                    let found = if here.uses.contains_key(segment) {
                        self.full(&module, rest, depth)
                    } else {
                        self.through_globs(&module, here, rest, depth)
                    };
                    if found.is_some() {
                        return found;
                    }
                    break;
                }
                module.push_str("::");
            }
            module.push_str(segment);
        }
        Some(path.to_vec())
    }
}

/// The segments of a path.
pub(crate) fn segments(path: &str) -> Vec<Name> {
    path.split("::").map(Name::new).collect()
}

fn root(module: &str) -> Name {
    Name::new(module.split("::").next().unwrap_or(module))
}

fn is_system(name: &str) -> bool {
    RAW.contains(&name) || name == "windows"
}

/// Whether a glob of a module of the system's crates may be what the first name of a path means. Of a
/// longer path that name is a module or a crate: the modules of `windows-sys` and `windows` begin with a
/// capital, `winapi` has its own in `um` and the like, and the others have none.
fn brings_in(target: &[Name], path: &[Name]) -> bool {
    let [of, inner @ ..] = target else {
        return false;
    };
    let [first, _, ..] = path else {
        return is_system(of);
    };
    match of.as_str() {
        "windows" | "windows_sys" => first.starts_with(|c: char| c.is_ascii_uppercase()),
        "winapi" => inner.len() < 2 && !matches!(first.as_str(), "std" | "core" | "alloc"),
        _ => false,
    }
}

fn is_prelude(name: &str) -> bool {
    matches!(
        name,
        "Option" | "Some" | "None" | "Result" | "Ok" | "Err" | "Box" | "Vec" | "String" | "drop"
    )
}

/// One name for what libraries call by several: `core` and `alloc` are `std`, and the system's own
/// functions and types stand without the crate that declares them.
pub(crate) fn canonical(path: &[Name]) -> Name {
    let Some((first, rest)) = path.split_first() else {
        return Name::default();
    };
    let Some(last) = rest.last() else {
        return first.clone();
    };
    match first.as_str() {
        // A plain name in small letters may be anybody's: this one is the system's.
        name if RAW.contains(&name) && last.starts_with(|c: char| c.is_ascii_lowercase()) => {
            format_smolstr!("::{last}")
        }
        name if RAW.contains(&name) => last.clone(),
        // Its functions yield a `Result`, which those of the others do not.
        "windows" if last.starts_with(|c: char| c.is_ascii_uppercase()) => {
            let raw = last
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            match last.as_str() {
                "Result" => last.clone(),
                _ if raw => last.clone(),
                _ => format_smolstr!("windows::{last}"),
            }
        }
        "std" | "core" | "alloc" => standard(rest),
        _ => path.join("::").into(),
    }
}

/// Paths within the standard library: prelude names alone, and one place for each trait and type.
fn standard(rest: &[Name]) -> Name {
    let joined = rest.join("::");
    match joined.as_str() {
        "option::Option" => return "Option".into(),
        "option::Option::Some" | "option::Option::None" => {
            return Name::new(&joined["option::Option::".len()..]);
        }
        "result::Result" | "io::Result" | "fmt::Result" | "thread::Result" => {
            return "Result".into();
        }
        "result::Result::Ok" | "result::Result::Err" => {
            return Name::new(&joined["result::Result::".len()..]);
        }
        "boxed::Box" => return "Box".into(),
        "vec::Vec" => return "Vec".into(),
        "string::String" => return "String".into(),
        "mem::drop" => return "drop".into(),
        _ => {}
    }
    for (prefix, place) in [
        ("os::windows::prelude::", "os::windows::io::"),
        ("os::unix::prelude::", "os::unix::io::"),
        ("os::fd::", "os::unix::io::"),
        ("os::unix::io::", "os::unix::io::"),
        ("os::windows::raw::", "os::windows::io::"),
        ("boxed::Box::", "Box::"),
        ("vec::Vec::", "Vec::"),
        ("string::String::", "String::"),
        ("option::Option::", "Option::"),
        ("result::Result::", "Result::"),
        ("ffi::c_str::", "ffi::"),
        ("ffi::os_str::", "ffi::"),
    ] {
        if let Some(last) = joined.strip_prefix(prefix) {
            return match place {
                "Box::" | "Vec::" | "String::" | "Option::" | "Result::" => {
                    format_smolstr!("{place}{last}")
                }
                _ => format_smolstr!("std::{place}{last}"),
            };
        }
    }
    format_smolstr!("std::{joined}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Name> {
        segments(text)
    }

    #[test]
    fn names_of_libraries_are_uniform() {
        let is = |from: &str, to: &str| assert_eq!(canonical(&path(from)), to);
        is(
            "windows_sys::Win32::System::Threading::CreateEventW",
            "CreateEventW",
        );
        is(
            "windows::Win32::System::Threading::CreateEventW",
            "windows::CreateEventW",
        );
        is("windows::Win32::Foundation::HANDLE", "HANDLE");
        is("core::ptr::null_mut", "std::ptr::null_mut");
        is("std::io::Result", "Result");
        is("std::os::fd::OwnedFd", "std::os::unix::io::OwnedFd");
    }

    #[test]
    fn a_module_of_another_system_keeps_its_path() {
        let mut modules = Modules::default();
        let mut root = Module::default();
        root.items.insert("sys".into());
        modules.add("mio".into(), root);
        let mut sys = Module::default();
        sys.items.insert("windows".into());
        sys.globs.push(path("self::windows"));
        modules.add("mio::sys".into(), sys);
        let mut unix = Module::default();
        unix.items.insert("Selector".into());
        modules.add("mio::sys::unix".into(), unix);
        modules.settle();
        let own = modules.resolve("mio::sys::unix", &path("Selector"));
        assert_eq!(own, "mio::sys::unix::Selector");
        assert!(modules.is_off("mio::sys::unix"));
        assert!(!modules.is_off("mio::sys::windows"));
    }

    #[test]
    fn re_exports_and_globs_are_followed() {
        let mut modules = Modules::default();
        let mut root = Module::default();
        root.items.insert("sys".into());
        root.items.insert("net".into());
        modules.add("mio".into(), root);
        let mut sys = Module::default();
        sys.items.insert("windows".into());
        sys.globs.push(path("self::windows"));
        modules.add("mio::sys".into(), sys);
        let mut windows = Module::default();
        windows.items.insert("connect".into());
        modules.add("mio::sys::windows".into(), windows);
        let mut net = Module::default();
        net.uses.insert("sys".into(), path("crate::sys"));
        net.globs.push(path("windows_sys::Win32::Foundation"));
        modules.add("mio::net".into(), net);
        modules.settle();
        assert_eq!(
            modules.resolve("mio::net", &path("sys::connect")),
            "mio::sys::windows::connect"
        );
        assert_eq!(
            modules.resolve("mio::net", &path("CloseHandle")),
            "CloseHandle"
        );
        assert_eq!(
            modules.resolve("mio::net", &path("super::sys::connect")),
            "mio::sys::windows::connect"
        );
    }
}
