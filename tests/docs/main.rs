//! The manual, the README and the completions against the option table.
//!
//! Each of them must list exactly what the table has. The checks themselves are
//! tested too: an option is removed from the text, and must be missed.

mod completions;
#[path = "../guide/text.rs"]
#[allow(dead_code)] // shared with what runs the guide
mod guide;
mod interface;
mod licences;
mod packaging;
mod security;
mod translation;

use ipvs::Protocol;
use ipvsadm::check::Kind;
use ipvsadm::cli::options::{OPTIONS, OptionSpec, Section, Takes};
use ipvsadm::cli::{UsageError, parse};
use ipvsadm::names::{Lookup, NoAddress, NoLookup};
use ipvstop::command_line::{self, TopOption};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// ipvstop has a manual and options of its own.
const TOP_MANUAL: &str = "man/ipvstop.8";

const MANUALS: [&str; 3] = [
    "man/ipvsadm.8",
    "man/ipvsadm-save.8",
    "man/ipvsadm-restore.8",
];

/// The line of the manual that a row of the table asks for.
fn entry(row: &OptionSpec) -> String {
    let short = row.short.map(|letter| char::from(letter).to_string());
    let long = (!row.long.is_empty()).then(|| format!("-{}", row.long));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let value = match row.takes {
        Takes::Nothing(_) => String::new(),
        Takes::Words(words) => format!(" Ar {}", words.to_lowercase()),
        Takes::Value(words, ..) if words.contains('|') => {
            format!(" Cm {}", words.replace('|', " | "))
        }
        Takes::Value(name, ..) => format!(" Ar {}", name.to_lowercase()),
        Takes::Optional(name, ..) => format!(" Op Ar {}", name.to_lowercase()),
    };
    format!(".It Fl {}{value}", names.join(" , Fl "))
}

/// Every row of the table is an entry under its section's title, in order, and
/// there are no other entries.
fn differences(manual: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut title = "";
    for line in manual.lines() {
        title = line.strip_prefix(".Ss ").unwrap_or(title);
        // Rows of a table explain no option.
        if line.starts_with(".It Fl") && !line.contains(" Ta ") {
            found.push(format!("{title}: {line}"));
        }
    }
    let mut wanted = Vec::new();
    for &section in Section::ALL {
        let rows = OPTIONS.iter().filter(|row| row.section == section);
        wanted.extend(rows.map(|row| format!("{}: {}", section.name(), entry(row))));
    }
    let missing = wanted.iter().filter(|entry| !found.contains(entry));
    let unknown = found.iter().filter(|entry| !wanted.contains(entry));
    let missing = missing.map(|entry| format!("the manual lacks {entry}"));
    let unknown = unknown.map(|entry| format!("the table lacks {entry}"));
    missing.chain(unknown).collect()
}

#[test]
fn the_manual_explains_the_option_table_and_nothing_else() {
    assert_eq!(differences(&read("man/ipvsadm.8")), [""; 0]);
}

#[test]
fn an_option_taken_away_from_the_manual_is_missed() {
    let manual = read("man/ipvsadm.8");
    for row in OPTIONS {
        let without = manual.replace(&entry(row), ".It nothing");
        assert_ne!(differences(&without), [""; 0], "{}", entry(row));
    }
}

#[test]
fn an_option_that_only_the_manual_has_is_found() {
    let manual = read("man/ipvsadm.8").replace(".It Fl -sort\n", ".It Fl -sort\n.It Fl -nosuch\n");
    assert_eq!(
        differences(&manual),
        ["the table lacks Options of a listing: .It Fl -nosuch"]
    );
}

