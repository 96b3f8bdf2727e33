//! Functions made at random, with names that look like words of the text form: what is read back is
//! written as before.

use pipelint_ir::{
    Base, BinOp, Block, BlockId, Callee, CmpOp, Cond, Const, DropKind, Function, FunctionKind, Gap,
    GapReason, Local, LocalId, LocalKind, Mark, Name, Operand, Place, PlaceId, PlaceTable, Proj,
    Reference, Rvalue, SourceMap, Statement, Terminator, Type, Wholeness, parse_function,
    print_function, validate,
};
use pipelint_source::Span;

const NAMES: &[&str] = &[
    "h",
    "a",
    "self",
    "null",
    "move",
    "call",
    "INVALID_HANDLE_VALUE",
    "ns::x",
    "g::x",
    "const::x",
    "captured::x",
    "operator new[]",
    "~T",
    "T::~T",
    "f::{lambda#1}",
    "{init}",
    "::CreateFileW",
    "",
    " ",
    "a b",
    "a`b",
    "a\\",
    "a\nb",
    "a\"b",
    "%3",
    "bb0",
    "gap0",
    "e",
    "_",
    "as",
    "of",
    "no class",
    "partial",
    "given",
    "const",
    "größe",
    "T<a, b>",
    "->",
    "1",
    "a::",
    "x%1",
    "\r",
    "a::1",
    "switch",
];
const ARGUMENTS: &[&str] = &[
    "T",
    "a, b",
    "std::pair<int, int>",
    ")",
    "void (*)(int)",
    "",
    " T",
    "T ",
    "`",
    "\"",
    "a>b",
    "(",
];

/// A small generator of numbers: the same ones on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn coin(&mut self) -> bool {
        self.roll(2) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }

    fn name(&mut self) -> Name {
        self.pick(NAMES).into()
    }

    fn many<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.roll(most + 1)).map(|_| one(self)).collect()
    }

    fn ty(&mut self) -> Type {
        let arrays = self.pick(&[0, 0, 0, 1, 2]);
        Type {
            name: self.name(),
            args: self.many(2, |d| d.pick(ARGUMENTS).into()),
            pointers: self.pick(&[0, 0, 1, 2]),
            reference: self.pick(&[Reference::None, Reference::Shared, Reference::Rvalue]),
            arrays,
            array_len: (arrays > 0 && self.coin()).then_some(7),
            is_const: self.coin(),
            is_volatile: self.coin(),
        }
    }

    fn constant(&mut self) -> Const {
        match self.roll(6) {
            0 => Const::Int(self.pick(&[0, -1, 9, i128::MIN, i128::MAX])),
            1 => Const::Null,
            2 => Const::Named(self.name()),
            3 => Const::Str(self.name()),
            4 => Const::Function(self.name()),
            _ => Const::Other,
        }
    }
}

struct Maker {
    dice: Dice,
    places: PlaceTable,
    locals: usize,
    blocks: usize,
}

impl Maker {
    fn local(&mut self) -> LocalId {
        LocalId(self.dice.roll(self.locals) as u32)
    }

    fn block(&mut self) -> BlockId {
        BlockId(self.dice.roll(self.blocks) as u32)
    }

    fn place(&mut self) -> PlaceId {
        let base = match self.dice.roll(6) {
            0 => Base::SelfObj,
            1 => Base::Global(self.dice.name()),
            2 => Base::Captured(self.dice.name()),
            _ => Base::Local(self.local()),
        };
        let proj = self.dice.many(4, |d| match d.roll(4) {
            0 => Proj::Index(Some(d.pick(&[0, 3, -1, i64::MIN]))),
            1 => Proj::Index(None),
            2 => Proj::Field(d.name()),
            _ => Proj::Deref,
        });
        self.places.intern(Place { base, proj })
    }

    fn operand(&mut self) -> Operand {
        match self.dice.roll(3) {
            0 => Operand::Copy(self.place()),
            1 => Operand::Move(self.place()),
            _ => Operand::Const(self.dice.constant()),
        }
    }

    fn operands(&mut self) -> Vec<Operand> {
        (0..self.dice.roll(3)).map(|_| self.operand()).collect()
    }

    fn cond(&mut self) -> Cond {
        Cond {
            op: self.dice.pick(&[
                CmpOp::Eq,
                CmpOp::Ne,
                CmpOp::Lt,
                CmpOp::Le,
                CmpOp::Gt,
                CmpOp::Ge,
            ]),
            lhs: self.operand(),
            rhs: self.operand(),
        }
    }

