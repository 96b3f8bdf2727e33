//! Facts about a function's graph: order, loops, live locals.

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, LocalId, LocalKind, Name, Operand, Place, PlaceId, Proj,
    Rvalue, Statement, Terminator,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::successors;

/// Facts about one function's graph.
pub(crate) struct Cfg {
    /// Per block: its place in reverse postorder.
    pub(crate) order: Vec<u32>,
    /// Per loop head, in order: the blocks of its loop.
    loops: Vec<(usize, FxHashSet<usize>)>,
    /// Per block: the heads of the loops that it is in.
    pub(crate) around: Vec<Vec<u32>>,
    /// Per block: number of its first statement.
    pub(crate) first: Vec<u32>,
    live: Vec<Vec<u64>>,
    /// Names of fields and globals, and per block which of them it or a later block reads.
    names: FxHashMap<Name, usize>,
    mentioned: Vec<Vec<u64>>,
    /// Per block: it or one behind it calls a method on the object.
    on_self: Vec<bool>,
    /// Locals whose address is taken: always live.
    addressed: Vec<bool>,
    statics: Vec<LocalId>,
}

impl Cfg {
    pub(crate) fn new(function: &Function, own: &dyn Fn(&str) -> bool) -> Self {
        let n = function.blocks.len();
        let succ: Vec<Vec<usize>> = function
            .blocks
            .iter()
            .map(|b| {
                let mut out = Vec::new();
                successors(&b.term, |s| {
                    if s < n {
                        out.push(s);
                    }
                });
                out.extend(b.unwind.map(|u| u.0 as usize).filter(|u| *u < n));
                out
            })
            .collect();
        let (order, heads) = order_and_heads(&succ);
        let mut pred = vec![Vec::new(); n];
        for (b, out) in succ.iter().enumerate() {
            for &s in out {
                pred[s].push(b);
            }
        }
        let mut loops = Vec::new();
        for (head, tails) in heads {
            // The natural loop: what reaches a back edge's tail without passing the head.
            let mut body = FxHashSet::default();
            body.insert(head);
            let mut todo = tails;
            while let Some(b) = todo.pop() {
                if body.insert(b) {
                    todo.extend(&pred[b]);
                }
            }
            loops.push((head, body));
        }
        let mut around = vec![Vec::new(); n];
        for (head, body) in &loops {
            for &b in body {
                around[b].push(u32::try_from(*head).unwrap_or(u32::MAX));
            }
        }
        let mut first = Vec::with_capacity(n);
        let mut count = 0u32;
        for block in &function.blocks {
            first.push(count);
            count += u32::try_from(block.stmts.len()).unwrap_or(u32::MAX / 2) + 1;
        }
        let (live, addressed) = liveness(function, &succ, &order);
        let (names, mentioned) = mentions(function, &succ, &order);
        Self {
            names,
            mentioned,
            on_self: on_self(function, &succ, own),
            order,
            loops,
            around,
            first,
            live,
            addressed,
            statics: (0u32..)
                .zip(&function.locals)
                .filter(|(_, l)| l.kind == LocalKind::Static)
                .map(|(i, _)| LocalId(i))
                .collect(),
        }
    }

    pub(crate) fn has_loops(&self) -> bool {
        !self.loops.is_empty()
    }

    /// The blocks of the loop that this block is the head of.
    pub(crate) fn loop_at(&self, block: usize) -> Option<&FxHashSet<usize>> {
        let at = self.loops.binary_search_by_key(&block, |(head, _)| *head);
        at.ok().map(|i| &self.loops[i].1)
    }

    /// True when this block of a destructor, or one behind it, calls a method on the object. What ends the
    /// object is asked there; elsewhere, what each path knows of the fields would keep too many apart.
    pub(crate) fn calls_on_self(&self, block: usize) -> bool {
        self.on_self[block]
    }

    /// True when this block or a later one reads a field or global of this name.
    pub(crate) fn is_mentioned(&self, block: usize, name: &Name) -> bool {
        let n = self.names.get(name);
        n.is_some_and(|n| self.mentioned[block][n / 64] >> (n % 64) & 1 == 1)
    }

    /// True when every way to block `to` leads through block `through`.
    pub(crate) fn always_passes(&self, function: &Function, through: usize, to: usize) -> bool {
        if through == to || through == 0 {
            return true;
        }
        let mut seen = vec![false; function.blocks.len()];
        let mut todo = vec![0usize];
        while let Some(b) = todo.pop() {
            if b == through || seen.get(b).is_none_or(|s| *s) {
                continue;
            }
            if b == to {
                return false;
            }
            seen[b] = true;
            successors(&function.blocks[b].term, |s| todo.push(s));
            todo.extend(function.blocks[b].unwind.map(|u| u.0 as usize));
        }
        true
    }

    /// True when `local` may still be read after entering `block`.
    /// A static: what it held is asked for again where it is assigned over.
    pub(crate) fn is_static(&self, local: LocalId) -> bool {
        self.statics.contains(&local)
    }

