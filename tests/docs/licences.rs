//! What the packages say of the libraries and their licences, against cargo.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes both lists anew; it reads the
//! libraries' own files, those for other systems too, and so may need the network.

use super::{path, read};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

const COPYRIGHT: &str = "packaging/debian/copyright";
const SPEC: &str = "packaging/ipvsadm.spec";

/// The lines around a list, in both files.
const BEGIN: &str = "# Made by UPDATE_DOCS=1 cargo test --test docs, from here";
const END: &str = "# to here.";

/// A library's name and version.
type Library = (String, String);

/// A licence is all of some choices.
type Licence = BTreeSet<BTreeSet<String>>;

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(path(""))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn licence(expression: &str) -> Licence {
    let expression = expression.replace('/', " OR ");
    let all = expression.split(" AND ").map(|part| {
        let choices = part.trim_matches(['(', ')']).split(" OR ");
        choices.map(|name| name.trim().to_owned()).collect()
    });
    all.collect()
}

/// The libraries of Cargo.lock, without our own.
fn locked() -> BTreeSet<Library> {
    let lock = read("Cargo.lock");
    let packages = lock.split("[[package]]").skip(1);
    let packages = packages.filter(|package| package.contains("\nsource = "));
    let field = |package: &str, name: &str| {
        let after = package.split(&format!("\n{name} = \"")).nth(1);
        let value = after.and_then(|rest| rest.split('"').next());
        value.expect("a field").to_owned()
    };
    packages
        .map(|package| (field(package, "name"), field(package, "version")))
        .collect()
}

/// What is linked into the programs, on x86-64. What only runs while they are
/// built is not.
fn linked() -> BTreeMap<Library, Licence> {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--offline",
        "--workspace",
        "--target=x86_64-unknown-linux-gnu",
        "--edges=normal,no-proc-macro",
        "--prefix=none",
        "--format={p}|{l}",
    ]);
    let lines = tree.lines().filter_map(|line| line.split_once('|'));
    lines
        .filter(|(package, _)| !package.contains(" (/"))
        .map(|(package, expression)| {
            let mut words = package.split(' ');
            let name = words.next().expect("a name").to_owned();
            let version = words.next().expect("a version")[1..].to_owned();
            let expression = expression.trim_end_matches(" (*)");
            ((name, version), licence(expression))
        })
        .collect()
}

struct Package {
    library: Library,
    licence: Licence,
    manifest: String,
    authors: Vec<String>,
}

/// What the libraries say of themselves: those for x86-64, which are there, or all.
fn described(all: bool) -> Vec<Package> {
    let mut arguments = vec!["metadata", "--locked", "--format-version=1"];
    if !all {
        arguments.extend(["--offline", "--filter-platform=x86_64-unknown-linux-gnu"]);
    }
    let metadata: Value = serde_json::from_str(&cargo(&arguments)).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .filter(|package| !package["source"].is_null())
        .map(|package| Package {
            library: (text(&package["name"]), text(&package["version"])),
            licence: licence(&text(&package["license"])),
            manifest: text(&package["manifest_path"]),
            authors: package["authors"]
                .as_array()
                .map(|authors| authors.iter().map(text).collect())
                .unwrap_or_default(),
        })
        .collect()
}

/// Debian has names of its own, and a comma where "and" comes after "or".
fn in_debians_words(licence: &Licence) -> String {
    let name = |name: &String| match name.as_str() {
        "MIT" => "Expat".to_owned(),
        name => name.replace(" WITH LLVM-exception", " with LLVM exception"),
    };
    let choices = licence.iter().map(|choices| {
        let names: Vec<String> = choices.iter().map(name).collect();
        names.join(" or ")
    });
    choices.collect::<Vec<_>>().join(", and ")
}

/// Who holds the rights, from a library's own files: lines that begin with
/// "Copyright" and go on with a year or a sign, or else its authors.
fn holders(package: &Package) -> BTreeSet<String> {
    let folder = Path::new(&package.manifest).parent().expect("a folder");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a library") {
        let file = entry.expect("a file").path();
        let name = file.file_name().expect("a name").to_string_lossy();
        let name = name.to_lowercase();
        if !["licen", "copying", "copyright", "notice"]
            .iter()
            .any(|begin| name.starts_with(begin))
        {
            continue;
        }
        for line in fs::read_to_string(&file).unwrap_or_default().lines() {
            let Some(said) = line.trim().strip_prefix("Copyright ") else {
                continue;
            };
            let said = said.trim_start_matches("(c)").trim_start_matches("(C)");
            let said = said.trim_start_matches('©').trim().trim_end_matches('.');
            let has_sign = line.contains("(c)") || line.contains("(C)") || line.contains('©');
            let is_year = said.starts_with(|c: char| c.is_ascii_digit());
            if (has_sign || is_year)
                && said.contains(char::is_alphabetic)
                && !said.contains(['{', '['])
            {
                found.insert(said.to_owned());
            }
        }
    }
    if found.is_empty() {
        found.extend(package.authors.iter().cloned());
    }
    if found.is_empty() {
        found.insert("its developers".to_owned());
    }
    found
}

