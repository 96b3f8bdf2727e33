//! Branches, loops, switches, jumps and what ends on the way.

use pipelint_ir::Language;

use crate::lowers;

#[test]
fn goto_goes_through_the_cleanup() {
    // A jump past a declaration leaves its variable without a value.
    lowers(
        Language::C,
        r#"
int copy(const char *name) {
    HANDLE in = INVALID_HANDLE_VALUE;
    int result = -1;
    in = CreateFileA(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (in == INVALID_HANDLE_VALUE)
        goto done;
    char *buffer = malloc(64);
    if (!buffer)
        goto done;
    result = 0;
done:
    free(buffer);
    CloseHandle(in);
    return result;
}
"#,
        r#"
fn copy(name: char*) -> int {
  let in: HANDLE
  let result: int
  let buffer: char*
  temp %4: int
bb0:
  in = INVALID_HANDLE_VALUE
  result = -1
  in = call CreateFileA(name, GENERIC_READ, 0, null, OPEN_EXISTING, 0, null)
  branch in == INVALID_HANDLE_VALUE ? bb1 : bb2
bb1:
  live buffer
  goto bb4
bb2:
  buffer = call malloc(64)
  branch buffer != 0 ? bb3 : bb4
bb3:
  result = 0
  goto bb4
bb4:
  call free(buffer)
  call CloseHandle(in)
  %4 = result
  dead buffer
  dead result
  dead in
  return %4
}
"#,
    );
}

#[test]
fn goto_ends_the_scopes_it_leaves() {
    lowers(
        Language::Cpp,
        r#"
void retry() {
    Guard outer(1);
again:
    {
        Guard inner(2);
        if (failed())
            goto again;
        if (over())
            goto out;
    }
out:
    finish();
}
"#,
        r#"
fn retry() -> void {
  let outer: Guard
  let inner: Guard
  temp %2: ?
  temp %3: ?
bb0:
  outer = construct Guard(1)
  goto bb1
bb1:
  inner = construct Guard(2)
  %2 = call failed()
  branch %2 != 0 ? bb2 : bb3
bb2:
  drop inner
  dead inner
  goto bb1
bb3:
  %3 = call over()
  branch %3 != 0 ? bb4 : bb5
bb4:
  drop inner
  dead inner
  goto bb6
bb5:
  drop inner
  dead inner
  goto bb6
bb6:
  call finish()
  drop outer
  dead outer
  return
}
"#,
    );
}

#[test]
fn switch_falls_through_into_and_out_of_default() {
    lowers(
        Language::Cpp,
        r#"
int kind(int n) {
    switch (n) {
    default:
        other();
    case 1:
    case KIND_TWO: {
        Guard g(n);
        two();
        break;
    }
    case 'x':
        return 3;
    }
    return 0;
}
"#,
        r#"
fn kind(n: int) -> int {
  let g: Guard
bb0:
  switch n { 1 => bb3, KIND_TWO => bb3, 120 => bb1, _ => bb2 }
bb1:
  return 3
bb2:
  call other()
  goto bb3
bb3:
  g = construct Guard(n)
  call two()
  drop g
  dead g
  return 0
}
"#,
    );
}

#[test]
fn loops_begin_with_their_mark() {
    lowers(
        Language::Cpp,
        r#"
void loops(Item *item, std::vector<Item> &items) {
    while (Item *next = item->next) {
        item = next;
    }
    do {
        step();
    } while (more() && !stop);
    for (const Item &each : items)
        visit(each);
    for (;;) {
        if (done())
            break;
    }
}
"#,
        r#"
fn loops(item: Item*, items: std::vector<Item>&) -> void {
  let next: Item*
  temp %3: ?
  temp %4: bool
  let each: const Item&
  temp %6: ?
bb0:
  goto bb1
bb1:
  loop-head
  next = (*item).next
  branch next != 0 ? bb2 : bb3
bb2:
  item = next
  dead next
  goto bb1
bb3:
  dead next
  goto bb4
bb4:
  loop-head
  call step()
  %3 = call more()
  branch %3 != 0 ? bb5 : bb6
bb5:
  branch g::stop != 0 ? bb6 : bb4
bb6:
  loop-head
  %4 = unknown((*items))
  branch %4 != 0 ? bb7 : bb8
bb7:
  each = unknown((*items))
  call visit((*each))
  dead each
  goto bb6
bb8:
  loop-head
  %6 = call done()
  branch %6 != 0 ? bb9 : bb8
bb9:
  return
}
"#,
    );
}

#[test]
fn every_way_out_of_a_scope_ends_its_objects() {
    lowers(
        Language::Cpp,
        r#"
void loop(int n) {
    Guard outer(n);
    for (int i = 0; i < n; i++) {
        Guard inner(i);
        HANDLE h;
        if (i == 1)
            continue;
        if (i == 2)
            break;
        if (i == 3)
            return;
        use(&h);
    }
}
"#,
        r#"
fn loop(n: int) -> void {
  let outer: Guard
  let i: int
  let inner: Guard
  let h: HANDLE
  temp %5: ?
bb0:
  outer = construct Guard(n)
  i = 0
  goto bb1
bb1:
  loop-head
  branch i < n ? bb2 : bb10
bb2:
  inner = construct Guard(i)
  live h
  branch i == 1 ? bb3 : bb4
bb3:
  dead h
  drop inner
  dead inner
  goto bb9
bb4:
  branch i == 2 ? bb5 : bb6
bb5:
  dead h
  drop inner
  dead inner
  goto bb10
bb6:
  branch i == 3 ? bb7 : bb8
bb7:
  dead h
  drop inner
  dead inner
  dead i
  drop outer
  dead outer
  return
bb8:
  %5 = &h
  call use(%5)
  dead h
  drop inner
  dead inner
  goto bb9
bb9:
  i = i + 1
  goto bb1
bb10:
  dead i
  drop outer
  dead outer
  return
}
"#,
    );
}
