//! What is alive where: scopes, jumps out of them, labels, `__finally`.

use pipelint_ir::{
    BlockId, Const, DropKind, GapReason, LocalId, Mark, Name, Operand, PlaceId, Rvalue, Statement,
    Terminator, Type,
};
use pipelint_source::Span;

use super::{Alive, Finally, Frame, Link, ROOT, Scope, What};

impl Frame {
    /// A scope's beginning.
    pub(crate) fn enter_scope(&mut self) -> Scope {
        Scope {
            at: self.at,
            names: self.declared.len(),
            unwind: self.unwind,
        }
    }

    /// A scope's end: what it declared ends, and its names mean what they meant before.
    pub(crate) fn leave_scope(&mut self, scope: &Scope, span: Span) {
        self.exit_to(scope.at, span);
        self.forget_scope(scope);
    }

    /// Restores names and what is alive without running anything: control does not come here.
    pub(crate) fn forget_scope(&mut self, scope: &Scope) {
        self.at = scope.at;
        self.forget_names(scope.names);
        self.set_unwind(scope.unwind);
    }

    /// How many names are bound, for [`Frame::forget_names`].
    pub(crate) fn names_mark(&self) -> usize {
        self.declared.len()
    }

    /// Names bound since the mark mean what they meant before.
    pub(crate) fn forget_names(&mut self, mark: usize) {
        while self.declared.len() > mark {
            if let Some(name) = self.declared.pop()
                && let Some(ids) = self.names.get_mut(&name)
            {
                ids.pop();
            }
        }
    }

    /// What is alive here.
    pub(crate) fn alive(&self) -> Link {
        self.at
    }

    /// A local becomes alive. Inside a `try`, an exception from here on runs its destructor.
    pub(crate) fn live(&mut self, id: LocalId, drops: bool, span: Span) {
        self.push_link(What::Local { id, drops });
        if drops && let Some(outer) = self.unwind {
            let place = self.place_of(id);
            let pad = self.new_block();
            let here = self.cur;
            self.unwind = None;
            self.switch_to(pad);
            self.push(
                Statement::Drop {
                    place,
                    kind: DropKind::Scope,
                },
                span,
            );
            self.push(Statement::Mark(Mark::Dead(id)), span);
            self.end(pad, Terminator::Goto(outer), span);
            self.cur = here;
            self.unwind = Some(outer);
            self.set_unwind(Some(pad));
        }
    }

    /// An object that is no local becomes alive.
    pub(crate) fn live_place(&mut self, place: PlaceId) {
        self.push_link(What::Place(place));
    }

    /// Says what is alive where control goes on; what was alive before.
    pub(crate) fn set_alive(&mut self, to: Link) -> Link {
        std::mem::replace(&mut self.at, to)
    }

    fn push_link(&mut self, what: What) {
        let depth = self.depth(self.at) + 1;
        let link = Link(u32::try_from(self.chain.len()).unwrap_or(u32::MAX - 1));
        self.chain.push(Alive {
            below: self.at,
            depth,
            what,
        });
        self.at = link;
    }

    fn depth(&self, link: Link) -> u32 {
        if link == ROOT {
            0
        } else {
            self.chain[link.0 as usize].depth
        }
    }

    /// Changes where exceptions go: what follows stands in a block of its own.
    pub(crate) fn set_unwind(&mut self, unwind: Option<BlockId>) {
        if self.unwind == unwind {
            return;
        }
        self.unwind = unwind;
        let here = self.cur;
        if self.draft(here).term.is_some() {
            return;
        }
        if self.draft(here).stmts.is_empty() {
            self.draft(here).unwind = unwind;
            return;
        }
        let next = self.new_block();
        let span = self.draft(here).spans.last().copied().unwrap_or_default();
        self.fall_into(next, span);
    }

    /// Where an exception thrown here goes.
    pub(crate) fn unwind(&self) -> Option<BlockId> {
        self.unwind
    }

    /// True when leaving the function from here ends something.
    pub(crate) fn anything_alive(&self) -> bool {
        self.at != ROOT
    }

    /// Ends everything alive above `to`, newest first.
    pub(crate) fn exit_to(&mut self, to: Link, span: Span) {
        let mut at = self.at;
        let floor = self.depth(to);
        while at != to && at != ROOT && self.depth(at) > floor {
            let alive = self.chain[at.0 as usize];
            match alive.what {
                What::Local { id, drops } => self.finish_local(id, drops, span),
                What::Finally(index) => self.pass_finally(index, span),
                What::Place(place) => self.push(
                    Statement::Drop {
                        place,
                        kind: DropKind::Scope,
                    },
                    span,
                ),
            }
            at = alive.below;
        }
    }

    fn finish_local(&mut self, id: LocalId, drops: bool, span: Span) {
        if drops {
            let place = self.place_of(id);
            self.push(
                Statement::Drop {
                    place,
                    kind: DropKind::Scope,
                },
                span,
            );
        }
        self.push(Statement::Mark(Mark::Dead(id)), span);
    }

    /// Ends the class temporaries of a full expression, newest first, down to `keep` of them.
    pub(crate) fn end_temps(&mut self, keep: usize, span: Span) {
        while self.temps.len() > keep {
            if let Some(place) = self.temps.pop() {
                self.push(
                    Statement::Drop {
                        place,
                        kind: DropKind::Scope,
                    },
                    span,
                );
            }
        }
    }