    pub(crate) fn is_live(&self, block: usize, local: LocalId) -> bool {
        let l = local.0 as usize;
        self.addressed.get(l).copied().unwrap_or(true)
            || self.live[block]
                .get(l / 64)
                .is_none_or(|w| w >> (l % 64) & 1 == 1)
    }
}

/// Reverse postorder numbers (unreachable blocks last), and loop heads with their back edges.
fn order_and_heads(succ: &[Vec<usize>]) -> (Vec<u32>, Vec<(usize, Vec<usize>)>) {
    let n = succ.len();
    let mut state = vec![0u8; n];
    let mut post = Vec::with_capacity(n);
    let mut heads: std::collections::BTreeMap<usize, Vec<usize>> = Default::default();
    let mut stack: Vec<(usize, usize)> = Vec::new();
    if n > 0 {
        stack.push((0, 0));
        state[0] = 1;
    }
    while let Some((b, i)) = stack.last_mut() {
        let b = *b;
        match succ[b].get(*i) {
            Some(&s) => {
                *i += 1;
                match state[s] {
                    0 => {
                        state[s] = 1;
                        stack.push((s, 0));
                    }
                    1 => heads.entry(s).or_default().push(b),
                    _ => {}
                }
            }
            None => {
                state[b] = 2;
                post.push(b);
                stack.pop();
            }
        }
    }
    let mut order = vec![u32::MAX; n];
    for (i, &b) in post.iter().rev().enumerate() {
        order[b] = u32::try_from(i).unwrap_or(u32::MAX);
    }
    (order, heads.into_iter().collect())
}

/// The name a place is read by: its last field, else its base; none for a plain pointee.
fn read_name(place: &Place) -> Option<&Name> {
    let field = place.proj.iter().rev().find_map(|step| match step {
        Proj::Field(name) => Some(name),
        _ => None,
    });
    field.or(match &place.base {
        Base::Global(name) | Base::Captured(name) => Some(name),
        _ => None,
    })
}

fn on_self(function: &Function, succ: &[Vec<usize>], own: &dyn Fn(&str) -> bool) -> Vec<bool> {
    let calls = |stmt: &Statement| match stmt {
        Statement::Call {
            callee: Callee::Method { receiver, .. },
            ..
        } => {
            let place = &function.places[*receiver];
            place.base == Base::SelfObj && place.proj.is_empty()
        }
        // C++ leaves `this->` out.
        Statement::Call {
            callee: Callee::Function(name),
            ..
        } => function.class.is_some() && own(name),
        _ => false,
    };
    let mut found: Vec<bool> = function
        .blocks
        .iter()
        .map(|block| block.stmts.iter().any(calls))
        .collect();
    found.resize(succ.len(), false);
    if function.kind != FunctionKind::Destructor {
        found.fill(false);
    }
    // As far as it goes: backwards until nothing changes.
    let mut changed = found.contains(&true);
    while changed {
        changed = false;
        for (at, next) in succ.iter().enumerate() {
            if !found[at] && next.iter().any(|&n| found.get(n) == Some(&true)) {
                found[at] = true;
                changed = true;
            }
        }
    }
    found
}

fn mentions(
    function: &Function,
    succ: &[Vec<usize>],
    order: &[u32],
) -> (FxHashMap<Name, usize>, Vec<Vec<u64>>) {
    let mut names: FxHashMap<Name, usize> = FxHashMap::default();
    let numbers: Vec<Option<usize>> = function
        .places
        .iter()
        .map(|(_, place)| {
            let name = read_name(place)?;
            let next = names.len();
            Some(*names.entry(name.clone()).or_insert(next))
        })
        .collect();
    let words = names.len().div_ceil(64);
    let mut found = vec![vec![0u64; words]; succ.len()];
    for (bits, block) in found.iter_mut().zip(&function.blocks) {
        let mut read = |place: PlaceId| {
            if let Some(n) = numbers[place.0 as usize] {
                bits[n / 64] |= 1 << (n % 64);
            }
        };
        for stmt in &block.stmts {
            visit_reads(stmt, &mut read);
        }
        visit_term_reads(&block.term, &mut read);
    }
    let mut by_order: Vec<usize> = (0..succ.len()).collect();
    by_order.sort_by_key(|&b| std::cmp::Reverse(order[b]));
    let mut changed = true;
    while changed {
        changed = false;
        for &b in &by_order {
            let mut now = found[b].clone();
            for &s in &succ[b] {
                for (word, more) in now.iter_mut().zip(&found[s]) {
                    *word |= more;
                }
            }
            if now != found[b] {
                found[b] = now;
                changed = true;
            }
        }
    }
    (names, found)
}

