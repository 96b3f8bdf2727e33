//! What a called function's values and locations are in its caller.

use crate::apply::{Call, Frame};
use crate::exec::Exec;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

impl<'p> Exec<'p, '_> {
    /// Reads what the function first read of its caller's memory in this epoch.
    pub(crate) fn bind_loads(
        &mut self,
        state: &mut State,
        frame: &mut Frame,
        call: &Call<'p>,
        epoch: u32,
    ) {
        for (at, v) in &call.summary.loads {
            if *at != epoch || frame.vals[v.index()].is_some() {
                continue;
            }
            let Val::Sym(Sym::Load { loc, .. }) = &call.summary.vals[v.index()] else {
                continue;
            };
            let bound = match &call.summary.locs[loc.index()] {
                // Unknown code that had its address may have changed the parameter since.
                Loc::Local(l) if epoch == 0 => call.args.get(l.0 as usize).copied(),
                _ => None,
            };
            let bound = bound.unwrap_or_else(|| {
                let loc = self.loc(state, frame, call, *loc);
                self.read(state, loc)
            });
            frame.vals[v.index()] = Some(bound);
        }
    }

    pub(crate) fn val(
        &mut self,
        state: &State,
        frame: &mut Frame,
        call: &Call<'p>,
        v: ValId,
    ) -> ValId {
        self.translate(state, frame, call, Part::Val(v));
        frame.vals[v.index()].unwrap_or(v)
    }

    pub(crate) fn loc(
        &mut self,
        state: &State,
        frame: &mut Frame,
        call: &Call<'p>,
        loc: LocId,
    ) -> LocId {
        self.translate(state, frame, call, Part::Loc(loc));
        frame.locs[loc.index()].unwrap_or(loc)
    }

    /// Gives a value or location of the summary, and all it is made of, its meaning here.
    fn translate(&mut self, state: &State, frame: &mut Frame, call: &Call<'p>, part: Part) {
        let mut todo = vec![part];
        while let Some(part) = todo.pop() {
            let before = todo.len();
            match part {
                Part::Val(v) => {
                    if frame.vals[v.index()].is_some() {
                        continue;
                    }
                    let want_val = |v: ValId, todo: &mut Vec<Part>| match frame.vals[v.index()] {
                        Some(v) => v,
                        None => {
                            todo.push(Part::Val(v));
                            v
                        }
                    };
                    let made = match &call.summary.vals[v.index()] {
                        Val::Ptr(l) => match frame.locs[l.index()] {
                            Some(l) => Made::Plain(Val::Ptr(l)),
                            None => {
                                todo.push(Part::Loc(*l));
                                Made::Later
                            }
                        },
                        Val::Cmp(op, a, b) => {
                            let (a, b) = (want_val(*a, &mut todo), want_val(*b, &mut todo));
                            Made::Cmp(*op, a, b)
                        }
                        Val::Bin(op, a, b) => {
                            let (a, b) = (want_val(*a, &mut todo), want_val(*b, &mut todo));
                            Made::Bin(*op, a, b)
                        }
                        Val::Narrow(inner, ty) => {
                            Made::Plain(Val::Narrow(want_val(*inner, &mut todo), ty.clone()))
                        }
                        Val::Sym(_) => Made::Plain(Val::Sym(Sym::Inner {
                            stmt: self.stmt,
                            round: self.round(state),
                            part: call.part,
                            n: v.number(),
                        })),
                        plain => Made::Plain(plain.clone()),
                    };
                    if todo.len() > before {
                        // What it is made of comes first.
                        let children = todo.split_off(before);
                        todo.push(Part::Val(v));
                        todo.extend(children);
                        continue;
                    }
                    let value = match made {
                        Made::Plain(val) => self.arena.val(val),
                        Made::Cmp(op, a, b) => self.decided_or_cmp(state, op, a, b),
                        Made::Bin(op, a, b) => self.binary(op, a, b),
                        Made::Later => continue,
                    };
                    frame.vals[v.index()] = Some(value);
                }
                Part::Loc(l) => {
                    if frame.locs[l.index()].is_some() {
                        continue;
                    }
                    let parent = |p: LocId, todo: &mut Vec<Part>| {
                        if frame.locs[p.index()].is_none() {
                            todo.push(Part::Loc(p));
                        }
                        frame.locs[p.index()].unwrap_or(p)
                    };
                    let loc = match &call.summary.locs[l.index()] {
                        Loc::Field(p, name) => {
                            Some(Loc::Field(parent(*p, &mut todo), name.clone()))
                        }
                        Loc::Elem(p, i) => Some(Loc::Elem(parent(*p, &mut todo), *i)),
                        Loc::Deref(v) => match frame.vals[v.index()] {
                            Some(v) => {
                                let loc = self.pointee(v);
                                frame.locs[l.index()] = Some(loc);
                                continue;
                            }
                            None => {
                                todo.push(Part::Val(*v));
                                None
                            }
                        },
                        Loc::SelfObj => {
                            if let Some(object) = call.receiver {
                                frame.locs[l.index()] = Some(object);
                                continue;
                            }
                            Some(Loc::SelfObj)
                        }
                        Loc::Captured(name) => {
                            let known = call.captures.iter().find(|(n, _)| n == name);
                            if let Some((_, at)) = known {
                                frame.locs[l.index()] = Some(*at);
                                continue;
                            }
                            Some(Loc::Captured(name.clone()))
                        }
                        Loc::Local(local) => {
                            let known = call.arg_locs.get(local.0 as usize).copied().flatten();
                            let own = Sym::Inner {
                                stmt: self.stmt,
                                round: self.round(state),
                                part: call.part,
                                n: u32::MAX - local.0,
                            };
                            let loc = known.unwrap_or_else(|| {
                                let p = self.arena.sym(own);
                                self.arena.loc(Loc::Deref(p))
                            });
                            frame.locs[l.index()] = Some(loc);
                            continue;
                        }
                        plain => Some(plain.clone()),
                    };
                    if todo.len() > before {
                        let children = todo.split_off(before);
                        todo.push(Part::Loc(l));
                        todo.extend(children);
                        continue;
                    }
                    if let Some(loc) = loc {
                        frame.locs[l.index()] = Some(self.arena.loc(loc));
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Part {
    Val(ValId),
    Loc(LocId),
}

enum Made {
    Plain(Val),
    Cmp(pipelint_ir::CmpOp, ValId, ValId),
    Bin(pipelint_ir::BinOp, ValId, ValId),
    /// A part of it has no meaning yet.
    Later,
}
