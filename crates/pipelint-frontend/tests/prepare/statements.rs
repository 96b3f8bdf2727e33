//! Macros where a statement stands.

use crate::support::{cpp, fold, kept, repaired, rewritten};

#[track_caller]
fn body(text: &str) -> String {
    inner(&repaired(&format!("void f() {{\n{text}\n}}\n")))
}

fn inner(out: &str) -> String {
    let inner = out
        .strip_prefix("void f() {")
        .and_then(|rest| rest.strip_suffix('}'));
    inner.expect("the function is whole").trim().to_owned()
}

/// The same for what the grammar takes wrongly.
#[track_caller]
fn corrected(text: &str) -> String {
    inner(&rewritten(&format!("void f() {{\n{text}\n}}\n")))
}

#[test]
fn a_call_without_its_semicolon_is_given_one() {
    assert_eq!(body("  UNUSED(a)\n  g(a);"), "UNUSED(a) ; g(a);");
    assert_eq!(
        body("  CHECK(a) CHECK(b) return;"),
        "CHECK(a);CHECK(b);return;"
    );
    assert_eq!(
        body("  if (a)\n    CHECK(a)\n  else\n    g(b);"),
        "if (a) CHECK(a) ; else g(b);"
    );
    assert_eq!(
        body("  switch (a) {\n  case 1:\n    CHECK(a)\n    break;\n  }"),
        "switch (a) { case 1: CHECK(a) ; break; }"
    );
    assert_eq!(
        body("  CONVERT(a, b)\n  (void) g(a);"),
        "CONVERT(a, b) ; (void) g(a);"
    );
}

#[test]
fn a_call_without_room_for_its_semicolon_is_given_up_and_said_so() {
    let out = cpp("void f(){\nUNUSED(a)\n}\n");
    assert_eq!(fold(&out.text), "void f(){ }");
    assert_eq!(out.gaps.len(), 1);
}

#[test]
fn lone_words() {
    assert_eq!(
        body("  COMMON_VARIABLES\n\n  int a = 1;\n  g(a);"),
        "int a = 1; g(a);"
    );
    assert_eq!(body("  g(1);\n  LEAVE\n"), "g(1);");
    assert_eq!(body("  PROLOGUE\n  if (a) g(1);"), "if (a) g(1);");
    kept("void f() { DWORD a; FOO b; FOO *c = &b; LABEL: goto LABEL; EXPRESSION; }\n");
}

#[test]
fn emitting() {
    assert_eq!(
        body("  emit done(1);\n  Q_EMIT q->done();\n  if (a) emit done();"),
        "done(1); q->done(); if (a) done();"
    );
    kept("void f() { int emit = 1; emit = 2; g(emit); }\n");
}

#[test]
fn endless_loops() {
    assert_eq!(body("  forever {\n    g();\n  }"), "for(;;) { g(); }");
    assert_eq!(body("  Q_FOREVER { g(); }"), "for(;;) { g(); }");
    kept("void f() { bool forever = true; while (forever) g(); }\n");
}

#[test]
fn loops_over_containers() {
    assert_eq!(
        body("  foreach (const S &s, list)\n    g(s);"),
        "for (const S &s: list) g(s);"
    );
    assert_eq!(
        body("  Q_FOREACH(int n, all(1, 2)) {\n    g(n);\n  }"),
        "for (int n: all(1, 2)) { g(n); }"
    );
    assert_eq!(
        body("  QUEUE_FOREACH(q, &head) {\n    g(q);\n  }"),
        "while (q, &head) { g(q); }"
    );
}

#[test]
fn other_calls_before_a_block() {
    assert_eq!(
        corrected("  SYNCHRONIZED(m) {\n    g();\n  }"),
        "SYNCHRONIZED(m);{ g(); }"
    );
    assert_eq!(
        corrected("  IF_FAILED(hr) {\n    g();\n  }"),
        "if (hr) { g(); }"
    );
}

#[test]
fn handlers_in_macros_after_a_function_body() {
    assert_eq!(
        repaired(
            "HRESULT f(int a)\ntry\n{\n  g(a);\n  return S_OK;\n}\nCATCH_RETURN()\n\nint b;\n"
        ),
        "HRESULT f(int a) { g(a); return S_OK; } int b;"
    );
}

#[test]
fn handlers_in_macros_after_a_block() {
    assert_eq!(
        body("  try\n  {\n    g();\n  }\n  CATCH_LOG();\n  h();"),
        "try { g(); } catch(...){} ; h();"
    );
    assert_eq!(
        body("      try { g(); }\n      CATCH_RETURN_HR(E_FAIL);\n  h();"),
        "try { g(); } catch(...){return;} ; h();"
    );
    // Without room for what the handler does, the block is as if nothing were caught.
    assert_eq!(body("try { g(); }\nCATCH_RETURN()\nh();"), "{ g(); } h();");
}

#[test]
fn handlers_of_the_class_library() {
    assert_eq!(
        body("  TRY {\n    g();\n  }\n  CATCH(CFileException, e) {\n    h(e);\n  }\n  END_CATCH"),
        "try { g(); } catch(CFileException* e) { h(e); }"
    );
    assert_eq!(
        body("  TRY {\n    g();\n  }\n  CATCH_ALL(e) {\n    h();\n  }\n  END_CATCH_ALL"),
        "try { g(); } catch(...) { h(); }"
    );
}

#[test]
fn structured_exceptions_are_left_to_the_grammar() {
    kept("void f() { __try { g(); } __except (EXCEPTION_EXECUTE_HANDLER) { h(); } }\n");
    kept("void f() { __try { if (a) __leave; } __finally { h(); } }\n");
    assert_eq!(
        body("  RpcTryExcept {\n    g();\n  }\n  RpcExcept(1) {\n    h();\n  }\n  RpcEndExcept"),
        "__try { g(); } __except (1) { h(); }"
    );
}

#[test]
fn pragmas_in_code() {
    assert_eq!(
        body("  __pragma(warning(push))\n  g();\n  _Pragma(\"x\") h();"),
        "g(); h();"
    );
}

#[test]
fn a_statement_after_a_lambda_still_begins() {
    assert_eq!(
        body(
            "  auto a = [&](int b) -> int {\n    CHECK(b)\n    return b;\n  };\n  CHECK(a)\n  g(a);"
        ),
        "auto a = [&](int b) -> int { CHECK(b) ; return b; }; CHECK(a) ; g(a);"
    );
}
