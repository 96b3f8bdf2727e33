//! Function bodies to control-flow graphs.

mod call;
mod cast;
mod compare;
mod cond;
mod control;
mod decl;
mod expr;
mod function;
mod gap;
mod init;
mod lambda;
mod place;
mod stmt;
mod store;
mod tries;

use std::rc::Rc;

use pipelint_ir::Function;

use super::items::{Items, Space, Work};
use crate::build::frame::{self, Frame};

/// Nesting of statements and expressions that is followed; beyond it stands a gap.
const MAX_DEPTH: u32 = 160;

/// Lowers the bodies of one file.
pub(crate) struct Lowerer<'a, 't> {
    pub(crate) items: &'a mut Items<'t>,
    /// The function under construction.
    f: Frame,
    /// The functions around it, when it is a lambda.
    outer: Vec<Frame>,
    /// Where the function's own types live.
    space: Rc<Space>,
    /// Where the function lives.
    around: Rc<Space>,
    depth: u32,
    done: Vec<Function>,
}

/// Lowers everything in `items.work`; functions in source order.
pub(crate) fn lower_all(items: &mut Items<'_>) {
    let mut done = Vec::new();
    // Bodies can hold classes with methods: the list grows.
    while !items.work.is_empty() {
        for work in std::mem::take(&mut items.work) {
            let lowerer = Lowerer {
                f: Frame::new(
                    pipelint_ir::Name::default(),
                    pipelint_ir::FunctionKind::Free,
                    None,
                ),
                outer: Vec::new(),
                space: Rc::default(),
                around: Rc::default(),
                depth: 0,
                done: Vec::new(),
                items: &mut *items,
            };
            done.extend(match work {
                Work::Definition(node, space) => lowerer.definition(node, &space),
                Work::FieldInit(class, fields) => lowerer.field_init(&class, &fields),
                Work::Initialiser(name, node) => lowerer.initialiser(&name, node),
            });
        }
    }
    done.sort_by_key(|function: &Function| {
        (
            function.map.whole.start,
            std::cmp::Reverse(function.map.whole.end),
        )
    });
    items.unit.functions = done;
}
