//! The guide's text as chapters and blocks.
//!
//! Words in the info string of a fence say what a block is; `main.rs` tells which
//! there are. What is misspelt is an error with its line: a block that nobody runs
//! would not be noticed.

use anyhow::{Context, Result, bail, ensure};

/// What stands under one `##`.
#[derive(Debug)]
pub struct Chapter {
    pub title: String,
    pub blocks: Vec<Block>,
}

/// Commands that run on one host.
#[derive(Clone, Debug)]
pub struct Block {
    /// The line of the fence; the commands begin on the next.
    pub line: usize,
    pub host: String,
    pub setup: bool,
    /// The exit status of the last command.
    pub status: i32,
    pub script: String,
    pub output: Option<Output>,
    /// The paragraph before it.
    pub before: String,
}

/// What a block prints.
#[derive(Clone, Debug)]
pub struct Output {
    /// The line of the fence.
    pub line: usize,
    pub text: String,
    pub numbers: Numbers,
}

/// How far the numbers of an output may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    Same,
    Any,
    WithinPercent(u32),
}

/// The machine itself; every other host is a network namespace.
pub const MACHINE: &str = "host";

/// A fenced block of any kind.
struct Fence<'a> {
    line: usize,
    info: &'a str,
    text: String,
    before: String,
}

enum Part<'a> {
    Title(&'a str),
    Fence(Fence<'a>),
}

/// The chapters of `text` that have blocks to run.
pub fn read(text: &str) -> Result<Vec<Chapter>> {
    let mut chapters = Vec::new();
    for part in parts(text)? {
        match part {
            Part::Title(title) => chapters.push(Chapter {
                title: title.to_owned(),
                blocks: Vec::new(),
            }),
            Part::Fence(fence) => {
                let blocks = chapters.last_mut().map(|chapter| &mut chapter.blocks);
                let line = fence.line;
                add(fence, blocks).with_context(|| format!("line {line}"))?;
            }
        }
    }
    chapters.retain(|chapter| !chapter.blocks.is_empty());
    Ok(chapters)
}

fn parts(text: &str) -> Result<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut open: Option<Fence> = None;
    let mut paragraph = String::new();
    let mut ended = false;
    for (line, number) in text.lines().zip(1..) {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(rest)) => {
                ensure!(rest.is_empty(), "line {number}: a fence within a fence");
                parts.extend(open.take().map(Part::Fence));
            }
            (Some(fence), None) => {
                fence.text += line;
                fence.text.push('\n');
            }
            (None, Some(info)) => {
                open = Some(Fence {
                    line: number,
                    info,
                    text: String::new(),
                    before: std::mem::take(&mut paragraph),
                });
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    parts.push(Part::Title(title));
                }
                if line.is_empty() {
                    ended = true;
                } else {
                    if std::mem::take(&mut ended) {
                        paragraph.clear();
                    }
                    paragraph += line;
                    paragraph.push('\n');
                }
            }
        }
    }
    match open {
        Some(fence) => bail!("line {}: the block has no end", fence.line),
        None => Ok(parts),
    }
}

/// Reads what the fence says, and puts it among the blocks.
fn add(fence: Fence, blocks: Option<&mut Vec<Block>>) -> Result<()> {
    let words: Vec<&str> = fence.info.split_whitespace().collect();
    match words.as_slice() {
        ["sh", "elsewhere"] => Ok(()),
        ["sh"] => bail!("say on which host this runs, or `elsewhere`"),
        ["sh", host, words @ ..] => {
            let block = block(fence, host, words)?;
            blocks.context("before the first chapter")?.push(block);
            Ok(())
        }
        ["text", "output", words @ ..] => {
            let numbers = match words {
                [] => Numbers::Same,
                ["numbers=any"] => Numbers::Any,
                [word] => {
                    let percent = word.strip_prefix("numbers=");
                    let percent = percent.and_then(|word| word.strip_suffix('%'));
                    Numbers::WithinPercent(
                        percent
                            .and_then(|n| n.parse().ok())
                            .context("a percentage")?,
                    )
                }
                _ => bail!("too many words"),
            };
            let last = blocks.and_then(|blocks| blocks.last_mut());
            let last = last.context("an output of nothing")?;
            ensure!(last.output.is_none(), "a second output of one block");
            last.output = Some(Output {
                line: fence.line,
                text: fence.text,
                numbers,
            });
            Ok(())
        }
        _ => Ok(()),
    }
}

fn block(fence: Fence, host: &str, words: &[&str]) -> Result<Block> {
    let mut block = Block {
        line: fence.line,
        host: host.to_owned(),
        setup: false,
        status: 0,
        script: fence.text,
        output: None,
        before: fence.before,
    };
    for word in words {
        match (*word, word.strip_prefix("status=")) {
            ("setup", _) => block.setup = true,
            (_, Some(status)) => block.status = status.parse().context("a status")?,
            _ => bail!("unknown word {word}"),
        }
    }
    Ok(block)
}
