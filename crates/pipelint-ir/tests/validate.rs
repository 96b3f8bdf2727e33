//! What does not hold together is refused, with the reason.

use pipelint_ir::{
    Base, BlockId, Const, Function, LocalId, LocalKind, Mark, Operand, Place, PlaceId, Rvalue,
    Statement, Terminator, Wholeness, parse_function, validate,
};
use pipelint_source::Span;

fn sound() -> Function {
    parse_function(
        "fn f(a: HANDLE) -> int partial {\n  let b: int\n  gap0 syntax\nbb0:\n  opaque gap0 [a]\n  \
         b = a == null\n  switch b { 1 => bb1, _ => bb1 }\nbb1:\n  return b\n}\n",
    )
    .expect("the sound function is read")
}

#[test]
fn what_does_not_hold_is_named() {
    type Break = fn(&mut Function);
    let breaks: &[(Break, &str)] = &[
        (|f| f.blocks.clear(), "no block: the first is the entry"),
        (|f| f.params = 3, "3 parameters, but 2 locals"),
        (
            |f| f.locals[1].kind = LocalKind::Param,
            "local 1 is Param, and the first 1 are the parameters",
        ),
        (
            |f| f.locals[0].kind = LocalKind::Auto,
            "local 0 is Auto, and the first 1 are the parameters",
        ),
        (
            |f| {
                f.places.intern(Place::from_base(Base::Local(LocalId(9))));
            },
            "place 2: there is no local 9",
        ),
        (
            |f| f.blocks[1].term = Terminator::Goto(BlockId(2)),
            "bb1: there is no bb2",
        ),
        (
            |f| f.blocks[0].unwind = Some(BlockId(5)),
            "bb0: there is no bb5",
        ),
        (
            |f| f.blocks[1].term = Terminator::Return(Some(Operand::Copy(PlaceId(7)))),
            "bb1: there is no place 7",
        ),
        (
            |f| {
                f.blocks[0].stmts[1] = Statement::Assign {
                    dst: PlaceId(0),
                    value: Rvalue::Unknown(vec![Operand::Move(PlaceId(8))]),
                };
            },
            "bb0: there is no place 8",
        ),
        (
            |f| f.blocks[0].stmts[1] = Statement::Mark(Mark::Dead(LocalId(4))),
            "bb0: there is no local 4",
        ),
        (
            |f| f.blocks[0].stmts[1] = Statement::Mark(Mark::LoopHead),
            "bb0: a loop's head is not the first statement",
        ),
        (|f| f.gaps.clear(), "bb0: there is no gap 0"),
        (
            |f| f.wholeness = Wholeness::Whole,
            "bb0: opaque code in a function that is said to be whole",
        ),
        (
            |f| {
                if let Terminator::Switch { arms, .. } = &mut f.blocks[0].term {
                    arms.push((Const::Int(1), BlockId(0)));
                }
            },
            "bb0: two arms of a switch for Int(1)",
        ),
        (
            |f| f.map.locals.push(Span::default()),
            "3 spans for 2 locals",
        ),
        (|f| f.map.terms.clear(), "0 spans for 2 terminators"),
        (|f| f.map.stmts.clear(), "0 spans for 2 blocks' statements"),
        (|f| f.map.stmts[0].clear(), "bb0: 0 spans for 2 statements"),
    ];
    assert_eq!(validate(&sound()), Ok(()));
    for (change, wrong) in breaks {
        let mut function = sound();
        change(&mut function);
        assert_eq!(validate(&function), Err((*wrong).to_owned()));
    }
}
