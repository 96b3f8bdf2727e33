//! A rule's doc comment: its parts, and what it lacks.

/// The sections every rule has, in this order, and what belongs into each.
const SECTIONS: [(&str, &str); 3] = [
    (
        "Why is this bad?",
        "the documented fact, with a link to the page that states it",
    ),
    ("Known limits", "where the rule is silent or wrong"),
    (
        EXAMPLES,
        "fenced code tagged with its language and `bad` or `good`",
    ),
];
const EXAMPLES: &str = "Examples";
const LANGUAGES: [&str; 3] = ["c", "cpp", "rust"];

/// A complete doc comment.
pub(crate) struct Documentation {
    /// The first paragraph, as one line.
    pub(crate) summary: String,
    /// The whole comment; the fences bear the language alone, as other readers of Markdown know it.
    pub(crate) text: String,
    /// The tagged code.
    pub(crate) examples: Vec<Example>,
}

/// One block of tagged code.
pub(crate) struct Example {
    pub(crate) bad: bool,
    pub(crate) language: String,
    pub(crate) code: String,
}

/// A section under construction.
#[derive(Default)]
struct Section {
    title: String,
    text: String,
}

impl Documentation {
    /// Reads a doc comment; the error lists all that must be added.
    pub(crate) fn read(comment: &str) -> Result<Self, Vec<String>> {
        let mut missing = Vec::new();
        let mut text = String::with_capacity(comment.len());
        let mut sections = vec![Section::default()];
        let mut examples = Vec::new();
        let mut lines = comment.lines();
        while let Some(line) = lines.next() {
            if let Some(tag) = line.strip_prefix("```") {
                let mut code = String::new();
                let mut closed = false;
                for line in lines.by_ref() {
                    if line.trim_end() == "```" {
                        closed = true;
                        break;
                    }
                    code.push_str(line);
                    code.push('\n');
                }
                if !closed {
                    missing.push(format!(
                        "the code block ```` ```{tag} ```` never ends: add a line ```` ``` ````"
                    ));
                }
                let in_examples = sections.last().is_some_and(|s| s.title == EXAMPLES);
                let language = match example(tag, &code) {
                    Ok(example) => {
                        let language = example.language.clone();
                        examples.push(example);
                        language
                    }
                    Err(message) => {
                        if in_examples {
                            missing.push(message);
                        }
                        tag.to_owned()
                    }
                };
                let block = format!("```{language}\n{code}```\n");
                text.push_str(&block);
                if let Some(section) = sections.last_mut() {
                    section.text.push_str(&block);
                }
                continue;
            }
            text.push_str(line);
            text.push('\n');
            if let Some(title) = line.strip_prefix("## ") {
                sections.push(Section {
                    title: title.trim().to_owned(),
                    text: String::new(),
                });
            } else if let Some(section) = sections.last_mut() {
                section.text.push_str(line);
                section.text.push('\n');
            }
        }
        let summary = first_paragraph(&sections[0].text);
        if summary.is_empty() {
            missing.push("begin the doc comment with a paragraph on what the rule says".to_owned());
        }
        check_sections(&sections, &mut missing);
        if !examples.iter().any(|e| e.bad) {
            missing.push("add an example that the rule reports: ```` ```cpp,bad ````".to_owned());
        }
        if !examples.iter().any(|e| !e.bad) {
            missing.push("add an example that no rule reports: ```` ```cpp,good ````".to_owned());
        }
        if missing.is_empty() {
            let text = text.trim().to_owned();
            Ok(Self {
                summary,
                text,
                examples,
            })
        } else {
            Err(missing)
        }
    }
}

