//! What the file itself says about names, gathered before any body is lowered.

use pipelint_ir::{CmpOp, Const, Language, Name, Reference, Type};
use rustc_hash::{FxHashMap, FxHashSet};

use super::tree::last_segment;
use super::types::is_plain_name;

/// A class as far as this file shows it.
#[derive(Debug, Default, Clone)]
pub(crate) struct ClassFacts {
    /// Its qualified name.
    pub(crate) name: Name,
    /// Its data members.
    pub(crate) fields: FxHashMap<Name, Type>,
    /// Its methods; true for static ones.
    pub(crate) methods: FxHashMap<Name, bool>,
    /// Its bases, as written.
    pub(crate) bases: Vec<Name>,
    /// It declares a constructor.
    pub(crate) has_constructor: bool,
    /// It declares a destructor.
    pub(crate) has_destructor: bool,
    /// A field has a default initialiser.
    pub(crate) has_inits: bool,
    /// A field is of a type that may have a constructor or destructor.
    pub(crate) has_objects: bool,
}

impl ClassFacts {
    /// Something may run when an object of it is made.
    fn begins(&self) -> bool {
        self.has_constructor || self.has_inits || self.has_objects || !self.bases.is_empty()
    }

    /// Something may run when an object of it ends.
    fn ends(&self) -> bool {
        self.has_destructor || self.has_objects || !self.bases.is_empty()
    }
}

/// Names of the file.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) language: Language,
    /// Functions, by qualified name and, for free ones, by their last segment.
    pub(crate) functions: FxHashSet<Name>,
    classes: FxHashMap<Name, usize>,
    facts: Vec<ClassFacts>,
    /// What functions return, by name as written and by qualified name.
    pub(crate) returns: FxHashMap<Name, Type>,
    /// Enumeration types.
    pub(crate) enums: FxHashSet<Name>,
    /// Enumerators and object-like macros with their values.
    pub(crate) constants: FxHashMap<Name, Const>,
    /// Enumerators, as they can be written.
    pub(crate) enumerators: FxHashSet<Name>,
    /// Type aliases.
    pub(crate) aliases: FxHashMap<Name, Type>,
    /// Variables at namespace scope.
    pub(crate) globals: FxHashMap<Name, Type>,
    /// Namespaces.
    pub(crate) namespaces: FxHashSet<Name>,
}

/// Types of the standard library, Qt, WIL and their like whose name in front of parentheses makes
/// an object: guards, owners, strings.
fn is_object_type(name: &str) -> bool {
    let last = last_segment(name);
    matches!(
        last,
        "QMutexLocker"
            | "QReadLocker"
            | "QWriteLocker"
            | "QSignalBlocker"
            | "QString"
            | "QByteArray"
            | "QStringList"
            | "QUrl"
            | "QVariant"
            | "QFile"
            | "QDir"
            | "QScopedPointer"
            | "QSharedPointer"
            | "QPointer"
            | "lock_guard"
            | "unique_lock"
            | "scoped_lock"
            | "shared_lock"
            | "unique_ptr"
            | "shared_ptr"
            | "weak_ptr"
            | "ComPtr"
            | "CComPtr"
            | "com_ptr"
            | "CHandle"
            | "CAutoPtr"
            | "CComBSTR"
            | "CString"
            | "CStringW"
            | "CStringA"
            | "ScopedHandle"
            | "ScopedHANDLE"
            | "AutoLock"
            | "AutoUnlock"
            | "MutexLocker"
            | "MutexAutoLock"
            | "CSingleLock"
            | "CCritSecLock"
            | "CComCritSecLock"
            | "scoped_refptr"
            | "RefPtr"
    ) || (name.starts_with("std::")
        && matches!(
            last,
            "string"
                | "wstring"
                | "vector"
                | "thread"
                | "jthread"
                | "optional"
                | "pair"
                | "tuple"
                | "map"
                | "set"
                | "function"
                | "runtime_error"
                | "system_error"
                | "logic_error"
                | "invalid_argument"
                | "exception"
                | "error_code"
                | "string_view"
                | "wstring_view"
                | "filesystem::path"
                | "span"
        ))
        || (name.starts_with("wil::") && last.starts_with("unique_"))
}

impl Known {
    pub(crate) fn new(language: Language) -> Self {
        Self {
            language,
            functions: FxHashSet::default(),
            returns: FxHashMap::default(),
            classes: FxHashMap::default(),
            facts: Vec::new(),
            enums: FxHashSet::default(),
            constants: FxHashMap::default(),
            enumerators: FxHashSet::default(),
            aliases: FxHashMap::default(),
            globals: FxHashMap::default(),
            namespaces: FxHashSet::default(),
        }
    }

    pub(crate) fn add_class(&mut self, facts: ClassFacts) {
        let index = self.facts.len();
        let last = Name::new(last_segment(&facts.name));
        self.classes.insert(facts.name.clone(), index);
        self.classes.insert(last, index);
        self.facts.push(facts);
    }

    /// The class of this name, qualified or by its last segment.
    pub(crate) fn class(&self, name: &str) -> Option<&ClassFacts> {
        let found = self
            .classes
            .get(name)
            .or_else(|| self.classes.get(last_segment(name)));
        found.and_then(|&index| self.facts.get(index))
    }

