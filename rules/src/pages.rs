//! A rule's page and the index of all, as Markdown.

use std::fmt::Write;

use pipelint_report::RuleMeta;

use crate::Rule;

/// The name of a rule's page: `PL101.md`.
pub fn file_name(rule: &RuleMeta) -> String {
    format!("{}.md", rule.code)
}

/// A rule's page.
pub fn page(rule: &RuleMeta) -> String {
    let mut page = format!("# {}: {}\n\n", rule.code, rule.name);
    let cwe: Vec<String> = rule
        .cwe
        .iter()
        .map(|number| {
            format!("[CWE-{number}](https://cwe.mitre.org/data/definitions/{number}.html)")
        })
        .collect();
    let (severity, group) = (rule.severity.as_str(), rule.group.as_str());
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "*Severity: {severity}. Group: {group}. {}.*\n",
        cwe.join(", ")
    );
    page.push_str(rule.docs);
    let _ = write!(
        page,
        "\n\n## Silencing it\n\n\
         `// pipelint: allow({}) reason` silences one line, or the function it stands above. \
         The reason is required.\n",
        rule.code
    );
    page
}

/// The list of all rules, each with a link to its page.
pub fn index(rules: &[&dyn Rule]) -> String {
    let mut index = "# Rules\n\nA code never changes its meaning. Select by code, name or family: \
                     `--select PL101`, `--ignore leaked-handle`, `--select PL1`.\n"
        .to_owned();
    let mut family = "";
    for rule in rules {
        let meta = rule.meta();
        if meta.family() != family {
            family = meta.family();
            let _ = write!(
                index,
                "\n## {family}: {}\n\n| code | name | severity | says |\n| --- | --- | --- | --- |\n",
                family_title(family)
            );
        }
        let _ = writeln!(
            index,
            "| [{0}]({1}) | {2} | {3} | {4} |",
            meta.code,
            file_name(meta),
            meta.name,
            meta.severity.as_str(),
            meta.summary
        );
    }
    index
}

/// What a family of rules is about.
pub fn family_title(family: &str) -> &'static str {
    match family {
        "PL1" => "handles and memory",
        "PL2" => "construction",
        "PL3" => "cancellation and pending I/O",
        "PL4" => "concurrency and synchronisation",
        "PL5" => "error checking",
        "PL6" => "pipe security",
        "PL7" => "buffers",
        "PL8" => "POSIX pipes",
        _ => "other",
    }
}
