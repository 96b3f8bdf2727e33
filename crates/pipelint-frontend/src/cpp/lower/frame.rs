//! The function under construction: blocks, places, locals, and the chain of what is alive.

use pipelint_ir::{
    Base, Block, BlockId, Cond, Const, DropKind, Function, FunctionKind, Gap, GapReason, Local,
    LocalId, LocalKind, Mark, Name, Operand, Place, PlaceId, PlaceTable, Reference, Rvalue,
    SourceMap, Statement, Terminator, Type, Wholeness,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Statements of one function above which it is given up.
const MAX_STATEMENTS: usize = 400_000;

/// Index into the chain of live things; [`ROOT`] is the function's outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link(u32);

/// Where nothing is alive.
pub(crate) const ROOT: Link = Link(u32::MAX);

/// One live thing, on top of those alive before it.
#[derive(Debug, Clone, Copy)]
struct Alive {
    below: Link,
    depth: u32,
    what: What,
}

/// What is left when control goes below a link.
#[derive(Debug, Clone, Copy)]
enum What {
    /// A local; `drops` when its destructor runs.
    Local { id: LocalId, drops: bool },
    /// The `__finally` of this index.
    Finally(usize),
}

/// A block under construction.
struct Draft {
    stmts: Vec<Statement>,
    spans: Vec<Span>,
    term: Option<(Terminator, Span)>,
    unwind: Option<BlockId>,
}

/// A place that `break`, `continue` or `__leave` can go to.
pub(crate) struct Target {
    /// Where `break` goes, and what is alive there.
    pub(crate) brk: Option<(BlockId, Link)>,
    /// Where `continue` goes.
    pub(crate) cont: Option<(BlockId, Link)>,
    /// Where `__leave` goes.
    pub(crate) leave: Option<(BlockId, Link)>,
}

/// A switch under construction.
pub(crate) struct Arms {
    /// What is alive at its head.
    pub(crate) base: Link,
    pub(crate) arms: Vec<(Const, BlockId)>,
    pub(crate) seen: FxHashSet<Const>,
    pub(crate) default: Option<BlockId>,
}

/// A `__finally`: where its body begins, and where each way through it goes on.
struct Finally {
    selector: PlaceId,
    entry: BlockId,
    ways: Vec<(BlockId, BlockId)>,
}

/// The place a `throw` goes to, and what is alive there.
pub(crate) type Handler = (BlockId, Link);

/// A saved scope, to be restored by [`Frame::leave_scope`].
pub(crate) struct Scope {
    at: Link,
    names: usize,
    unwind: Option<BlockId>,
}

/// A function under construction.
pub(crate) struct Frame {
    pub(crate) name: Name,
    pub(crate) class: Option<Name>,
    pub(crate) kind: FunctionKind,
    pub(crate) ret: Type,
    pub(crate) params: u32,
    locals: Vec<Local>,
    local_spans: Vec<Span>,
    local_places: Vec<PlaceId>,
    pub(crate) places: PlaceTable,
    blocks: Vec<Draft>,
    cur: BlockId,
    /// Where an exception thrown here goes.
    unwind: Option<BlockId>,
    /// Where a `throw` here goes.
    pub(crate) handler: Option<Handler>,
    names: FxHashMap<Name, Vec<LocalId>>,
    declared: Vec<Name>,
    chain: Vec<Alive>,
    at: Link,
    pub(crate) targets: Vec<Target>,
    pub(crate) switches: Vec<Arms>,
    labels: FxHashMap<Name, (BlockId, Link)>,
    gotos: Vec<(BlockId, Name, Link, Span)>,
    finallies: Vec<Finally>,
    /// Ends of `__finally` bodies, linked once every `goto` is known.
    closed: Vec<(usize, BlockId, Span)>,
    /// Temporaries of class type that end with the full expression.
    pub(crate) temps: Vec<PlaceId>,
    gaps: Vec<Gap>,
    statements: usize,
    pub(crate) lambdas: u32,
    /// Names of the enclosing function that a lambda uses, in order.
    pub(crate) captured: Vec<Name>,
    captured_set: FxHashSet<Name>,
    pub(crate) whole: Span,
    pub(crate) name_span: Span,
}

impl Frame {
    pub(crate) fn new(name: Name, kind: FunctionKind, class: Option<Name>) -> Self {
        let mut frame = Self {
            name,
            class,
            kind,
            ret: Type::default(),
            params: 0,
            locals: Vec::new(),
            local_spans: Vec::new(),
            local_places: Vec::new(),
            places: PlaceTable::default(),
            blocks: Vec::new(),
            cur: BlockId(0),
            unwind: None,
            handler: None,
            names: FxHashMap::default(),
            declared: Vec::new(),
            chain: Vec::new(),
            at: ROOT,
            targets: Vec::new(),
            switches: Vec::new(),
            labels: FxHashMap::default(),
            gotos: Vec::new(),
            finallies: Vec::new(),
            closed: Vec::new(),
            temps: Vec::new(),
            gaps: Vec::new(),
            statements: 0,
            lambdas: 0,
            captured: Vec::new(),
            captured_set: FxHashSet::default(),
            whole: Span::default(),
            name_span: Span::default(),
        };
        frame.cur = frame.new_block();
        frame
    }

    // Blocks.

    /// A new, empty block.
    pub(crate) fn new_block(&mut self) -> BlockId {
        let id = BlockId(u32::try_from(self.blocks.len()).unwrap_or(u32::MAX));
        self.blocks.push(Draft {
            stmts: Vec::new(),
            spans: Vec::new(),
            term: None,
            unwind: self.unwind,
        });
        id
    }

    /// Goes on in `block`.
    pub(crate) fn switch_to(&mut self, block: BlockId) {
        self.cur = block;
        let unwind = self.unwind;
        self.draft(block).unwind = unwind;
    }

    fn draft(&mut self, block: BlockId) -> &mut Draft {
        &mut self.blocks[block.0 as usize]
    }

    /// The current block.
    pub(crate) fn current(&self) -> BlockId {
        self.cur
    }

    /// Adds a statement.
    pub(crate) fn push(&mut self, statement: Statement, span: Span) {
        if self.statements > MAX_STATEMENTS {
            return;
        }
        self.statements += 1;
        let cur = self.cur;
        let draft = self.draft(cur);
        if draft.term.is_none() {
            draft.stmts.push(statement);
            draft.spans.push(span);
        }
    }

    /// Adds an assignment.
    pub(crate) fn assign(&mut self, dst: PlaceId, value: Rvalue, span: Span) {
        self.push(Statement::Assign { dst, value }, span);
    }

    /// Ends the current block and goes on in a new one that nothing leads to yet.
    pub(crate) fn terminate(&mut self, term: Terminator, span: Span) {
        let cur = self.cur;
        self.end(cur, term, span);
        self.cur = self.new_block();
    }

    /// Ends a block, unless it has ended already.
    pub(crate) fn end(&mut self, block: BlockId, term: Terminator, span: Span) {
        let draft = self.draft(block);
        if draft.term.is_none() {
            draft.term = Some((term, span));
        }
    }

    /// Ends the current block with a jump to `to`, and goes on there.
    pub(crate) fn fall_into(&mut self, to: BlockId, span: Span) {
        let cur = self.cur;
        self.end(cur, Terminator::Goto(to), span);
        self.switch_to(to);
    }

    /// Ends the current block with a branch.
    pub(crate) fn branch(&mut self, cond: Cond, then: BlockId, otherwise: BlockId, span: Span) {
        let cur = self.cur;
        self.end(
            cur,
            Terminator::Branch {
                cond,
                then,
                otherwise,
            },
            span,
        );
    }

    // Places and locals.

    /// A new local.
    pub(crate) fn local(&mut self, name: Name, ty: Type, kind: LocalKind, span: Span) -> LocalId {
        let id = LocalId(u32::try_from(self.locals.len()).unwrap_or(u32::MAX));
        self.locals.push(Local {
            name,
            ty,
            kind,
            sal: Vec::new(),
        });
        self.local_spans.push(span);
        let place = self.places.intern(Place::from_base(Base::Local(id)));
        self.local_places.push(place);
        id
    }

    /// Sets the SAL words of a parameter.
    pub(crate) fn set_sal(&mut self, id: LocalId, sal: Vec<Name>) {
        self.locals[id.0 as usize].sal = sal;
    }

    /// The place of a local.
    pub(crate) fn place_of(&self, id: LocalId) -> PlaceId {
        self.local_places[id.0 as usize]
    }

    /// A local.
    pub(crate) fn local_info(&self, id: LocalId) -> &Local {
        &self.locals[id.0 as usize]
    }

    /// A new temporary's place.
    pub(crate) fn temp(&mut self, ty: Type, span: Span) -> PlaceId {
        let id = self.local(Name::default(), ty, LocalKind::Temp, span);
        self.place_of(id)
    }

    /// Makes a name mean a local from here to the end of the scope.
    pub(crate) fn bind(&mut self, name: Name, id: LocalId) {
        if name.is_empty() {
            return;
        }
        self.names.entry(name.clone()).or_default().push(id);
        self.declared.push(name);
    }

    /// The local a name means here.
    pub(crate) fn lookup(&self, name: &str) -> Option<LocalId> {
        self.names.get(name).and_then(|ids| ids.last()).copied()
    }

    /// Notes that a lambda uses a variable of the function around it.
    pub(crate) fn capture(&mut self, name: &Name) {
        if self.captured_set.insert(name.clone()) {
            self.captured.push(name.clone());
        }
    }

    // What is alive.

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

    fn resolve_gotos(&mut self) {
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

    fn link_finallies(&mut self) {
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

    // Gaps.

    /// Notes a gap that stands for no statement.
    pub(crate) fn gap(&mut self, reason: GapReason, span: Span) -> u32 {
        let index = u32::try_from(self.gaps.len()).unwrap_or(u32::MAX);
        self.gaps.push(Gap { span, reason });
        index
    }

    /// Code here was not lowered.
    pub(crate) fn opaque(&mut self, touches: Vec<PlaceId>, reason: GapReason, span: Span) {
        let gap = self.gap(reason, span);
        self.push(Statement::Opaque { touches, gap }, span);
    }

    // The end.

    /// Ends the function by falling off its end, and builds it.
    pub(crate) fn finish(mut self, end: Span) -> Function {
        let cur = self.cur;
        self.end(cur, Terminator::Return(None), end);
        self.resolve_gotos();
        self.link_finallies();
        if self.statements > MAX_STATEMENTS {
            self.give_up(GapReason::TooLarge);
        }
        let drafts = self.blocks.into_iter().map(|draft| {
            let (term, at) = draft.term.unwrap_or((Terminator::Unreachable, end));
            let block = Block {
                stmts: draft.stmts,
                term,
                unwind: draft.unwind,
            };
            (block, draft.spans, at)
        });
        let (blocks, stmts, terms) = super::tidy::tidy(drafts.collect());
        let wholeness = if self.gaps.is_empty() {
            Wholeness::Whole
        } else if self
            .gaps
            .iter()
            .any(|gap| gap.reason == GapReason::TooLarge)
        {
            Wholeness::GivenUp
        } else {
            Wholeness::Partial
        };
        Function {
            name: self.name,
            class: self.class,
            kind: self.kind,
            internal: false,
            noreturn: false,
            ret: self.ret,
            params: self.params,
            locals: self.locals,
            places: self.places,
            blocks,
            gaps: self.gaps,
            wholeness,
            map: SourceMap {
                name: self.name_span,
                whole: self.whole,
                locals: self.local_spans,
                stmts,
                terms,
            },
        }
    }

    /// Throws the body away: it becomes one `Opaque`.
    fn give_up(&mut self, reason: GapReason) {
        self.blocks.clear();
        self.gaps.clear();
        self.unwind = None;
        self.statements = 0;
        self.cur = self.new_block();
        let touches = self.local_places.clone();
        let span = self.whole;
        self.opaque(touches, reason, span);
        let cur = self.cur;
        self.end(cur, Terminator::Return(None), span);
    }
}

/// True when reads of a local of this type go through a dereference.
pub(crate) fn is_reference(ty: &Type) -> bool {
    ty.reference != Reference::None
}
