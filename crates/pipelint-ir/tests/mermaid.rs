//! The flowchart: nodes, edges, and labels that no character breaks.

use pipelint_ir::{mermaid, parse_function};

#[test]
fn blocks_are_nodes_and_ways_are_edges() {
    let function = parse_function(
        "fn f(a: int) -> int {\nbb0: unwind bb3\n  a = call g(\"<b> & \\\"c\\\" #1\")\n  branch a < 1 ? \
         bb1 : bb2\nbb1:\n  switch a { 1 => bb2, ERROR_IO_PENDING => bb3, _ => bb4 }\nbb2:\n  goto \
         bb4\nbb3:\n  unwind\nbb4:\n  return a\n}\n",
    )
    .expect("the function is read");
    let expected = "flowchart TD\n  \
        bb0[\"bb0:<br/>a = call g(#quot;#lt;b#gt; #amp; \\#quot;c\\#quot; #35;1#quot;)<br/>branch a \
        #lt; 1 ? bb1 : bb2\"]\n  \
        bb0 -->|\"yes\"| bb1\n  \
        bb0 -->|\"no\"| bb2\n  \
        bb0 -.->|\"throws\"| bb3\n  \
        bb1[\"bb1:<br/>switch a { 1 =#gt; bb2, ERROR_IO_PENDING =#gt; bb3, _ =#gt; bb4 }\"]\n  \
        bb1 -->|\"1\"| bb2\n  \
        bb1 -->|\"ERROR_IO_PENDING\"| bb3\n  \
        bb1 -->|\"default\"| bb4\n  \
        bb2[\"bb2:<br/>goto bb4\"]\n  \
        bb2 --> bb4\n  \
        bb3[\"bb3:<br/>unwind\"]\n  \
        bb4[\"bb4:<br/>return a\"]\n";
    assert_eq!(mermaid(&function), expected);
}
