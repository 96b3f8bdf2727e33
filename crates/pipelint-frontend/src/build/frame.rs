//! The function under construction: blocks, places, locals, and the chain of what is alive.

mod alive;

use pipelint_ir::{
    Base, Block, BlockId, Cond, Const, Function, FunctionKind, Gap, GapReason, Local, LocalId,
    LocalKind, Name, Place, PlaceId, PlaceTable, Reference, Rvalue, SourceMap, Statement,
    Terminator, Type, Wholeness, fit,
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
    /// An object that is no local: `self`, taken by value.
    Place(PlaceId),
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

    /// Gives a local its type once it is known.
    pub(crate) fn set_type(&mut self, id: LocalId, ty: Type) {
        self.locals[id.0 as usize].ty = ty;
    }

    /// Says of the call made last in the blocks from `from` on that its result is dropped on purpose.
    pub(crate) fn void_last_call(&mut self, from: BlockId) {
        let recent = self.blocks.iter_mut().skip(from.0 as usize).rev();
        for draft in recent {
            for stmt in draft.stmts.iter_mut().rev() {
                if let Statement::Call { voided, .. } = stmt {
                    *voided = true;
                    return;
                }
            }
        }
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
    pub(crate) fn finish(self, end: Span) -> Function {
        let mut function = self.build(end);
        // The functions of a whole program lie in memory together: none keeps room to grow.
        function.places.complete();
        fit(&mut function.locals);
        fit(&mut function.blocks);
        for block in &mut function.blocks {
            fit(&mut block.stmts);
            for stmt in &mut block.stmts {
                if let Statement::Call { args, .. } = stmt {
                    fit(args);
                }
            }
        }
        let map = &mut function.map;
        fit(&mut map.locals);
        fit(&mut map.terms);
        fit(&mut map.stmts);
        map.stmts.iter_mut().for_each(fit);
        function
    }

    /// As `finish`, where every way to the end has returned already.
    pub(crate) fn finish_unreached(mut self, end: Span) -> Function {
        let cur = self.cur;
        self.end(cur, Terminator::Unreachable, end);
        self.finish(end)
    }

    fn build(mut self, end: Span) -> Function {
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
        let mut drafts: Vec<_> = drafts.collect();
        super::plain::leave_out_ends(&mut drafts, &self.places, &self.locals);
        let (blocks, stmts, terms) = super::tidy::tidy(drafts);
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
            private: false,
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