    /// Control leaves from here: the temporaries beyond the first `keep` end on this way too.
    pub(crate) fn leave_temps(&mut self, keep: usize, span: Span) {
        for i in (keep..self.temps.len()).rev() {
            let place = self.temps[i];
            self.push(
                Statement::Drop {
                    place,
                    kind: DropKind::Scope,
                },
                span,
            );
        }
    }

    // Labels.

    /// Ends the current block with a jump to a label, known now or later.
    pub(crate) fn goto(&mut self, label: Name, span: Span) {
        let from = self.cur;
        let alive = self.at;
        self.gotos.push((from, label, alive, span));
        // The edge is filled in by `resolve_gotos`; until then the block stays open.
        self.cur = self.new_block();
    }

    /// A label stands here.
    pub(crate) fn label(&mut self, label: Name, span: Span) {
        let block = self.new_block();
        self.fall_into(block, span);
        let alive = self.at;
        self.labels.entry(label).or_insert((block, alive));
    }

    pub(super) fn resolve_gotos(&mut self) {
        for (from, label, alive, span) in std::mem::take(&mut self.gotos) {
            if self.draft(from).term.is_some() {
                continue;
            }
            self.cur = from;
            self.unwind = self.draft(from).unwind;
            let Some(&(to, there)) = self.labels.get(&label) else {
                // No such label: the code does not compile, or the label was not understood.
                self.opaque(Vec::new(), GapReason::Unsupported(Name::new("label")), span);
                let cur = self.cur;
                self.end(cur, Terminator::Unreachable, span);
                continue;
            };
            let common = self.common(alive, there);
            self.at = alive;
            self.exit_to(common, span);
            self.live_between(common, there, span);
            let cur = self.cur;
            self.end(cur, Terminator::Goto(to), span);
        }
    }

    /// Control jumps past declarations: their locals begin without a value.
    pub(crate) fn live_between(&mut self, from: Link, to: Link, span: Span) {
        let mut at = to;
        let mut marks = Vec::new();
        while at != from && at != ROOT {
            let alive = self.chain[at.0 as usize];
            if let What::Local { id, .. } = alive.what {
                marks.push(id);
            }
            at = alive.below;
        }
        for id in marks.into_iter().rev() {
            self.push(Statement::Mark(Mark::Live(id)), span);
        }
    }

    fn common(&self, mut a: Link, mut b: Link) -> Link {
        while a != b {
            if self.depth(a) >= self.depth(b) {
                a = self.chain[a.0 as usize].below;
            } else {
                b = self.chain[b.0 as usize].below;
            }
        }
        a
    }

    // `__finally`.

    /// A `__finally` covers what follows.
    pub(crate) fn enter_finally(&mut self, span: Span) {
        let selector = self.temp(Type::named("int"), span);
        let entry = self.new_block();
        let index = self.finallies.len();
        self.finallies.push(Finally {
            selector,
            entry,
            ways: Vec::new(),
        });
        self.push_link(What::Finally(index));
    }

    /// Control goes through a `__finally`, and goes on in a new block behind it.
    fn pass_finally(&mut self, index: usize, span: Span) {
        let Finally {
            selector,
            entry,
            ref ways,
        } = self.finallies[index];
        let way = i128::try_from(ways.len()).unwrap_or(i128::MAX);
        let value = Rvalue::Use(Operand::Const(Const::Int(way)));
        self.assign(selector, value, span);
        let from = self.cur;
        let next = self.new_block();
        self.end(from, Terminator::Goto(entry), span);
        self.finallies[index].ways.push((from, next));
        self.switch_to(next);
    }

    /// Goes to the body of the innermost `__finally`, now that every way into it is known; its
    /// index.
    pub(crate) fn open_finally(&mut self) -> usize {
        let mut index = 0;
        if self.at != ROOT {
            let alive = self.chain[self.at.0 as usize];
            if let What::Finally(found) = alive.what {
                index = found;
            }
            self.at = alive.below;
        }
        let entry = self.finallies[index].entry;
        self.switch_to(entry);
        index
    }

    /// The end of a `__finally`'s body: each way goes on where it was going.
    pub(crate) fn close_finally(&mut self, index: usize, span: Span) {
        self.closed.push((index, self.cur, span));
        self.cur = self.new_block();
    }

    pub(super) fn link_finallies(&mut self) {
        for (index, end, span) in std::mem::take(&mut self.closed) {
            let selector = self.finallies[index].selector;
            let ways = std::mem::take(&mut self.finallies[index].ways);
            let term = match ways.as_slice() {
                [] => Terminator::Unreachable,
                [(from, next)] => {
                    // One way only: it needs no selector.
                    let draft = self.draft(*from);
                    draft.stmts.pop();
                    draft.spans.pop();
                    Terminator::Goto(*next)
                }
                [rest @ .., (_, last)] => {
                    let values = (0i128..).map(Const::Int);
                    let arms = values.zip(rest.iter().map(|way| way.1)).collect();
                    Terminator::Switch {
                        on: Operand::Copy(selector),
                        arms,
                        default: *last,
                    }
                }
            };
            self.end(end, term, span);
        }
    }
}