/// Each finding of --check has an entry, in the order of their table.
#[test]
fn the_manual_explains_every_finding_and_nothing_else() {
    let manual = read("man/ipvsadm.8");
    let section = manual.split(".Sh TROUBLESHOOTING\n").nth(1);
    let section = section.and_then(|rest| rest.split(".Sh ").next());
    let lines = section.expect("a section").lines();
    let found = lines.filter_map(|line| line.strip_prefix(".It Cm "));
    let wanted = Kind::ALL.iter().map(|kind| kind.id());
    assert_eq!(found.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}

/// `-t` and `--tcp-service`: all spellings of the table.
fn spellings() -> BTreeSet<String> {
    OPTIONS.iter().flat_map(OptionSpec::spellings).collect()
}

/// The options in a line of mdoc: the arguments of Fl, up to the next macro.
fn flags(line: &str) -> Vec<String> {
    let mut flags = Vec::new();
    let mut in_flag = false;
    for word in line.strip_prefix('.').unwrap_or("").split_whitespace() {
        let is_macro = word.len() == 2 && word.starts_with(|c: char| c.is_ascii_uppercase());
        if is_macro {
            in_flag = word == "Fl";
        } else if in_flag && word.starts_with(|c: char| c == '-' || c.is_ascii_alphanumeric()) {
            flags.push(format!("-{word}"));
        }
    }
    flags
}

#[test]
fn the_manuals_name_only_options_that_exist() {
    let known = spellings();
    for name in MANUALS {
        for line in read(name).lines() {
            for flag in flags(line) {
                assert!(known.contains(&flag), "{name}: {flag} in {line}");
            }
        }
    }
}

/// A second Ql on a line is quoted within the first.
#[test]
fn the_manuals_nest_no_quotes() {
    for name in MANUALS {
        for line in read(name).lines().filter(|line| line.starts_with('.')) {
            let quotes = line.split(['.', ' ']).filter(|word| *word == "Ql");
            assert!(quotes.count() < 2, "{name}: {line}");
        }
    }
}

/// The two small programs say themselves what they take.
#[test]
fn the_manuals_of_the_small_programs_explain_their_options() {
    for (program, manual) in [
        (env!("CARGO_BIN_EXE_ipvsadm-save"), MANUALS[1]),
        (env!("CARGO_BIN_EXE_ipvsadm-restore"), MANUALS[2]),
    ] {
        let said = Command::new(program).arg("-h").output().unwrap();
        let help = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
        let words = help.lines().filter_map(|line| line.strip_prefix("  -"));
        let words = words.filter_map(|line| line.split_whitespace().next());
        let taken: Vec<String> = words.map(|word| format!(".It Fl {word}")).collect();
        let text = read(manual);
        let entries = text.lines().filter(|line| line.starts_with(".It Fl"));
        let entries = entries.map(|line| line.split(" Ar ").next().unwrap_or(line));
        assert_eq!(entries.collect::<Vec<_>>(), taken, "{program}");
        assert!(!taken.is_empty(), "{help}");
    }
}

fn top_entries() -> Vec<String> {
    let entry = |option: &TopOption| {
        let value = option
            .value
            .map(|name| format!(" Ar {}", name.to_lowercase()));
        let value = value.unwrap_or_default();
        let spellings = option.spellings();
        let spellings = spellings.iter().map(|word| format!("Fl {}", &word[1..]));
        format!(".It {}{value}", spellings.collect::<Vec<_>>().join(" , "))
    };
    command_line::OPTIONS.iter().map(entry).collect()
}

#[test]
fn the_manual_of_ipvstop_explains_its_options_and_nothing_else() {
    let manual = read(TOP_MANUAL);
    let found = manual.lines().filter(|line| line.starts_with(".It Fl"));
    assert_eq!(found.collect::<Vec<_>>(), top_entries());
}

/// Its examples, and what the README says of it.
#[test]
fn every_example_of_ipvstop_is_a_command_line() {
    let manual = read(TOP_MANUAL);
    let (blocks, spans) = code(&read("README.md"));
    let lines = manual
        .lines()
        .chain(blocks.lines())
        .chain(spans.iter().map(String::as_str));
    let mut count = 0;
    for line in lines {
        let line = line.strip_prefix(".Dl ").unwrap_or(line);
        let line = line.split(" #").next().unwrap_or_default();
        let words = line.split_whitespace().skip_while(|word| *word == "sudo");
        let words: Vec<&[u8]> = words.map(str::as_bytes).collect();
        if let [b"ipvstop", words @ ..] = words.as_slice() {
            assert!(command_line::parse(words, &mut NoLookup).is_ok(), "{line}");
            count += 1;
        }
    }
    assert!(count > 1, "only {count} examples found");
}

/// Knows no name but one.
struct Names;
impl Lookup for Names {
    fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
        match name {
            b"www.example.com" => Ok(Ipv4Addr::new(192, 0, 2, 1)),
            _ => Err(NoAddress::Unknown),
        }
    }
    fn port(&mut self, name: &[u8], _: Protocol) -> Option<u16> {
        (name == b"http").then_some(80)
    }
}

/// The ipvsadm commands among `lines`, without prompts and redirections.
fn commands<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
    let lines = lines.collect::<Vec<_>>().join("\n");
    let lines = lines.replace("\\e\n", " ").replace("\\\n", " ");
    let commands = lines.lines().filter_map(|line| {
        let words = line.split_whitespace().skip_while(|word| *word == "sudo");
        let mut words = words.map(str::to_owned);
        let end =
            |word: &String| ["<", "<<", ">", "|", "&&", "||", "#", ";"].contains(&word.as_str());
        let program = words.next()?;
        let arguments: Vec<String> = words.take_while(|word| !end(word)).collect();
        let first = match program.as_str() {
            "ipvsadm" => None,
            "ipvsadm-save" => Some("-S".to_owned()),
            "ipvsadm-restore" => Some("-R".to_owned()),
            _ => return None,
        };
        Some(first.into_iter().chain(arguments).collect())
    });
    commands.collect()
}

