//! The guide in Chinese against the guide in English, which is the one that runs.
//!
//! A translation goes stale where nobody looks. Whatever needs no translation is held
//! here: blocks to the byte, headings, tables and figures in the same order, the
//! numbers in tables, and what stands in backquotes. `UPDATE_DOCS=1 cargo test --test
//! docs` copies blocks and rows of bare numbers into the Chinese text.

use super::{path, read};
use std::collections::BTreeSet;

const ENGLISH: &str = "docs/guide.md";
const CHINESE: &str = "docs/guide.zh-CN.md";

/// What both texts have in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Heading {
        level: usize,
    },
    Block,
    Row {
        columns: usize,
    },
    Figure,
    /// All else: each language has as many lines as it needs.
    Prose,
}

/// What begins with a title of level 2; before the first there is one more.
type Chapter = Vec<(Part, String)>;

/// The whole text: a block is one piece, and so is any other line.
fn chapters(text: &str) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = vec![Vec::new()];
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let chapter = chapters.last_mut().expect("the first");
        let fence = line.starts_with("```");
        if inside {
            chapter.last_mut().expect("its fence").1.push_str(line);
            inside = !fence;
            continue;
        }
        inside = fence;
        let part = match line.as_bytes() {
            _ if fence => Part::Block,
            [b'#', ..] => Part::Heading {
                level: line.bytes().take_while(|byte| *byte == b'#').count(),
            },
            [b'|', ..] => Part::Row {
                columns: line.matches('|').count(),
            },
            [b'!', b'[', ..] => Part::Figure,
            _ => Part::Prose,
        };
        let piece = (part, line.to_owned());
        match part {
            Part::Heading { level: 2 } => chapters.push(vec![piece]),
            _ => chapter.push(piece),
        }
    }
    chapters
}

/// All but the prose.
fn frame(chapter: &Chapter) -> impl Iterator<Item = (Part, &str)> {
    let pieces = chapter.iter().map(|(part, text)| (*part, text.as_str()));
    pieces.filter(|(part, _)| *part != Part::Prose)
}

fn numbers(row: &str) -> Vec<&str> {
    row.split(|character: char| !character.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .collect()
}

/// A row that says nothing in any language, such as what was measured.
fn bare(row: &str) -> bool {
    let mut words = row.split('`').step_by(2);
    !words.any(|words| words.contains(char::is_alphabetic))
}

/// The file of a figure.
fn file(line: &str) -> &str {
    let name = line.trim_end().trim_end_matches(')').rsplit("](").next();
    name.unwrap_or_default()
}

/// What stands in backquotes.
fn code(chapter: &Chapter) -> BTreeSet<String> {
    let pieces = chapter.iter().filter(|(part, _)| *part != Part::Block);
    let prose: String = pieces.map(|(_, line)| line.as_str()).collect();
    let spans = prose.split('`').skip(1).step_by(2);
    let words = spans.map(|span| span.split_whitespace().collect::<Vec<_>>());
    words.map(|words| words.join(" ")).collect()
}

/// Where the Chinese text does not follow the English one.
fn faults(english: &str, chinese: &str) -> Vec<String> {
    let [chapters, others] = [english, chinese].map(chapters);
    let mut faults: Vec<_> = chapters
        .iter()
        .zip(&others)
        .flat_map(|(chapter, other)| faults_of(chapter, other))
        .collect();
    if chapters.len() != others.len() {
        faults.push(format!("{} chapters, {}", chapters.len(), others.len()));
    }
    faults
}

fn faults_of(english: &Chapter, chinese: &Chapter) -> Vec<String> {
    let mut faults = Vec::new();
    for ((part, line), (same, other)) in frame(english).zip(frame(chinese)) {
        if part != same {
            // All that follows is shifted.
            return vec![format!("{part:?} {line}is {same:?} {other}")];
        }
        let equal = match part {
            Part::Block => line == other,
            Part::Row { .. } if bare(line) => line == other,
            Part::Row { .. } => numbers(line) == numbers(other),
            Part::Figure => file(line).replace(".svg", ".zh-CN.svg") == file(other),
            Part::Heading { .. } | Part::Prose => true,
        };
        if !equal {
            faults.push(format!("{line}is not {other}"));
        }
    }
    let title = chinese.first().map_or("", |(_, title)| title);
    if frame(english).count() != frame(chinese).count() {
        faults.push(format!("{title}ends early in one language"));
    }
    for span in code(english).symmetric_difference(&code(chinese)) {
        faults.push(format!("{title}has `{span}` in one language alone"));
    }
    faults
}

/// The Chinese text with what needs no translation from the English one.
fn updated(english: &str, chinese: &str) -> String {
    let english = chapters(english);
    let mut text = String::new();
    for (number, chapter) in chapters(chinese).iter().enumerate() {
        let mut originals = english.get(number).into_iter().flat_map(frame);
        for (part, piece) in chapter {
            let original = match part {
                Part::Prose => None,
                _ => originals.next().filter(|(same, _)| same == part),
            };
            text += match (part, original) {
                (Part::Block, Some((_, original))) => original,
                (Part::Row { .. }, Some((_, original))) if bare(original) => original,
                _ => piece,
            };
        }
    }
    text
}

#[test]
fn the_guide_in_chinese_follows_the_english_one() {
    let english = read(ENGLISH);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let updated = updated(&english, &read(CHINESE));
        std::fs::write(path(CHINESE), updated).expect("written");
    }
    let chinese = read(CHINESE);
    let faults = faults(&english, &chinese);
    assert!(
        faults.is_empty(),
        "{CHINESE}: {}\nUPDATE_DOCS=1 cargo test --test docs copies blocks; the rest \
         is for a translator",
        faults.join("\n")
    );
    for (text, other) in [(&english, "](guide.zh-CN.md)"), (&chinese, "](guide.md)")] {
        let mut top = text.lines().take(8);
        assert!(top.any(|line| line.contains(other)), "{other}");
    }
    for (part, line) in chapters(&chinese).iter().flat_map(frame) {
        let there = part != Part::Figure || path("docs").join(file(line)).is_file();
        assert!(there, "{line}");
    }
}

#[test]
fn what_the_guide_in_chinese_lacks_is_missed() {
    let english = "# A\n\n## B\n\nUse `-n`.\n\n```sh host\nls\n```\n\n\
        | a | b |\n|---|---|\n| `rr` | 1, 2 |\n| after 3 | c |\n\n![D](figures/d.svg)\n";
    let chinese = "# 甲\n\n## 乙\n\n用 `-n`。\n\n```sh host\nls\n```\n\n\
        | 甲 | 乙 |\n|---|---|\n| `rr` | 1, 2 |\n| 3 之后 | 丙 |\n\n![丁](figures/d.zh-CN.svg)\n";
    assert_eq!(faults(english, chinese), [""; 0]);
    for (from, to, mends) in [
        ("## 乙", "### 乙", false),
        ("`-n`", "`-L`", false),
        ("ls\n", "ls -l\n", true),
        ("1, 2", "1, 3", true),
        ("3 之后", "4 之后", false),
        ("| 3 之后 | 丙 |\n", "", false),
        ("d.zh-CN.svg", "d.svg", false),
    ] {
        let stale = chinese.replace(from, to);
        assert_ne!(faults(english, &stale), [""; 0], "{to}");
        assert_eq!(updated(english, &stale) == chinese, mends, "{to}");
    }
}