    /// True when `Class::name` is a data member of a class of this file.
    pub(crate) fn class_field(&self, name: &str) -> bool {
        let Some(at) = name.rfind("::") else {
            return false;
        };
        self.class(&name[..at])
            .is_some_and(|class| class.fields.contains_key(&name[at + 2..]))
    }

    /// Follows aliases of this file from a type, a few steps.
    pub(crate) fn resolve(&self, ty: &Type) -> Type {
        let mut out = ty.clone();
        for _ in 0..8 {
            let Some(next) = self.aliases.get(&out.name) else {
                break;
            };
            out.name = next.name.clone();
            out.args = next.args.clone();
            out.pointers = out.pointers.saturating_add(next.pointers);
            out.arrays = out.arrays.saturating_add(next.arrays);
            if next.name == ty.name {
                break;
            }
        }
        out
    }

    /// True when a local of this type runs a destructor, as far as names tell.
    pub(crate) fn drops(&self, ty: &Type) -> bool {
        self.is_class(ty, ClassFacts::ends)
    }

    /// True when making an object of this type runs a constructor, as far as names tell.
    pub(crate) fn begins(&self, ty: &Type) -> bool {
        self.is_class(ty, ClassFacts::begins)
    }

    /// True for an object of a class of which `known` holds, or of an unknown class.
    fn is_class(&self, ty: &Type, known: impl Fn(&ClassFacts) -> bool) -> bool {
        if self.language == Language::C || ty.pointers > 0 || ty.reference != Reference::None {
            return false;
        }
        let real = self.resolve(ty);
        if real.pointers > 0 || self.enums.contains(&real.name) {
            return false;
        }
        // A class whose definition is in sight is what that says, however it is spelt.
        let Some(class) = self.class(&real.name) else {
            return !(real.args.is_empty() && is_plain_name(&real.name));
        };
        known(class)
    }

    /// True when a value of this type is a single number or pointer.
    pub(crate) fn is_scalar(&self, ty: &Type) -> bool {
        if ty.pointers > 0 {
            return true;
        }
        let real = self.resolve(ty);
        if real.pointers > 0 || self.enums.contains(&real.name) {
            return true;
        }
        real.args.is_empty()
            && real.arrays == 0
            && (super::types::is_windows_scalar(&real.name)
                || (is_plain_name(&real.name)
                    && !super::types::all_caps(last_segment(&real.name))
                    && !real.name.is_empty()
                    && self.class(&real.name).is_none()))
    }

    /// True when a name in front of parentheses makes an object of that class.
    pub(crate) fn constructs(&self, name: &str) -> bool {
        if self.language == Language::C {
            return false;
        }
        is_object_type(name)
            || (self.class(name).is_some() && !self.functions.contains(name))
            || self.aliases.get(name).is_some_and(|ty| {
                ty.is_object() && (is_object_type(&ty.name) || self.class(&ty.name).is_some())
            })
    }

    /// True when a name in front of parentheses or braces is a conversion to a scalar type.
    pub(crate) fn converts(&self, name: &str) -> bool {
        if super::types::is_windows_scalar(name) {
            return true;
        }
        if self.functions.contains(name) {
            return false;
        }
        let name = Name::new(name);
        if super::types::all_caps(last_segment(&name)) {
            return self.aliases.contains_key(&name) || self.enums.contains(&name);
        }
        self.enums.contains(&name)
            || is_plain_name(&name)
            || self.aliases.get(&name).is_some_and(|ty| self.is_scalar(ty))
    }
}

/// `FAILED(x)`, `SUCCEEDED(x)`: how they compare a status with zero.
pub(crate) fn status_test(name: &str) -> Option<CmpOp> {
    match name {
        "FAILED" | "FAILED_LOG" | "FAILED_NTSTATUS" | "NT_ERROR" => Some(CmpOp::Lt),
        "SUCCEEDED" | "SUCCEEDED_LOG" | "SUCCEEDED_NTSTATUS" | "NT_SUCCESS" => Some(CmpOp::Ge),
        _ => None,
    }
}

/// An assertion that vanishes from release builds: what it compares decides nothing there.
pub(crate) fn vanishes(name: &str) -> bool {
    matches!(
        name,
        "assert"
            | "_ASSERT"
            | "_ASSERTE"
            | "_ASSERT_EXPR"
            | "Q_ASSERT"
            | "Q_ASSERT_X"
            | "DCHECK"
            | "ATLASSERT"
            | "WI_ASSERT"
            | "NT_ASSERT"
    )
}

/// A macro that is its argument: `TEXT("x")`, `LIKELY(x)`.
pub(crate) fn is_its_argument(name: &str) -> bool {
    matches!(
        name,
        "TEXT"
            | "_T"
            | "_TEXT"
            | "__TEXT"
            | "LIKELY"
            | "UNLIKELY"
            | "likely"
            | "unlikely"
            | "Q_LIKELY"
            | "Q_UNLIKELY"
            | "V_INT_PTR"
    )
}

/// A call of this name means something to the lowering, whatever a macro says.
pub(crate) fn has_meaning(name: &str) -> bool {
    status_test(name).is_some() || is_its_argument(name)
}