fn check(command: &[String]) -> Result<(), UsageError> {
    let words: Vec<&[u8]> = command.iter().map(String::as_bytes).collect();
    parse(b"ipvsadm", &words, false, &mut Names).map(|_| ())
}

#[test]
fn every_example_of_the_manuals_is_a_command_line() {
    let mut count = 0;
    for name in MANUALS {
        for command in commands(read(name).lines()) {
            let result = check(&command);
            assert!(result.is_ok(), "{name}: {command:?}: {result:?}");
            count += 1;
        }
    }
    assert!(count > 20, "only {count} examples found");
}

/// The README's fenced blocks and its `words in backquotes`.
fn code(readme: &str) -> (String, Vec<String>) {
    let (mut blocks, mut text) = (String::new(), String::new());
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else {
            let target = if inside { &mut blocks } else { &mut text };
            target.push_str(line);
            target.push('\n');
        }
    }
    let spans = text.split('`').skip(1).step_by(2).map(str::to_owned);
    (blocks, spans.collect())
}

/// What the README says that is no option or no command line.
fn nonsense(readme: &str) -> Vec<String> {
    let (blocks, spans) = code(readme);
    let known = spellings();
    let options = spans.iter().flat_map(|span| {
        let options = span.split_whitespace().take(1);
        options
            .filter(|word| word.starts_with('-'))
            .map(str::to_owned)
    });
    let unknown = options.filter(|word| !known.contains(word));
    let lines = blocks.lines().chain(spans.iter().map(String::as_str));
    let wrong = commands(lines).into_iter().filter_map(|command| {
        let error = check(&command).err()?;
        Some(format!("{command:?}: {error}"))
    });
    unknown.chain(wrong).collect()
}

#[test]
fn the_readme_names_only_what_exists() {
    assert_eq!(nonsense(&read("README.md")), [""; 0]);
    assert_eq!(nonsense("Say `--nosuch` twice"), ["--nosuch"]);
    assert_eq!(nonsense("```\nipvsadm -L --drain\n```").len(), 1);
}

/// What the README's lines of make ask for.
fn goals(readme: &str) -> Vec<String> {
    let (blocks, spans) = code(readme);
    let lines = blocks.lines().chain(spans.iter().map(String::as_str));
    let commands = lines.flat_map(|line| line.split('#').next().unwrap_or_default().split("&&"));
    let words = commands.map(|command| {
        command
            .split_whitespace()
            .skip_while(|word| *word == "sudo")
    });
    words
        .filter_map(|mut words| (words.next() == Some("make")).then(|| words.map(str::to_owned)))
        .flatten()
        .collect()
}

/// A goal that has no rule is no error where a file or folder has its name.
#[test]
fn the_readme_names_only_goals_that_make_has() {
    let makefiles = read("Makefile") + &read("packaging/install.mk");
    let phony = makefiles
        .lines()
        .filter_map(|line| line.strip_prefix(".PHONY: "));
    let known: BTreeSet<&str> = phony.flat_map(str::split_whitespace).collect();
    let goals = goals(&read("README.md"));
    assert!(goals.len() > 4, "{goals:?}");
    for goal in goals {
        assert!(known.contains(goal.as_str()), "make {goal}");
        let rule = format!("\n{goal}:");
        assert!(makefiles.contains(&rule), "make {goal}");
    }
}

/// A file and what makes it.
type Made = (&'static str, fn() -> String);

const COMPLETIONS: [Made; 3] = [
    ("completions/ipvsadm.bash", completions::bash),
    ("completions/_ipvsadm", completions::zsh),
    ("completions/ipvsadm.fish", completions::fish),
];

#[test]
fn the_completions_are_those_of_the_option_table() {
    for (name, make) in COMPLETIONS {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path(name), make()).unwrap();
        }
        assert!(
            read(name) == make(),
            "{name} is not what the option table says; write it anew with\n\
             UPDATE_DOCS=1 cargo test --test docs"
        );
    }
}

#[test]
fn the_completions_have_every_option() {
    for (name, make) in COMPLETIONS {
        let text = make();
        // --sort does nothing.
        for row in OPTIONS.iter().filter(|row| row.long != "sort") {
            let found = text.contains(row.long);
            assert!(found, "{name} lacks --{}", row.long);
        }
        for option in &command_line::OPTIONS {
            let found = text.contains(option.long) && text.contains(option.help);
            let bash = name.ends_with("bash") && text.contains(&format!("--{}", option.long));
            assert!(found || bash, "{name} lacks ipvstop's --{}", option.long);
        }
    }
}