fn liveness(function: &Function, succ: &[Vec<usize>], order: &[u32]) -> (Vec<Vec<u64>>, Vec<bool>) {
    let n = function.blocks.len();
    let locals = function.locals.len();
    let words = locals.div_ceil(64);
    let mut addressed = vec![false; locals];
    let mut gen_ = vec![vec![0u64; words]; n];
    let mut kill = vec![vec![0u64; words]; n];
    for (b, block) in function.blocks.iter().enumerate() {
        let (gen_, kill) = (&mut gen_[b], &mut kill[b]);
        let mut read = |place: PlaceId, gen_: &mut Vec<u64>, kill: &Vec<u64>| {
            if let Base::Local(l) = function.places[place].base {
                let l = l.0 as usize;
                if l < locals && kill[l / 64] >> (l % 64) & 1 == 0 {
                    gen_[l / 64] |= 1 << (l % 64);
                }
            }
        };
        for stmt in &block.stmts {
            visit_reads(stmt, |p| read(p, gen_, kill));
            match stmt {
                Statement::Assign { dst, value } => {
                    if let Rvalue::Ref(place) = value {
                        mark_addressed(function, *place, &mut addressed);
                    }
                    if let Rvalue::Closure(_, captures) = value {
                        for (place, _) in captures {
                            mark_addressed(function, *place, &mut addressed);
                        }
                    }
                    write(function, *dst, gen_, kill, &mut read);
                }
                Statement::Call { dst: Some(dst), .. } => {
                    write(function, *dst, gen_, kill, &mut read);
                }
                Statement::Opaque { touches, .. } => {
                    for p in touches {
                        mark_addressed(function, *p, &mut addressed);
                    }
                }
                _ => {}
            }
        }
        visit_term_reads(&block.term, |p| read(p, gen_, kill));
    }
    let mut by_order: Vec<usize> = (0..n).collect();
    by_order.sort_by_key(|&b| std::cmp::Reverse(order[b]));
    let mut live = vec![vec![0u64; words]; n];
    let mut changed = true;
    while changed {
        changed = false;
        for &b in &by_order {
            for w in 0..words {
                let out = succ[b].iter().fold(0, |acc, &s| acc | live[s][w]);
                let now = gen_[b][w] | (out & !kill[b][w]);
                if now != live[b][w] {
                    live[b][w] = now;
                    changed = true;
                }
            }
        }
    }
    (live, addressed)
}

fn write(
    function: &Function,
    dst: PlaceId,
    gen_: &mut Vec<u64>,
    kill: &mut Vec<u64>,
    read: &mut impl FnMut(PlaceId, &mut Vec<u64>, &Vec<u64>),
) {
    let place = &function.places[dst];
    match place.base {
        Base::Local(l) if place.proj.is_empty() => kill[l.0 as usize / 64] |= 1 << (l.0 % 64),
        _ => read(dst, gen_, kill),
    }
}

fn mark_addressed(function: &Function, place: PlaceId, addressed: &mut [bool]) {
    if let Base::Local(l) = function.places[place].base
        && let Some(a) = addressed.get_mut(l.0 as usize)
    {
        *a = true;
    }
}

fn operand(op: &Operand, f: &mut impl FnMut(PlaceId)) {
    if let Operand::Copy(p) | Operand::Move(p) = op {
        f(*p);
    }
}

/// Calls `f` with every place a statement reads.
pub(crate) fn visit_reads(stmt: &Statement, mut f: impl FnMut(PlaceId)) {
    match stmt {
        Statement::Assign { value, .. } => match value {
            Rvalue::Use(a) | Rvalue::Cast(_, a) => operand(a, &mut f),
            Rvalue::Ref(p) => f(*p),
            Rvalue::Binary(_, a, b) => {
                operand(a, &mut f);
                operand(b, &mut f);
            }
            Rvalue::Compare(c) => {
                operand(&c.lhs, &mut f);
                operand(&c.rhs, &mut f);
            }
            Rvalue::Aggregate(items) => items.iter().for_each(|(_, a)| operand(a, &mut f)),
            Rvalue::Closure(_, captures) => captures.iter().for_each(|(p, _)| f(*p)),
            Rvalue::Unknown(items) => items.iter().for_each(|a| operand(a, &mut f)),
        },
        Statement::Call { callee, args, .. } => {
            match callee {
                Callee::Method { receiver, .. } => f(*receiver),
                Callee::Pointer(op) => operand(op, &mut f),
                _ => {}
            }
            args.iter().for_each(|a| operand(a, &mut f));
        }
        Statement::Drop { place, .. } => f(*place),
        Statement::Opaque { touches, .. } => touches.iter().for_each(|p| f(*p)),
        Statement::Assert(cond) => {
            operand(&cond.lhs, &mut f);
            operand(&cond.rhs, &mut f);
        }
        Statement::Mark(_) => {}
    }
}

/// Calls `f` with every place a terminator reads.
pub(crate) fn visit_term_reads(term: &Terminator, mut f: impl FnMut(PlaceId)) {
    match term {
        Terminator::Branch { cond, .. } => {
            operand(&cond.lhs, &mut f);
            operand(&cond.rhs, &mut f);
        }
        Terminator::Switch { on, .. } => operand(on, &mut f),
        Terminator::Return(Some(op)) => operand(op, &mut f),
        _ => {}
    }
}
