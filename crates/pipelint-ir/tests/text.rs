//! The text form: every kind is written and read back, and what is written twice is the same.

use pipelint_ir::{
    BinOp, Callee, CmpOp, Const, DropKind, FunctionKind, GapReason, LocalId, LocalKind, Mark,
    Operand, Proj, Reference, Rvalue, Statement, Terminator, Wholeness, parse_function, parse_unit,
    print_function, print_unit,
};

/// Reads a function, and asserts that it is written as it was given.
fn same(text: &str) -> pipelint_ir::Function {
    let function = parse_function(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(print_function(&function), text);
    function
}

/// One statement, read in a function with some locals, and written as it was given.
fn statement(text: &str) -> (Statement, pipelint_ir::Function) {
    let function = same(&format!(
        "method C::m(a: HANDLE, p: S*) -> BOOL partial {{\n  let b: int[4]\n  temp %3: int\n  \
         gap0 syntax\nbb0:\n  {text}\n  unreachable\n}}\n"
    ));
    (function.blocks[0].stmts[0].clone(), function)
}

fn value(text: &str) -> (Rvalue, pipelint_ir::Function) {
    match statement(&format!("%3 = {text}")) {
        (Statement::Assign { value, .. }, function) => (value, function),
        (other, _) => panic!("{text} is {other:?}"),
    }
}

/// Four blocks, the first with this terminator.
fn terminator(text: &str) -> Terminator {
    let function = same(&format!(
        "fn f(a: int) -> int {{\nbb0:\n  {text}\nbb1:\n  unreachable\nbb2:\n  unreachable\nbb3:\n  \
         unreachable\n}}\n"
    ));
    function.blocks[0].term.clone()
}

#[test]
fn places_read_as_they_are_written_in_code() {
    for (text, steps) in [
        ("a", vec![]),
        ("self.eventHandle", vec![Proj::Field("eventHandle".into())]),
        ("(*p).f", vec![Proj::Deref, Proj::Field("f".into())]),
        (
            "(*(*p).next)",
            vec![Proj::Deref, Proj::Field("next".into()), Proj::Deref],
        ),
        ("g::x", vec![]),
        ("g::ns::x.f", vec![Proj::Field("f".into())]),
        ("captured::y[-1]", vec![Proj::Index(Some(-1))]),
        ("b[3]", vec![Proj::Index(Some(3))]),
        ("b[_].f", vec![Proj::Index(None), Proj::Field("f".into())]),
        ("self", vec![]),
    ] {
        let (stmt, function) = statement(&format!("{text} = 0"));
        let Statement::Assign { dst, .. } = stmt else {
            panic!("{stmt:?}")
        };
        assert_eq!(function.places[dst].proj, steps, "{text}");
    }
}

#[test]
fn constants() {
    for (text, constant) in [
        ("0", Const::Int(0)),
        ("-5", Const::Int(-5)),
        (
            "-170141183460469231731687303715884105728",
            Const::Int(i128::MIN),
        ),
        ("null", Const::Null),
        ("other", Const::Other),
        (
            "INVALID_HANDLE_VALUE",
            Const::Named("INVALID_HANDLE_VALUE".into()),
        ),
        (
            "QIODevice::ReadOnly",
            Const::Named("QIODevice::ReadOnly".into()),
        ),
        ("const::kInvalid", Const::Named("kInvalid".into())),
        ("const::null", Const::Named("null".into())),
        ("fn ns::callback", Const::Function("ns::callback".into())),
        (r#""\\\\.\\pipe\\x""#, Const::Str(r"\\\\.\\pipe\\x".into())),
        (r#"e"one\n\"two\"""#, Const::Str("one\n\"two\"".into())),
    ] {
        let (found, _) = value(text);
        assert_eq!(found, Rvalue::Use(Operand::Const(constant)), "{text}");
    }
}

#[test]
fn values() {
    assert!(matches!(value("a").0, Rvalue::Use(Operand::Copy(_))));
    assert!(matches!(value("move a").0, Rvalue::Use(Operand::Move(_))));
    assert!(matches!(value("&(*p).f").0, Rvalue::Ref(_)));
    for (mark, op) in [
        ("+", BinOp::Add),
        ("-", BinOp::Sub),
        ("*", BinOp::Mul),
        ("/", BinOp::Div),
        ("%", BinOp::Rem),
        ("&", BinOp::BitAnd),
        ("|", BinOp::BitOr),
        ("^", BinOp::BitXor),
        ("<<", BinOp::Shl),
        (">>", BinOp::Shr),
    ] {
        let (found, _) = value(&format!("a {mark} -1"));
        let Rvalue::Binary(is, Operand::Copy(_), Operand::Const(Const::Int(-1))) = found else {
            panic!("{mark}: {found:?}")
        };
        assert_eq!(is, op);
    }
    for (mark, op) in [
        ("==", CmpOp::Eq),
        ("!=", CmpOp::Ne),
        ("<", CmpOp::Lt),
        ("<=", CmpOp::Le),
        (">", CmpOp::Gt),
        (">=", CmpOp::Ge),
    ] {
        let (found, _) = value(&format!("a {mark} null"));
        let Rvalue::Compare(cond) = found else {
            panic!("{mark}: {found:?}")
        };
        assert_eq!(cond.op, op);
        assert_eq!(cond.rhs, Operand::Const(Const::Null));
    }
    let (found, _) = value("a as unsigned int*");
    let Rvalue::Cast(ty, Operand::Copy(_)) = found else {
        panic!("{found:?}")
    };
    assert_eq!((ty.name.as_str(), ty.pointers), ("unsigned int", 1));
    let (found, _) = value("{.hEvent = a, 1}");
    let Rvalue::Aggregate(items) = found else {
        panic!("{found:?}")
    };
    assert_eq!(items[0].0.as_deref(), Some("hEvent"));
    assert_eq!(items[1].0, None);
    assert_eq!(value("{}").0, Rvalue::Aggregate(vec![]));
    let (found, _) = value("closure C::m::{lambda#1} [&a, self]");
    let Rvalue::Closure(name, captures) = found else {
        panic!("{found:?}")
    };
    assert_eq!(name, "C::m::{lambda#1}");
    assert_eq!(
        captures.iter().map(|c| c.1).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(value("unknown()").0, Rvalue::Unknown(vec![]));
    assert!(matches!(value("unknown(a, 2)").0, Rvalue::Unknown(ops) if ops.len() == 2));
}

#[test]
fn calls() {
    for (text, has_dst, is_voided, args) in [
        ("call CloseHandle(a)", false, false, 1),
        ("%3 = call std::move(a)", true, false, 1),
        ("voided call f()", false, true, 0),
        ("%3 = voided pointer a(1, \"x\")", true, true, 2),
    ] {
        let (
            Statement::Call {
                dst,
                args: given,
                voided,
                ..
            },
            _,
        ) = statement(text)
        else {
            panic!("{text}")
        };
        assert_eq!(
            (dst.is_some(), voided, given.len()),
            (has_dst, is_voided, args),
            "{text}"
        );
    }
    let callee = |text: &str| match statement(text) {
        (Statement::Call { callee, .. }, function) => (callee, function),
        (other, _) => panic!("{text} is {other:?}"),
    };
    assert_eq!(
        callee("call `operator new[]`(8)").0,
        Callee::Function("operator new[]".into())
    );
    let (Callee::Method { receiver, name, ty }, function) = callee("method (*p).f.close()") else {
        panic!()
    };
    assert_eq!(name, "close");
    assert_eq!(ty, None);
    assert_eq!(function.places[receiver].proj.len(), 2);
    let (Callee::Method { ty: Some(ty), .. }, _) =
        callee("method self.`operator bool` of std::unique_ptr<void, D<int, 2>>& (1)")
    else {
        panic!()
    };
    assert_eq!(ty.name, "std::unique_ptr");
    assert_eq!(ty.args, ["void", "D<int, 2>"]);
    assert_eq!(ty.reference, Reference::Shared);
    let (Callee::Constructor(ty), _) = callee("b = construct QMutexLocker(a)") else {
        panic!()
    };
    assert_eq!(ty.name, "QMutexLocker");
    assert!(matches!(callee("b = new T()").0, Callee::New(_)));
    assert!(matches!(
        callee("pointer (*p).callback(a)").0,
        Callee::Pointer(Operand::Copy(_))
    ));
}

#[test]
fn other_statements() {
    let is = |text: &str| statement(text).0;
    assert!(matches!(
        is("drop b"),
        Statement::Drop {
            kind: DropKind::Scope,
            ..
        }
    ));
    assert!(matches!(
        is("delete (*p)"),
        Statement::Drop {
            kind: DropKind::Delete,
            ..
        }
    ));
    assert_eq!(is("live b"), Statement::Mark(Mark::Live(LocalId(2))));
    assert_eq!(is("dead %3"), Statement::Mark(Mark::Dead(LocalId(3))));
    assert_eq!(is("loop-head"), Statement::Mark(Mark::LoopHead));
    assert_eq!(is("suspend"), Statement::Mark(Mark::Suspend));
    assert_eq!(is("logged"), Statement::Mark(Mark::Logged));
    assert!(matches!(is("shown b"), Statement::Mark(Mark::Shown(_))));
    assert!(matches!(is("may-end b"), Statement::Mark(Mark::MayEnd(_))));
    assert_eq!(is("unsafe-begin"), Statement::Mark(Mark::Unsafe(true)));
    assert_eq!(is("unsafe-end"), Statement::Mark(Mark::Unsafe(false)));
    assert!(
        matches!(is("opaque gap0 [a, g::x]"), Statement::Opaque { touches, gap: 0 } if touches.len() == 2)
    );
    assert!(
        matches!(is("opaque gap0 []"), Statement::Opaque { touches, .. } if touches.is_empty())
    );
}

#[test]
fn terminators() {
    assert!(matches!(terminator("goto bb1"), Terminator::Goto(b) if b.0 == 1));
    let Terminator::Branch {
        cond,
        then,
        otherwise,
    } = terminator("branch a == INVALID_HANDLE_VALUE ? bb1 : bb3")
    else {
        panic!()
    };
    assert_eq!((cond.op, then.0, otherwise.0), (CmpOp::Eq, 1, 3));
    let Terminator::Switch { arms, default, .. } =
        terminator("switch a { 1 => bb1, -2 => bb2, WAIT_FAILED => bb1, _ => bb3 }")
    else {
        panic!()
    };
    assert_eq!(arms.len(), 3);
    assert_eq!(arms[1], (Const::Int(-2), pipelint_ir::BlockId(2)));
    assert_eq!(default.0, 3);
    assert_eq!(terminator("return"), Terminator::Return(None));
    assert!(matches!(
        terminator("return a"),
        Terminator::Return(Some(Operand::Copy(_)))
    ));
    assert_eq!(terminator("unwind"), Terminator::Unwind);
    assert_eq!(terminator("unreachable"), Terminator::Unreachable);
}

#[test]
fn headers() {
    for (header, kind, class) in [
        ("fn f() -> ?", FunctionKind::Free, None),
        (
            "method N::C::m() -> void",
            FunctionKind::Method,
            Some("N::C"),
        ),
        (
            "static method C::m() -> int",
            FunctionKind::StaticMethod,
            Some("C"),
        ),
        (
            "constructor C::C() -> void",
            FunctionKind::Constructor,
            Some("C"),
        ),
        (
            "destructor C::~C() -> void",
            FunctionKind::Destructor,
            Some("C"),
        ),
        (
            "fieldinit C::{init}() -> void",
            FunctionKind::FieldInit,
            Some("C"),
        ),
        ("lambda C::m::{lambda#1}() -> ?", FunctionKind::Lambda, None),
        (
            "lambda C::m::{lambda#1} of C() -> ?",
            FunctionKind::Lambda,
            Some("C"),
        ),
        (
            "method C::m of D() -> void",
            FunctionKind::Method,
            Some("D"),
        ),
        (
            "method C::m of no class() -> void",
            FunctionKind::Method,
            None,
        ),
        ("method m() -> void", FunctionKind::Method, None),
    ] {
        let function = same(&format!("{header} {{\nbb0:\n  return\n}}\n"));
        assert_eq!(function.kind, kind, "{header}");
        assert_eq!(function.class.as_deref(), class, "{header}");
    }
    let function = same(
        "internal private noreturn fn f(path: const wchar_t* @_In_z_, %1: T&&, \
         ovl: OVERLAPPED* @_Inout_ @`_At_(x, _Post_)`) -> const char*& given-up {\n  static n: int[3][]\n  let n%4: ?\n  temp \
         %5: T\n  let move%6: int\n  gap0 unsupported co_await_expression\n  gap1 too-deep\n  gap2 \
         too-large\n  gap3 bound states\n  gap4 syntax\nbb0: unwind bb0\n  return\n}\n",
    );
    assert!(function.internal && function.private && function.noreturn);
    assert_eq!(function.wholeness, Wholeness::GivenUp);
    assert_eq!(function.params, 3);
    assert_eq!(function.locals[2].sal, ["_Inout_", "_At_(x, _Post_)"]);
    assert_eq!(function.locals[1].ty.reference, Reference::Rvalue);
    assert_eq!(function.locals[3].kind, LocalKind::Static);
    assert_eq!(
        (
            function.locals[3].ty.arrays,
            function.locals[3].ty.array_len
        ),
        (2, Some(3))
    );
    assert_eq!(function.locals[5].kind, LocalKind::Temp);
    assert_eq!(function.locals[6].name, "move");
    assert_eq!(function.gaps[1].reason, GapReason::TooDeep);
    assert_eq!(function.blocks[0].unwind, Some(pipelint_ir::BlockId(0)));
}

#[test]
fn locals_of_one_name_are_told_apart() {
    let function = same(
        "fn f(h: HANDLE) -> void {\n  let h%1: HANDLE\n  let NULL: int\nbb0:\n  h%1 = h\n  h = \
         NULL\n  h = const::NULL\n  return\n}\n",
    );
    let values: Vec<_> = function.blocks[0].stmts.iter().collect();
    let Statement::Assign { dst, value } = values[0] else {
        panic!()
    };
    assert_ne!(Rvalue::Use(Operand::Copy(*dst)), *value);
    assert_ne!(values[1], values[2]);
}

#[test]
fn every_word_of_the_form_may_be_a_local() {
    for word in [
        "_", "as", "branch", "call", "dead", "fn", "goto", "let", "live", "loop", "method", "move",
        "new", "null", "opaque", "other", "return", "self", "static", "switch", "unwind", "voided",
    ] {
        same(&format!(
            "fn f({word}%0: int) -> int {{\n  let q: int\nbb0:\n  {word}%0 = 1\n  q = {word}%0\n  \
             {word}%0 = call g({word}%0)\n  live {word}%0\n  return {word}%0\n}}\n"
        ));
    }
}

#[test]
fn comments_and_spaces_are_skipped() {
    let function = parse_function(
        "\n// A function by hand.\nfn  f( a : int )->int{\n\n// the entry\n bb0 :\n return   a\n}\n\n",
    );
    assert_eq!(
        print_function(&function.expect("spaces do not matter")),
        "fn f(a: int) -> int {\nbb0:\n  return a\n}\n"
    );
}

#[test]
fn units() {
    let text = "unit cpp\n\
        include \"pipe_p.h\"\n\
        include system \"windows.h\"\n\
        macro CHECK(x, `...`) \"do { if (!(x)) fail(); } while (0)\"\n\
        const MODE = 3\n\
        const ALIAS = PIPE_WAIT\n\
        const ColorRed = const::kRed\n\
        alias PHANDLE = HANDLE*\n\
        class N::C : Base, `T<int>` {\n  \
          field handle: HANDLE = _\n  \
          static field count: int\n  \
          declare constructor N::C::C(const C&) -> void deleted\n  \
          declare destructor N::C::~C() -> void virtual defaulted\n  \
          declare method N::C::done(int) -> void signal\n\
        }\n\
        union U {\n}\n\
        declare fn die(const char*, ?) -> void noreturn\n\
        global lock: CRITICAL_SECTION\n\
        internal global event: HANDLE = null\n\
        extern global other: int\n\
        pragma \"// pipelint: allow(PL103) \\\"kept\\\"\"\n\
        gap unsupported template_declaration\n\
        \n\
        fn f() -> void {\nbb0:\n  return\n}\n\
        \n\
        internal fn g() -> void {\nbb0:\n  return\n}\n";
    let unit = parse_unit(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(print_unit(&unit), text);
    assert_eq!(unit.functions.len(), 2);
    assert!(unit.functions[1].internal);
    assert_eq!(unit.classes[0].bases, ["Base", "T<int>"]);
    assert!(unit.classes[0].methods[0].deleted && unit.classes[1].is_union);
    assert_eq!(unit.globals[1].init, Some(Const::Null));
}

#[test]
fn errors_name_the_line_and_what_was_expected() {
    let body = |line: &str| format!("fn f(a: int) -> void {{\nbb0:\n  {line}\n  return\n}}\n");
    for (text, error) in [
        (
            String::new(),
            "line 1: expected a function, found the end of the text",
        ),
        (
            body("b = 1"),
            "line 3: expected a declared local, found `b = 1`",
        ),
        (
            body("a = bb"),
            "line 3: expected a declared local, found `bb`",
        ),
        (
            body("a = 1 +"),
            "line 3: expected a value: a place, a number, a string, `null`, `NAMED`, \
          `const::name`, found the end of the line",
        ),
        (
            body("a = 1 2"),
            "line 3: expected the end of the line, found `2`",
        ),
        (
            body("goto bb1"),
            "line 4: expected `bb1:` or `}`, found `return`",
        ),
        (
            body("a = \"x"),
            "line 3: expected text that ends in \", found `\"x`",
        ),
        (
            body("call f(a"),
            "line 3: expected `,` or `)`, found the end of the line",
        ),
        (
            body("live (*a)"),
            "line 3: expected a local: `name`, `name%3` or `%3`, found `(*a)`",
        ),
        (
            "fn f() -> void {\n".into(),
            "line 1: expected a statement, or `}`, found the end of the text",
        ),
        (
            "fn f() -> void {\nbb0:\n}\n".into(),
            "line 3: expected a terminator of the last block before it ends, found the end of the line",
        ),
        (
            "fn f() -> void {\nbb1:\n".into(),
            "line 2: expected `bb0:`, found `bb1:`",
        ),
        (
            "fn f() -> void {\nbb0:\n  goto bb7\n}\n".into(),
            "line 4: expected a function that holds together, found bb0: there is no bb7",
        ),
        (
            "fn f(a: int, a: int) -> void {\n".into(),
            "line 1: expected a new name, or `a%1`, found `a: int) -> void {`",
        ),
        (
            "fn f() -> void {\nbb0:\n  return\n}\nx\n".into(),
            "line 5: expected nothing after the function, found `x`",
        ),
    ] {
        let found = parse_function(&text).expect_err(&text).to_string();
        assert_eq!(found, error, "{text}");
    }
    let error = parse_unit("unit cpp\nclass C {\n  x: int\n}\n").expect_err("no field");
    assert_eq!(error.line, 3);
}