fn check_sections(sections: &[Section], missing: &mut Vec<String>) {
    let mut after = 0;
    for (title, content) in SECTIONS {
        let Some(at) = sections.iter().position(|s| s.title == title) else {
            missing.push(format!("add a section `## {title}`: {content}"));
            continue;
        };
        if at < after {
            missing.push(format!(
                "move the section `## {title}`: the order is {}",
                SECTIONS.map(|(title, _)| format!("`{title}`")).join(", ")
            ));
        }
        after = at;
        let text = &sections[at].text;
        if text.trim().is_empty() {
            missing.push(format!("the section `## {title}` is empty: add {content}"));
        } else if title == SECTIONS[0].0 && !text.contains("https://") {
            missing.push(format!(
                "the section `## {title}` cites nothing: add a link to the page that states the fact"
            ));
        }
    }
}

/// The first paragraph on one line; none when the text begins with a heading or code.
fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text
        .trim_start()
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    match lines.first() {
        Some(first) if !first.starts_with('#') && !first.starts_with("```") => lines.join(" "),
        _ => String::new(),
    }
}

/// A block of code with its tag (`cpp,bad`).
fn example(tag: &str, code: &str) -> Result<Example, String> {
    let (language, kind) = tag.trim().split_once(',').unwrap_or((tag.trim(), ""));
    let bad = match kind.trim() {
        "bad" => true,
        "good" => false,
        _ => {
            return Err(format!(
                "tag the code block ```` ```{tag} ```` with its language and `bad` or `good`: \
                 ```` ```cpp,bad ````"
            ));
        }
    };
    if !LANGUAGES.contains(&language) {
        return Err(format!(
            "the code block ```` ```{tag} ```` is in no known language: write one of {}",
            LANGUAGES.map(|l| format!("`{l}`")).join(", ")
        ));
    }
    if code.trim().is_empty() {
        return Err(format!("the code block ```` ```{tag} ```` is empty"));
    }
    Ok(Example {
        bad,
        language: language.to_owned(),
        code: code.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::Documentation;

    const WHOLE: &str = "\
Says what is
wrong.

More of it.

## Why is this bad?
See <https://example.com>.

## Known limits
None.

## Examples
Reported:
```cpp,bad
int a;
```
Not reported:
```c,good
int b;
```
";

    #[track_caller]
    fn refused(comment: &str) -> Vec<String> {
        match Documentation::read(comment) {
            Ok(_) => panic!("the comment was taken for complete"),
            Err(missing) => missing,
        }
    }

    #[test]
    fn a_whole_comment_is_taken_apart() {
        let Ok(read) = Documentation::read(WHOLE) else {
            panic!("the comment is complete");
        };
        assert_eq!(read.summary, "Says what is wrong.");
        assert!(read.text.contains("More of it."));
        assert!(read.text.contains("```cpp\nint a;\n```"), "{}", read.text);
        let examples: Vec<_> = read
            .examples
            .iter()
            .map(|e| (e.bad, &*e.language, &*e.code))
            .collect();
        assert_eq!(
            examples,
            [(true, "cpp", "int a;\n"), (false, "c", "int b;\n")]
        );
    }

    #[test]
    fn a_heading_inside_code_is_no_section() {
        let comment = WHOLE.replace("int a;", "## Examples");
        assert!(Documentation::read(&comment).is_ok());
    }

    #[test]
    fn everything_that_lacks_is_told_at_once() {
        let missing = refused("## Examples\n```cpp\nint a;\n```\n").join("\n");
        for words in [
            "begin the doc comment",
            "`## Why is this bad?`",
            "`## Known limits`",
            "```` ```cpp ````",
            "```` ```cpp,bad ````",
            "```` ```cpp,good ````",
        ] {
            assert!(missing.contains(words), "{words} in {missing}");
        }
    }

    #[test]
    fn sections_out_of_order_are_refused() {
        let swapped = WHOLE
            .replace("Known limits", "X")
            .replace("Why is this bad?", "Known limits")
            .replace("## X", "## Why is this bad?\nhttps://example.com");
        assert!(refused(&swapped)[0].contains("the order is"));
    }

    #[test]
    fn a_block_without_end_is_refused() {
        let open = WHOLE.trim_end().trim_end_matches("```");
        assert!(refused(open)[0].contains("never ends"));
    }
}
