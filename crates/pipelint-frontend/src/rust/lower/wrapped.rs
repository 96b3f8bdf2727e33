//! Functions of the `windows` crate: most yield a `Result` of what the system's own function tells by its
//! value, and take slices and `Option`s for its pointers.
//!
//! Which do, the crate's versions do not agree on: how the program takes the value decides.

use pipelint_ir::{Callee, Const, Name, Operand, PlaceId, Rvalue};
use pipelint_source::Span;
use tree_sitter::Node;

use super::library::{known_result, yields_plainly};
use super::taken::Taken;
use super::{Lowerer, Value};
use crate::rust::SiteKind;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::ty::Ty;

/// What the paths of the crate's functions begin with here.
pub(super) const CRATE: &str = "windows::";

/// Tells whether the call that yielded the first argument failed; the second names the function.
const FAILED: &str = "windows::{failed}";
/// Yields the error of the call that yielded the first argument.
const ERROR: &str = "windows::{error}";

impl Lowerer<'_> {
    /// A call of a function of the crate; none for any other.
    pub(super) fn wrapped_call(
        &mut self,
        full: &str,
        node: Node<'_>,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        wanted: bool,
    ) -> Option<Value> {
        let name = full.strip_prefix(CRATE)?;
        if name.contains("::") || self.ix.functions.contains_key(full) {
            return None;
        }
        let span = self.src.span(node);
        let taken = match yields_plainly(name) {
            true => Taken::Plain,
            false => self.taken(node, true),
        };
        let (args, made) = self.wrapped_arguments(name, args, span);
        let ret = known_result(name);
        let callee = Callee::Function(Name::new(format!("::{name}")));
        if taken == Taken::Plain {
            return Some(self.emit(callee, args, ret, dst, wanted, span));
        }
        let raw = self.emit(callee, args, ret.clone(), None, true, span);
        let raw = self.held(raw.op, ret.clone(), span);
        if taken == Taken::Somehow {
            return Some(self.unknown(vec![Operand::Copy(raw)], Ty::Unknown, span));
        }
        let failed = self.temp(Ty::Bool, span);
        let asked = vec![
            Operand::Copy(raw),
            Operand::Const(Const::Function(Name::new(name))),
        ];
        let tells = Callee::Function(Name::new_static(FAILED));
        self.emit(tells, asked, Ty::Bool, Some(failed), true, span);
        let (good, ty) = match made {
            Some(made) => (made, Ty::Unknown),
            None => (raw, ret),
        };
        let ty = Ty::result(ty, Ty::Unknown);
        let out = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
        self.retype(out, &ty);
        let (bad, whole, join) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        let cond = super::cond::nonzero(Operand::Copy(failed));
        self.f.branch(cond, bad, whole, span);
        self.f.switch_to(bad);
        let of = vec![
            Operand::Copy(raw),
            Operand::Const(Const::Function(Name::new(name))),
        ];
        let tells = Callee::Function(Name::new_static(ERROR));
        let error = self.emit(tells, of, Ty::Unknown, None, true, span);
        self.make_bad(Some(error.op), out, span);
        let cur = self.f.current();
        self.f.end(cur, pipelint_ir::Terminator::Goto(join), span);
        self.f.switch_to(whole);
        self.make_good(Operand::Copy(good), out, span);
        let cur = self.f.current();
        self.f.end(cur, pipelint_ir::Terminator::Goto(join), span);
        self.f.switch_to(join);
        Some(self.take(out, ty))
    }

    /// The arguments as the system's own function takes them, and where what the crate yields is
    /// written, if the function has a parameter for it.
    fn wrapped_arguments(
        &mut self,
        name: &str,
        args: &[Node<'_>],
        span: Span,
    ) -> (Vec<Operand>, Option<PlaceId>) {
        let mut values: Vec<Operand> = args.iter().map(|arg| self.optional(*arg)).collect();
        // A slice is a pointer and a length.
        let slice = match (name, args.len()) {
            ("ReadFile" | "WriteFile" | "ReadFileEx" | "WriteFileEx", 4) => Some((1, 2)),
            ("WSASend" | "WSARecv", 6) => Some((1, 2)),
            ("WriteConsoleA" | "WriteConsoleW", 4) => Some((1, 2)),
            ("WaitForMultipleObjects", 3) | ("WaitForMultipleObjectsEx", 4) => Some((0, 0)),
            _ => None,
        };
        if let Some((_, length)) = slice {
            let value = self.unknown(Vec::new(), Ty::Unknown, span);
            values.insert(length, value.op);
        }
        let mut made = None;
        if name == "CreatePseudoConsole" && args.len() == 4 {
            let place = self.temp(Ty::named("HPCON"), span);
            let at = self.temp_of(Rvalue::Ref(place), Ty::Ptr(Box::default()), span);
            values.push(at.op);
            made = Some(place);
        }
        (values, made)
    }

    /// An argument that may be `None`, or `Some` of the pointer.
    fn optional(&mut self, arg: Node<'_>) -> Operand {
        match kind(arg) {
            K::Identifier if self.src.text(arg) == "None" => Operand::Const(Const::Null),
            K::CallExpression => {
                let function = field(arg, F.function);
                let some = function.is_some_and(|f| self.src.text(f) == "Some");
                let list = field(arg, F.arguments).filter(|_| some);
                match list.map(|list| self.elements(list)).as_deref() {
                    Some([one]) => {
                        self.site(SiteKind::Call, arg);
                        self.value(*one).op
                    }
                    _ => self.value(arg).op,
                }
            }
            _ => self.value(arg).op,
        }
    }
}
