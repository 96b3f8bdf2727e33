//! The front end and `syn` agree on the project's own Rust.

use std::path::{Path, PathBuf};

use pipelint_frontend::rust::SiteKind;
use pipelint_frontend::rust::cfg::Cfg;
use pipelint_oracle::{Report, groups, run};

fn compared(folders: &[&str], cfg: &Cfg) -> Report {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let roots: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    run(&groups(&roots), cfg).expect("threads to compare with")
}

#[test]
fn on_both_systems_nothing_differs() {
    for cfg in [Cfg::windows(), Cfg::unix()] {
        let folders = ["crates", "rules", "tests", "fixtures", "fuzz"];
        let report = compared(&folders, &cfg);
        assert!(
            report.differences.is_empty(),
            "{:#?}\n{report}",
            report.differences
        );
        assert!(report.unparsed.is_empty(), "{:#?}", report.unparsed);
        assert!(report.lines > 50_000, "{report}");
        for (kind, counts) in &report.counts {
            // What is excepted is the other system's, nearly all of it.
            assert!(counts.equal * 100 >= counts.syn * 97, "{kind:?}: {report}");
        }
        assert!(report.counts[&SiteKind::Question].equal > 500, "{report}");
    }
}
