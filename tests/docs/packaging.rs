//! docs/packaging.md against the sources: the differences from C ipvsadm, and the
//! variables of make. The workflow of CI against Cargo.toml.

use super::{path, read};
use std::collections::BTreeSet;

const PAGE: &str = "docs/packaging.md";
const START: &str = "<!-- differences:start -->\n";
const END: &str = "<!-- differences:end -->\n";

/// The reasons in the compliance suite's list, a line each.
fn differences() -> String {
    let list = read("tests/compliance/differences.rs");
    let rows = list.lines().map(str::trim);
    let rows = rows.filter(|row| row.starts_with("here(\"") || row.starts_with("elsewhere(\""));
    let reasons = rows.filter_map(|row| row.split('"').nth(3));
    reasons.map(|reason| format!("- {reason}\n")).collect()
}

#[test]
fn the_differences_are_those_of_the_compliance_suite() {
    let page = read(PAGE);
    let (before, rest) = page.split_once(START).expect(START);
    let (_, after) = rest.split_once(END).expect(END);
    let made = format!("{before}{START}{}{END}{after}", differences());
    assert!(differences().lines().count() > 20);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(PAGE), &made).expect("written");
    }
    assert!(
        read(PAGE) == made,
        "{PAGE}: write it anew with UPDATE_DOCS=1 cargo test --test docs"
    );
}

/// Those that packaging/install.mk sets where nobody has, and two that it reads.
fn variables() -> BTreeSet<String> {
    let makefile = read("packaging/install.mk");
    let set = makefile.lines().filter_map(|line| line.split_once(" ?="));
    let set = set.map(|(name, _)| name.to_string());
    let others = ["DESTDIR", "OPENRC"].map(String::from);
    // Cargo's, and no matter of installation.
    set.filter(|name| name != "CARGO_TARGET_DIR")
        .chain(others)
        .collect()
}

#[test]
fn every_variable_of_make_install_is_explained() {
    let page = read(PAGE);
    let table = page.split("\n## Variables of make install\n").nth(1);
    let table = table
        .and_then(|rest| rest.split("\n## ").next())
        .expect("a table");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let names = rows.filter_map(|row| row.split('|').nth(1));
    let names = names.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let names = names.filter_map(|name| name.split('=').next());
    let explained: BTreeSet<_> = names.map(String::from).collect();
    assert_eq!(explained, variables());
}

#[test]
fn ci_runs_with_the_oldest_rust_and_the_current_one() {
    let manifest = read("Cargo.toml");
    let oldest = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let workflow = read(".github/workflows/ci.yml");
    let matrix = format!("rust: [{}, stable]", oldest.expect("a version"));
    assert!(workflow.contains(&matrix), "{matrix}");
    assert!(workflow.trim_end().ends_with("run: .ci/run"));
}
