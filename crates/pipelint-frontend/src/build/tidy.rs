//! Cleans a finished graph: empty blocks are jumped over, unreachable ones left out, straight
//! runs joined.

use pipelint_ir::{Block, BlockId, Mark, Statement, Terminator};
use pipelint_source::Span;

/// A block with the spans of its statements and of its end.
pub(crate) type Drafted = (Block, Vec<Span>, Span);

/// Blocks, the spans of their statements, and the spans of their ends.
pub(crate) type Tidied = (Vec<Block>, Vec<Vec<Span>>, Vec<Span>);

fn targets(term: &mut Terminator, mut f: impl FnMut(&mut BlockId)) {
    match term {
        Terminator::Goto(to) => f(to),
        Terminator::Branch {
            then, otherwise, ..
        } => {
            f(then);
            f(otherwise);
        }
        Terminator::Switch { arms, default, .. } => {
            for (_, to) in arms {
                f(to);
            }
            f(default);
        }
        Terminator::Return(_) | Terminator::Unwind | Terminator::Unreachable => {}
    }
}

/// Where a jump to each block really ends up, past empty blocks.
fn forwards(drafts: &[Drafted]) -> Vec<u32> {
    let mut out: Vec<Option<u32>> = vec![None; drafts.len()];
    let mut path = Vec::new();
    for start in 0..drafts.len() {
        let mut at = start;
        let end = loop {
            if let Some(end) = out[at] {
                break end;
            }
            match &drafts[at].0 {
                Block {
                    stmts,
                    term: Terminator::Goto(to),
                    ..
                } if stmts.is_empty() && path.len() <= drafts.len() => {
                    path.push(at);
                    // A cycle of empty blocks stays as it is.
                    out[at] = Some(u32::try_from(at).unwrap_or(u32::MAX));
                    at = to.0 as usize;
                }
                _ => break u32::try_from(at).unwrap_or(u32::MAX),
            }
        };
        out[at] = Some(end);
        for step in path.drain(..) {
            out[step] = Some(end);
        }
    }
    out.into_iter().map(|end| end.unwrap_or(0)).collect()
}

/// Tidies the graph; block 0 stays the entry.
pub(crate) fn tidy(mut drafts: Vec<Drafted>) -> Tidied {
    let forward = forwards(&drafts);
    for (block, _, _) in &mut drafts {
        targets(&mut block.term, |to| to.0 = forward[to.0 as usize]);
        if block.stmts.is_empty() {
            block.unwind = None;
        }
        if let Some(to) = &mut block.unwind {
            to.0 = forward[to.0 as usize];
        }
    }
    let (reached, mut entries) = reach(&mut drafts);
    let mut joined: Vec<bool> = vec![false; drafts.len()];
    for start in 0..drafts.len() {
        if !reached[start] || joined[start] {
            continue;
        }
        // Joins the blocks that only this one leads to.
        while let Terminator::Goto(next) = drafts[start].0.term {
            let next = next.0 as usize;
            let head = matches!(
                drafts[next].0.stmts.first(),
                Some(Statement::Mark(Mark::LoopHead))
            );
            if next == start
                || next == 0
                || entries[next] != 1
                || head
                || (drafts[next].0.unwind != drafts[start].0.unwind
                    && !drafts[next].0.stmts.is_empty()
                    && !drafts[start].0.stmts.is_empty())
            {
                break;
            }
            let (block, spans, at) = std::mem::replace(
                &mut drafts[next],
                (
                    Block {
                        stmts: Vec::new(),
                        term: Terminator::Unreachable,
                        unwind: None,
                    },
                    Vec::new(),
                    Span::default(),
                ),
            );
            joined[next] = true;
            entries[next] = 0;
            let first = &mut drafts[start];
            if first.0.stmts.is_empty() {
                first.0.unwind = block.unwind;
            }
            first.0.stmts.extend(block.stmts);
            first.0.term = block.term;
            first.1.extend(spans);
            first.2 = at;
        }
    }
    renumber(drafts)
}

/// Which blocks can be reached, and how many edges lead to each.
fn reach(drafts: &mut [Drafted]) -> (Vec<bool>, Vec<u32>) {
    let mut reached = vec![false; drafts.len()];
    let mut entries = vec![0u32; drafts.len()];
    let mut stack = vec![0usize];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    while let Some(at) = stack.pop() {
        let mut visit = |to: &mut BlockId, weight: u32| {
            let to = to.0 as usize;
            entries[to] = entries[to].saturating_add(weight);
            if !reached[to] {
                reached[to] = true;
                stack.push(to);
            }
        };
        let block = &mut drafts[at].0;
        targets(&mut block.term, |to| visit(to, 1));
        if let Some(to) = &mut block.unwind {
            // A handler is never joined to what it guards.
            visit(to, 2);
        }
    }
    (reached, entries)
}

/// The blocks in reverse postorder: each before those that only follow it, a branch's first way
/// before its second.
fn order(drafts: &mut [Drafted]) -> Vec<usize> {
    let mut seen = vec![false; drafts.len()];
    let mut out = Vec::new();
    let mut stack: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut next = Some(0);
    loop {
        if let Some(at) = next.take()
            && !std::mem::replace(&mut seen[at], true)
        {
            // Taken from the end: the handler is visited first, so it comes last.
            let mut ways = Vec::new();
            targets(&mut drafts[at].0.term, |to| ways.push(to.0 as usize));
            ways.extend(drafts[at].0.unwind.map(|to| to.0 as usize));
            stack.push((at, ways));
        }
        let Some((at, ways)) = stack.last_mut() else {
            break;
        };
        match ways.pop() {
            Some(to) => next = Some(to),
            None => {
                out.push(*at);
                stack.pop();
            }
        }
    }
    out.reverse();
    out
}

fn renumber(mut drafts: Vec<Drafted>) -> Tidied {
    let order = order(&mut drafts);
    let mut numbers = vec![BlockId(0); drafts.len()];
    for (number, &index) in (0u32..).zip(&order) {
        numbers[index] = BlockId(number);
    }
    let mut drafts: Vec<Option<Drafted>> = drafts.into_iter().map(Some).collect();
    let mut out: Tidied = (Vec::new(), Vec::new(), Vec::new());
    for index in order {
        let Some((mut block, spans, at)) = drafts[index].take() else {
            continue;
        };
        targets(&mut block.term, |to| *to = numbers[to.0 as usize]);
        if let Some(to) = &mut block.unwind {
            *to = numbers[to.0 as usize];
        }
        out.0.push(block);
        out.1.push(spans);
        out.2.push(at);
    }
    out
}
