//! The pages in `docs/rules` are those that the rules' documentation makes.
//! `UPDATE_DOCS=1 cargo test -p pipelint-tests --test docs` writes them anew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pipelint_rules::{all, pages};
use pipelint_tests::{files_below, root};

fn expected() -> BTreeMap<PathBuf, String> {
    let folder = root().join("docs/rules");
    let mut pages: BTreeMap<PathBuf, String> = all()
        .iter()
        .map(|rule| rule.meta())
        .map(|meta| (folder.join(pages::file_name(meta)), pages::page(meta)))
        .collect();
    pages.insert(folder.join("README.md"), pages::index(all()));
    pages
}

#[test]
fn the_pages_are_fresh() {
    let folder = root().join("docs/rules");
    let pages = expected();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        for (path, page) in &pages {
            std::fs::write(path, page).expect("a page can be written");
        }
    }
    let mut stale = Vec::new();
    for (path, page) in &pages {
        if std::fs::read_to_string(path).ok().as_ref() != Some(page) {
            stale.push(format!("{} is not fresh", path.display()));
        }
    }
    for file in files_below(&folder).unwrap_or_default() {
        if !pages.contains_key(&file) {
            stale.push(format!("{} is no rule's page", file.display()));
        }
    }
    assert!(
        stale.is_empty(),
        "{}\nrun `UPDATE_DOCS=1 cargo test -p pipelint-tests --test docs`",
        stale.join("\n")
    );
}

#[test]
fn rules_are_in_the_order_of_their_codes() {
    let codes: Vec<&str> = all().iter().map(|rule| rule.meta().code).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
}

#[test]
fn a_page_says_how_to_silence_the_rule_and_keeps_its_code_readable() {
    for rule in all() {
        let page = pages::page(rule.meta());
        assert!(page.contains(&format!("allow({})", rule.meta().code)));
        // Other readers of Markdown know no language `cpp,bad`.
        assert!(!page.contains(",bad") && !page.contains(",good"), "{page}");
    }
}
