//! What threads share is told by the class of the object, which a header may declare that names no modelled
//! function.

use pipelint::{Input, Options, lint};

const SOURCE: &str = "
#include <windows.h>
#include \"channel.h\"
static DWORD CALLBACK connect_later(void *context)
{
    channel_t *channel = (channel_t *)context;
    if (!WaitNamedPipeW(L\"pipe\", 30000))
        return 1;
    channel->pending++;
    return 0;
}
int channel_connect(channel_t *channel)
{
    return QueueUserWorkItem(connect_later, channel, WT_EXECUTELONGFUNCTION) != 0;
}
void channel_completed(channel_t *channel)
{
    channel->pending--;
}
";

/// The lines of the source at which something is told, with these headers beside it.
fn lines(headers: &[(&str, &str)]) -> Vec<usize> {
    let inputs = headers.iter().chain([&("channel.c", SOURCE)]);
    let mut inputs: Vec<Input> = inputs
        .map(|(path, text)| Input {
            path: (*path).into(),
            text: (*text).to_owned(),
        })
        .collect();
    inputs.sort_by(|a, b| a.path.cmp(&b.path));
    let run = lint(inputs, &Options::default(), &|| ());
    assert!(run.problems.is_empty(), "{:?}", run.problems);
    let found = run.diagnostics.iter().filter(|d| d.rule.code == "PL402");
    found
        .map(|d| SOURCE[..d.primary.start as usize].lines().count())
        .collect()
}

#[test]
fn a_structure_in_a_header() {
    let one = "typedef struct channel {\n    int open;\n    unsigned pending;\n} channel_t;\n";
    assert_eq!(lines(&[("channel.h", one)]), [9]);
    let no_count = "typedef struct channel {\n    int open;\n} channel_t;\n";
    assert_eq!(lines(&[("channel.h", no_count)]), [0usize; 0]);
}

#[test]
fn a_header_for_the_name_and_one_for_the_body() {
    let name = "#include \"body.h\"\ntypedef struct channel channel_t;\n";
    let body = "struct channel {\n    unsigned pending;\n};\n";
    assert_eq!(lines(&[("channel.h", name), ("body.h", body)]), [9]);
}

#[test]
fn members_that_a_macro_of_another_header_writes() {
    let name = "#include \"system.h\"\n#define COMMON void *data; SYSTEM_MEMBERS\n\
        typedef struct channel channel_t;\nstruct channel {\n    COMMON\n};\n";
    let system = "#define SYSTEM_MEMBERS unsigned pending; void *name;\n";
    assert_eq!(lines(&[("channel.h", name), ("system.h", system)]), [9]);
}

#[test]
fn two_headers_that_tell_different_things_decide_nothing() {
    let one = "struct channel {\n    unsigned pending;\n};\ntypedef struct channel channel_t;\n";
    let two = "struct channel {\n    unsigned volatile pending;\n};\n\
        typedef struct channel channel_t;\n";
    assert_eq!(
        lines(&[("channel.h", one), ("b/channel.h", two)]),
        [0usize; 0]
    );
}