    fn rvalue(&mut self) -> Rvalue {
        match self.dice.roll(8) {
            0 => Rvalue::Use(self.operand()),
            1 => Rvalue::Ref(self.place()),
            2 => Rvalue::Binary(
                self.dice.pick(&[
                    BinOp::Add,
                    BinOp::Sub,
                    BinOp::Rem,
                    BinOp::BitAnd,
                    BinOp::Shl,
                ]),
                self.operand(),
                self.operand(),
            ),
            3 => Rvalue::Compare(self.cond()),
            4 => Rvalue::Cast(Box::new(self.dice.ty()), self.operand()),
            5 => Rvalue::Aggregate(
                (0..self.dice.roll(3))
                    .map(|_| (self.dice.coin().then(|| self.dice.name()), self.operand()))
                    .collect(),
            ),
            6 => Rvalue::Closure(
                self.dice.name(),
                (0..self.dice.roll(3))
                    .map(|_| (self.place(), self.dice.coin()))
                    .collect(),
            ),
            _ => Rvalue::Unknown(self.operands()),
        }
    }

    fn statement(&mut self) -> Statement {
        match self.dice.roll(9) {
            0..3 => Statement::Assign {
                dst: self.place(),
                value: self.rvalue(),
            },
            3..5 => Statement::Call {
                dst: self.dice.coin().then(|| self.place()),
                callee: match self.dice.roll(5) {
                    0 => Callee::Function(self.dice.name()),
                    1 => Callee::Method {
                        receiver: self.place(),
                        name: self.dice.name(),
                        ty: self.dice.coin().then(|| Box::new(self.dice.ty())),
                    },
                    2 => Callee::Constructor(Box::new(self.dice.ty())),
                    3 => Callee::New(Box::new(self.dice.ty())),
                    _ => Callee::Pointer(self.operand()),
                },
                args: self.operands(),
                voided: self.dice.coin(),
            },
            5 => Statement::Drop {
                place: self.place(),
                kind: self.dice.pick(&[DropKind::Scope, DropKind::Delete]),
            },
            6 => Statement::Assert(self.cond()),
            7 => {
                let local = self.local();
                let place = self.place();
                Statement::Mark(self.dice.pick(&[
                    Mark::Shown(place),
                    Mark::MayEnd(place),
                    Mark::Live(local),
                    Mark::Dead(local),
                    Mark::Suspend,
                    Mark::Unsafe(true),
                    Mark::Unsafe(false),
                ]))
            }
            _ => Statement::Opaque {
                touches: (0..self.dice.roll(3)).map(|_| self.place()).collect(),
                gap: 0,
            },
        }
    }

    fn terminator(&mut self) -> Terminator {
        match self.dice.roll(6) {
            0 => Terminator::Goto(self.block()),
            1 => Terminator::Branch {
                cond: self.cond(),
                then: self.block(),
                otherwise: self.block(),
            },
            2 => {
                let mut arms: Vec<(Const, BlockId)> = Vec::new();
                for _ in 0..self.dice.roll(4) {
                    let value = self.dice.constant();
                    if arms.iter().all(|(known, _)| *known != value) {
                        arms.push((value, self.block()));
                    }
                }
                Terminator::Switch {
                    on: self.operand(),
                    arms,
                    default: self.block(),
                }
            }
            3 => Terminator::Return(self.dice.coin().then(|| self.operand())),
            4 => Terminator::Unwind,
            _ => Terminator::Unreachable,
        }
    }
}