/// The stanzas of the libraries, one for each licence.
fn stanzas() -> String {
    let mut groups: BTreeMap<String, Vec<Package>> = BTreeMap::new();
    for package in described(true) {
        let group = groups
            .entry(in_debians_words(&package.licence))
            .or_default();
        group.push(package);
    }
    let mut text = String::new();
    for (licence, packages) in groups {
        let mut who: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for package in &packages {
            for holder in holders(package) {
                who.entry(holder).or_default().push(&package.library.0);
            }
        }
        text.push_str("Files:\n");
        for Package { library, .. } in &packages {
            text.push_str(&format!(" vendor/{}-{}/*\n", library.0, library.1));
        }
        text.push_str("Copyright:\n");
        for (holder, mut names) in who {
            names.dedup();
            text.push_str(&format!(" {holder} ({})\n", names.join(", ")));
        }
        text.push_str(&format!("License: {licence}\n\n"));
    }
    text
}

/// For Fedora, whose rules want them named.
fn provides() -> String {
    let linked = linked();
    let lines = linked
        .keys()
        .map(|(name, version)| format!("Provides: bundled(crate({name})) = {version}\n"));
    lines.collect()
}

/// What comes before the list, the list, and what comes after it.
fn parts(text: &str) -> [&str; 3] {
    let begin = text.find(BEGIN).expect("a list") + BEGIN.len() + 1;
    let end = text.find(END).expect("its end");
    [&text[..begin], &text[begin..end], &text[end..]]
}

fn list(text: &str) -> &str {
    parts(text)[1]
}

fn update(name: &str, made: &str) {
    let text = read(name);
    let [before, _, after] = parts(&text);
    fs::write(path(name), [before, made, after].concat()).expect("a file of the tree");
}

fn update_if_asked() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            update(COPYRIGHT, &stanzas());
            update(SPEC, &provides());
        }
    });
}

const HOW: &str = "write it anew with UPDATE_DOCS=1 cargo test --test docs";

/// What each library's stanza says, in Debian's words.
fn copyright(text: &str) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    for stanza in list(text)
        .split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty())
    {
        let licence = stanza
            .split("\nLicense: ")
            .nth(1)
            .expect("a licence")
            .trim();
        let files = stanza.lines().filter_map(|line| {
            let folder = line.strip_prefix(" vendor/")?;
            folder.strip_suffix("/*")
        });
        said.extend(files.map(|file| (file.to_owned(), licence.to_owned())));
    }
    said
}

#[test]
fn debians_copyright_has_every_library_with_its_licence() {
    update_if_asked();
    let text = read(COPYRIGHT);
    let said = copyright(&text);
    let folder = |(name, version): &Library| format!("{name}-{version}");
    let wanted: Vec<String> = locked().iter().map(folder).collect();
    let found: Vec<&String> = said.keys().collect();
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{HOW}");
    for package in described(false) {
        let licence = in_debians_words(&package.licence);
        assert_eq!(said[&folder(&package.library)], licence, "{HOW}");
    }
    let names = said.values().flat_map(|licence| licence.split(", and "));
    let names: BTreeSet<&str> = names.flat_map(|choices| choices.split(" or ")).collect();
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        let paragraph = format!("\n\nLicense: {name}\n ");
        assert!(text.contains(&paragraph), "the text of {name}");
    }
}

#[test]
fn the_spec_names_what_is_linked_and_all_its_licences() {
    update_if_asked();
    let text = read(SPEC);
    assert_eq!(list(&text), provides(), "{HOW}");
    let said = text.lines().find_map(|line| line.strip_prefix("License: "));
    let wanted = linked()
        .into_values()
        .fold(licence("MIT OR Apache-2.0"), |mut all, one| {
            all.extend(one);
            all
        });
    assert_eq!(licence(said.expect("a licence")), wanted);
}
