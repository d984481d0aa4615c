//! docs/security.md against the sources: crates that are linked, tests that are
//! named, and where there is unsafe code.

use super::{path, read};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The crates that `package` is linked with, its own and those that only run in the
/// compiler included.
pub fn linked(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut tree = Command::new(cargo);
    tree.args(["tree", "--locked", "--offline", "-e", "normal"]);
    tree.args(["--prefix", "none", "-f", "{p}", "-p", package]);
    let output = tree.current_dir(path("")).output().expect("cargo");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names
        .filter(|name| !name.is_empty())
        .map(String::from)
        .collect()
}

/// The words of a text, where a crate's name is one.
fn words(text: &str) -> BTreeSet<&str> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    text.split(|c| !is_of_word(c)).collect()
}

fn unnamed(page: &str) -> Vec<String> {
    let section = page.split("\n## Dependencies\n").nth(1).expect("a section");
    let words = words(section);
    let ours = ["ipvsadm", "ipvstop", "ipvs", "gethostbyname"];
    let linked = &linked("ipvsadm") | &linked("ipvstop");
    let theirs = linked
        .into_iter()
        .filter(|name| !ours.contains(&name.as_str()));
    theirs
        .filter(|name| !words.contains(name.as_str()))
        .collect()
}

#[test]
fn every_crate_that_is_linked_is_named() {
    let page = read("docs/security.md");
    assert_eq!(unnamed(&page), [""; 0]);
    assert_eq!(unnamed(&page.replace("nom |", "mon |")), ["nom"]);
}

/// `safety` and `restore::disk_full` where a row says "safety `restore::disk_full`".
fn tests_named(page: &str) -> Vec<(&str, &str)> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let spans = rows.flat_map(|row| row.split('|').nth(3));
    let named = spans.filter_map(|cell| {
        let (suite, rest) = cell.trim().split_once(" `")?;
        Some((suite, rest.split('`').next()?))
    });
    named.filter(|(_, test)| test.contains("::")).collect()
}

#[test]
fn the_tests_that_show_what_became_of_bugs_exist() {
    let page = read("docs/security.md");
    let named = tests_named(&page);
    assert!(named.len() > 10, "{named:?}");
    for (suite, test) in named {
        let group = test.split("::").next().unwrap_or(test);
        let file = format!("tests/{suite}/{group}.rs");
        assert!(
            read(&file).contains(&format!("\"{test}\"")),
            "{file}: {test}"
        );
    }
}

fn with_unsafe(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let file = entry.expect("an entry").path();
        if file.is_dir() {
            with_unsafe(&file, found);
        } else if file.extension() == Some(OsStr::new("rs")) {
            let text = fs::read_to_string(&file).expect("text");
            let mut code = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.starts_with("//"));
            if code.any(|line| words(line).contains("unsafe")) {
                let name = file.strip_prefix(path("")).expect("within");
                found.insert(name.display().to_string());
            }
        }
    }
}

#[test]
fn the_files_with_unsafe_code_are_those_named() {
    let mut found = BTreeSet::new();
    with_unsafe(&path("src"), &mut found);
    let page = read("docs/security.md");
    let section = page.split("\n## Unsafe code\n").nth(1);
    let section = section
        .and_then(|rest| rest.split("\n## ").next())
        .expect("a section");
    let named = section.split('`').filter(|span| span.ends_with(".rs"));
    assert_eq!(found, named.map(String::from).collect());
}