/// What is wrong with docs/behaviour.md: each of its entries ends with a group
/// of the compliance suite and a case, which must be in the file of that group.
fn unshown(page: &str) -> Vec<String> {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let entries = page.split("\n- ").skip(1);
    let entries = entries.map(|entry| squeezed(entry.split("\n\n").next().unwrap_or(entry)));
    entries
        .filter(|entry| {
            let mut parts = entry.rsplit('`').skip(1);
            let (Some(case), Some(group)) = (parts.next(), parts.nth(1)) else {
                return true;
            };
            let file = group.split("::").next().unwrap_or(group);
            let Ok(suite) = std::fs::read_to_string(path(&format!("tests/compliance/{file}.rs")))
            else {
                return true;
            };
            !suite.contains(&format!("\"{group}\"")) || !squeezed(&suite).contains(case)
        })
        .collect()
}

#[test]
fn undocumented_behaviour_is_shown_by_a_case_of_the_compliance_suite() {
    let page = read("docs/behaviour.md");
    assert_eq!(unshown(&page), [""; 0]);
    let wrong = page.replace("`-list`", "`-lost`");
    assert_eq!(unshown(&wrong).len(), 1);
    let wrong = page.replace("`listing::names`", "`listing::nosuch`");
    assert_ne!(unshown(&wrong), [""; 0]);
}

#[test]
fn the_packages_have_the_version_of_the_crate() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("packaging/ipvsadm.spec").contains(&format!("\nVersion: 1.31+rust{version}\n")));
    assert!(read("packaging/debian/changelog").starts_with(&format!("ipvsadm-rs ({version}-1) ")));
}

#[test]
fn the_readme_shows_what_make_picture_makes() {
    assert!(read("README.md").contains("](docs/ipvstop.svg)"));
    let picture = read("docs/ipvstop.svg");
    for text in ["<svg ", "3 services, 8 real servers", "TCP 192.0.2.1:80"] {
        assert!(picture.contains(text), "{text}");
    }
}

/// The rows of the tables, after their command.
fn figures(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| -"));
    let rows = rows.map(|row| row.trim_matches([' ', '|']).split(" | ").skip(1));
    rows.map(Iterator::collect).collect()
}

#[test]
fn the_readme_and_the_picture_have_the_figures_of_docs_speed() {
    let (readme, page) = (read("README.md"), read("docs/speed.md"));
    assert!(readme.contains("](docs/speed.svg)") && page.contains("](speed.svg)"));
    let shown = figures(&readme);
    assert_eq!(shown.len(), 4);
    let measured = figures(&page);
    for row in shown {
        let found = measured.iter().any(|all| all.starts_with(&row[..3]));
        assert!(found, "{row:?}: run bench/publish");
    }
    let picture = read("docs/speed.svg");
    let drawn = |row: &&Vec<&str>| {
        let ours = format!(">{} (ratio {})<", row[1], row[2]);
        picture.contains(&format!(">{}<", row[0])) && picture.contains(&ours)
    };
    let bars = picture.matches("(ratio ").count();
    assert!(bars > 4);
    assert!(
        measured.iter().filter(drawn).count() >= bars,
        "run bench/publish"
    );
}

/// Readers do not see what a fence says: the paragraph before a block tells its host.
fn untold(text: &str, machine: &str) -> Vec<usize> {
    let chapters = guide::read(text).unwrap();
    let blocks = chapters.into_iter().flat_map(|chapter| chapter.blocks);
    let told = |block: &guide::Block| match &*block.host {
        guide::MACHINE => block.before.contains(machine),
        host => block.before.contains(host),
    };
    let untold = blocks.filter(|block| !told(block));
    untold.map(|block| block.line).collect()
}

#[test]
fn the_guide_tells_where_each_block_runs() {
    assert_eq!(untold(&read("docs/guide.md"), "machine"), [0; 0]);
    assert_eq!(untold(&read("docs/guide.zh-CN.md"), "本机"), [0; 0]);
    let text = "## A\n\nOn the director:\n\n```sh director\na\n```\n\n```sh client\na\n```\n";
    assert_eq!(untold(text, "machine"), [9]);
}

#[test]
fn the_guide_names_only_what_exists() {
    assert_eq!(nonsense(&read("docs/guide.md")), [""; 0]);
    let findings: Vec<_> = Kind::ALL.iter().map(|kind| kind.id()).collect();
    let guide = read("docs/guide.md");
    for table in guide.split("| finding | what happened |\n").skip(1) {
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let cells = rows.filter_map(|row| row.split('|').nth(1));
        for name in cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            assert!(findings.contains(&name), "{name}");
        }
    }
}

#[test]
fn the_readme_is_short() {
    assert!(read("README.md").lines().count() <= 200);
}

/// What sets up load balancers in a rescue system must not carry a screen along.
#[test]
fn only_ipvstop_is_linked_with_what_draws() {
    let draws = |package| {
        let linked = security::linked(package);
        linked.contains("ratatui") || linked.contains("crossterm")
    };
    assert!(draws("ipvstop"));
    assert!(!draws("ipvsadm"));
}
