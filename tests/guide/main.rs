//! Runs docs/guide.md, on a real kernel with real traffic: every command, in order,
//! and what it prints is held against what the guide says.
//!
//! A chapter, which is what stands under one `##`, is a test; its name is that of
//! the heading. What a fence's info string says:
//!
//! - "```sh HOST": commands for a shell on that host, a network namespace that the
//!   guide has made before, or `host`, which is the machine itself. They run as root
//!   in the folder ~/lvs, with our programs first in PATH. The first that fails ends
//!   the block, and the test.
//! - "```sh HOST status=3": the last command is to end with this status.
//! - "```sh HOST setup": the chapters after this one need it. It is run before each
//!   of them, since a chapter starts with an empty folder, no hosts and a machine as
//!   it was: tests run alone, and in several machines. Such a block writes a file;
//!   whatever lasts longer is built by a chapter in its own first block.
//! - "```sh elsewhere": is not run, since it is for another kind of machine. Rare.
//! - "```text output", after such a block: what it prints, both streams together.
//!   Blanks at the end of lines do not count. Within a line `...` stands for
//!   anything; on a line of its own, for any number of lines.
//! - "```text output numbers=any": words that are numbers may be others, and columns
//!   may move. "numbers=20%": they may differ by so much.
//! - Any other fence, such as "```text" or "```ini", is only read.
//!
//! The paragraph before a block names its host, for readers do not see the info
//! string: tests/docs holds the guide to that. A program that is to go on running is
//! started in the background by `&`, or makes itself a daemon, with its output in a
//! file; it is ended with the chapter. So that addresses can be told with their
//! ports, clients bind to one (`curl --local-port`).
//!
//! `cargo test --test guide NAME` runs the chapters with NAME in their title.
//! With IPVSADM_KERNEL they are ignored: the guide shows bookworm's.
//! IPVSADM_GUIDE_SHOW=1 prints each block with its seconds and what it printed.
//! IPVSADM_GUIDE_WRITE=1 is for whoever writes a chapter: outputs that differ are no
//! failures, and the guide with what was printed is left in target/lab-out/guide.md.

#[allow(dead_code)] // shared with the traffic tests
#[path = "../traffic/cluster/mod.rs"]
mod cluster;
mod held;
mod run;
mod schedulers;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code)] // shared with tests/docs
mod text;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};
use support::lab::{self, Kernel, Verdict};
use text::{Block, Chapter, Numbers, Output};

const GUIDE: &str = "docs/guide.md";

/// What holds the guide is held here.
const TESTS: &[lab::Test<Result<()>>] = &[
    ("a_wrong_output_is_noticed", a_wrong_output_is_noticed),
    ("a_wrong_command_is_noticed", a_wrong_command_is_noticed),
    ("a_misspelt_fence_is_noticed", a_misspelt_fence_is_noticed),
    (
        "the_figures_are_those_of_their_sources",
        the_figures_are_those_of_their_sources,
    ),
    (
        "the_schedulers_do_what_the_guide_says",
        schedulers::the_schedulers_do_what_the_guide_says,
    ),
];

fn main() -> ExitCode {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE));
    let text = text.expect("the guide");
    let chapters = text::read(&text).unwrap_or_else(|error| panic!("{GUIDE}: {error:#}"));
    let listed = env::args().any(|word| word == "--list");
    if env::var_os("IPVSADM_LAB").is_none() && !listed && !support::ansible::get() {
        return ExitCode::FAILURE;
    }
    // What it shows is what bookworm's kernel does and prints.
    let elsewhere = env::var("IPVSADM_KERNEL").is_ok_and(|kernel| kernel != "bookworm");
    let mut setup = Vec::new();
    let mut trials: Vec<Trial> = TESTS.iter().map(lab::trial).collect();
    for chapter in chapters {
        let before = setup.clone();
        setup.extend(chapter.blocks.iter().filter(|block| block.setup).cloned());
        // Each is kept until the program ends.
        let name: &'static str = name(&chapter).leak();
        let trial = lab::shared(name, move || run::chapter(&before, &chapter).verdict());
        trials.push(trial.with_ignored_flag(elsewhere));
    }
    lab::main(Kernel::WithIpvs, trials, || {
        if env::var_os("IPVSADM_GUIDE_WRITE").is_none() {
            return;
        }
        let place = "target/lab-out/guide.md";
        if let Err(error) = fs::write(place, run::rewritten(&text)) {
            eprintln!("{place}: {error}");
        }
    })
}