fn function(seed: u64) -> Function {
    let mut dice = Dice(seed);
    let params = dice.roll(3);
    let others = 1 + dice.roll(4);
    let locals: Vec<Local> = (0..params + others)
        .map(|i| Local {
            name: dice.name(),
            ty: dice.ty(),
            kind: if i < params {
                LocalKind::Param
            } else {
                dice.pick(&[LocalKind::Auto, LocalKind::Static, LocalKind::Temp])
            },
            sal: dice.many(2, Dice::name),
        })
        .collect();
    let count = 1 + dice.roll(4);
    let mut maker = Maker {
        dice,
        places: PlaceTable::default(),
        locals: locals.len(),
        blocks: count,
    };
    let blocks: Vec<Block> = (0..count)
        .map(|_| {
            let mut stmts: Vec<Statement> =
                (0..maker.dice.roll(5)).map(|_| maker.statement()).collect();
            if maker.dice.coin() {
                stmts.insert(0, Statement::Mark(Mark::LoopHead));
            }
            Block {
                stmts,
                term: maker.terminator(),
                unwind: maker.dice.coin().then(|| maker.block()),
            }
        })
        .collect();
    let mut dice = maker.dice;
    let span = Span::default();
    Function {
        name: dice.name(),
        class: dice.coin().then(|| dice.name()),
        kind: dice.pick(&[
            FunctionKind::Free,
            FunctionKind::Method,
            FunctionKind::StaticMethod,
            FunctionKind::Constructor,
            FunctionKind::Destructor,
            FunctionKind::Lambda,
            FunctionKind::FieldInit,
        ]),
        internal: dice.coin(),
        private: dice.coin(),
        noreturn: dice.coin(),
        ret: dice.ty(),
        params: params as u32,
        places: maker.places,
        gaps: [
            GapReason::TooDeep,
            GapReason::Unsupported(dice.name()),
            GapReason::Bound(dice.name()),
        ]
        .map(|reason| Gap { span, reason })
        .to_vec(),
        wholeness: dice.pick(&[Wholeness::Partial, Wholeness::GivenUp]),
        map: SourceMap {
            name: span,
            whole: span,
            locals: vec![span; locals.len()],
            stmts: blocks.iter().map(|b| vec![span; b.stmts.len()]).collect(),
            terms: vec![span; blocks.len()],
        },
        locals,
        blocks,
    }
}

/// All but the order of the places, which is that of the text.
fn assert_same(a: &Function, b: &Function, text: &str) {
    assert_eq!(
        (
            &a.name,
            &a.class,
            a.kind,
            a.internal,
            a.private,
            a.noreturn,
            &a.ret,
            a.params,
            a.wholeness
        ),
        (
            &b.name,
            &b.class,
            b.kind,
            b.internal,
            b.private,
            b.noreturn,
            &b.ret,
            b.params,
            b.wholeness
        ),
        "{text}"
    );
    assert_eq!(a.gaps, b.gaps, "{text}");
    assert_eq!(a.locals.len(), b.locals.len(), "{text}");
    for (a, b) in a.locals.iter().zip(&b.locals) {
        assert_eq!(
            (&a.name, &a.ty, a.kind, &a.sal),
            (&b.name, &b.ty, b.kind, &b.sal),
            "{text}"
        );
    }
    let constants = |f: &Function| {
        let mut found = Vec::new();
        for block in &f.blocks {
            for stmt in &block.stmts {
                if let Statement::Assign {
                    dst,
                    value: Rvalue::Use(Operand::Const(value)),
                } = stmt
                {
                    found.push((f.places[*dst].clone(), value.clone()));
                }
            }
        }
        found
    };
    assert_eq!(constants(a), constants(b), "{text}");
}

#[test]
fn what_is_read_back_is_what_was_written() {
    for seed in 0..4000 {
        let made = function(seed);
        validate(&made).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        let text = print_function(&made);
        let read =
            parse_function(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert_eq!(print_function(&read), text, "seed {seed}");
        assert_same(&made, &read, &text);
    }
}

#[test]
fn cut_and_changed_text_is_refused_or_read_but_never_panics() {
    let mut dice = Dice(7);
    let mut refused = 0;
    for seed in 0..400 {
        let text = print_function(&function(seed));
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..1 + dice.roll(3) {
            let at = dice.roll(chars.len());
            match dice.roll(3) {
                0 => chars.truncate(at.max(1)),
                1 => drop(chars.remove(at)),
                _ => chars[at] = dice.pick(&['(', '`', '%', '9', '*', '\n', '}', 'ß', ' ']),
            }
        }
        refused += u32::from(parse_function(&chars.into_iter().collect::<String>()).is_err());
    }
    assert!(
        refused > 200,
        "only {refused} of 400 broken texts were refused"
    );
}

#[test]
fn a_place_of_ten_thousand_steps_is_written_and_read() {
    let steps = 10_000;
    let text = format!(
        "fn f(p: T) -> void {{\nbb0:\n  {}p{} = 0\n  return\n}}\n",
        "(*".repeat(steps),
        ").f".repeat(steps)
    );
    let function = parse_function(&text).expect("depth is no matter");
    assert_eq!(print_function(&function), text);
}