/// A chapter's title as the name of a test.
fn name(chapter: &Chapter) -> String {
    let title = chapter.title.to_lowercase();
    let words = title.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

fn output(text: &str, numbers: Numbers) -> Output {
    Output {
        line: 1,
        text: text.to_owned(),
        numbers,
    }
}

fn a_wrong_output_is_noticed() -> Result<()> {
    use Numbers::{Any, Same, WithinPercent};
    for (text, numbers, printed, told) in [
        ("a 1\nb\n", Same, "a 1  \nb\n", true),
        ("a 1\n", Same, "a  1\n", false),
        ("a 1\n", Same, "a 1\nb\n", false),
        ("a 1\n...\n", Same, "a 1\nb\nc\n", true),
        ("...\nc\n", Same, "a 1\nb\nc\n", true),
        ("...\nd\n", Same, "a 1\nb\nc\n", false),
        ("from ... to b\n", Same, "from 10.0.0.1 to b\n", true),
        ("from ... to b\n", Same, "from 10.0.0.1 to c\n", false),
        ("a 1\n", Any, "a   22\n", true),
        ("a 1\n", Any, "b 1\n", false),
        ("10.0.0.1 (10%)\n", Any, "10.0.0.1 (97.5%)\n", true),
        ("10.0.0.1 1\n", Any, "10.0.0.2 1\n", false),
        ("a 100\n", WithinPercent(20), "a 120\n", true),
        ("a 100\n", WithinPercent(20), "a 121\n", false),
    ] {
        let is = held::is_told(&output(text, numbers), printed);
        ensure!(is == told, "{text:?} {numbers:?} {printed:?}: {is}");
    }
    Ok(())
}

/// The blocks of a chapter with these fences.
fn chapter(text: &str) -> Result<Chapter> {
    let text = format!("## A chapter\n{text}");
    text::read(&text)?.pop().context("a chapter")
}

fn a_wrong_command_is_noticed() -> Result<()> {
    let no_setup: &[Block] = &[];
    for (text, problem) in [
        ("```sh host\ntrue\n```", ""),
        ("```sh host status=3\nfalse || exit 3\n```", ""),
        ("```sh host status=3\ntrue\n```", "docs/guide.md:3, on host"),
        (
            "```sh host\ntrue\nfalse\ntrue\n```",
            "docs/guide.md:4, on host: false: exit status: 1, not 0",
        ),
        ("```sh nowhere\ntrue\n```", "on nowhere"),
        (
            "```sh host\nip netns add one\n```\n```sh one\nsleep 100 &\necho a b\n```\n\
             ```text output\na c\n```",
            "docs/guide.md:6, on one: line 9 says otherwise",
        ),
    ] {
        let said = match run::chapter(no_setup, &chapter(text)?) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        ensure!(
            said.contains(problem) && said.is_empty() == problem.is_empty(),
            "{text}\n{said}"
        );
    }
    Ok(())
}

fn a_misspelt_fence_is_noticed() -> Result<()> {
    for text in [
        "```sh\ntrue\n```",
        "```sh host satus=3\ntrue\n```",
        "```sh host\ntrue\n",
        "```text output\na\n```",
        "```sh host\ntrue\n```\n```text output numbers=some\na\n```",
    ] {
        ensure!(chapter(text).is_err(), "{text}");
    }
    Ok(())
}

/// What docs/figures/draw draws is what is there.
fn the_figures_are_those_of_their_sources() -> Result<()> {
    let figures = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/figures");
    let anew = env::temp_dir().join("figures");
    fs::create_dir_all(&anew)?;
    let drawn = Command::new(figures.join("draw")).arg(&anew).status()?;
    ensure!(drawn.success(), "{drawn}");
    let mut count = 0;
    for entry in fs::read_dir(&anew)? {
        let name = entry?.file_name();
        let same = fs::read(figures.join(&name))? == fs::read(anew.join(&name))?;
        ensure!(same, "{name:?} is not what docs/figures/draw draws");
        count += 1;
    }
    ensure!(count > 5, "only {count} figures");
    Ok(())
}
