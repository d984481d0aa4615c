//! The command lines of ipvsadm-save and ipvsadm-restore.
//!
//! C ipvsadm's are shell scripts that ignore most words: boot scripts may call
//! ipvsadm-restore with any options, and it must load the rules. Only what
//! looks like a misspelt option of ours is refused, since ignoring it would
//! clear the table.

use super::command::{Restore, Save};
use super::error::UsageError;
use super::near::nearest;
use super::values;
use std::ffi::OsString;

/// The long options of ipvsadm-restore.
const RESTORE_OPTIONS: [&str; 4] = ["replace", "dry-run", "netns", "help"];

/// How alike a word and an option must be (Jaro-Winkler; 1 is equal).
const NEAR: f64 = 0.85;

/// What one of the programs is to do, and in which network namespace, if not in
/// its own.
pub type Call<T> = (T, Option<OsString>);

/// What ipvsadm-save is to do; `None` asks for help, as any option does that
/// C ipvsadm does not know. It ignores other words.
pub fn save(words: &[&[u8]]) -> Result<Option<Call<Save>>, UsageError> {
    let (mut options, mut netns) = (Save::default(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            b"-n" => options.numeric = true,
            b"--all" => options.all = true,
            word if is_netns(word) => netns = Some(namespace(word, &mut words)?),
            [b'-', ..] => return Ok(None),
            _ => {}
        }
    }
    Ok(Some((options, netns)))
}

/// What ipvsadm-restore is to do; `None` asks for help. C ipvsadm ignores
/// all words.
pub fn restore(words: &[&[u8]]) -> Result<Option<Call<Restore>>, UsageError> {
    let (mut options, mut netns) = (Restore::default(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            b"--replace" => options.replace = true,
            b"--dry-run" => options.dry_run = true,
            b"-h" | b"--help" => return Ok(None),
            word if is_netns(word) => netns = Some(namespace(word, &mut words)?),
            word => {
                if near_miss(word).is_some() {
                    return Err(UsageError::UnknownOption(word.into()));
                }
            }
        }
    }
    Ok(Some((options, netns)))
}

fn is_netns(word: &[u8]) -> bool {
    word == b"--netns" || word.starts_with(b"--netns=")
}

/// The value of `--netns`: in its word, or the next of `rest`.
fn namespace<'a>(
    word: &[u8],
    rest: &mut impl Iterator<Item = &'a &'a [u8]>,
) -> Result<OsString, UsageError> {
    let value = match word.strip_prefix(b"--netns=") {
        Some(attached) => attached,
        None => rest
            .next()
            .ok_or_else(|| UsageError::MissingValue(word.into()))?,
    };
    values::namespace(value)
}

/// The option that `word` may have been meant for.
fn near_miss(word: &[u8]) -> Option<&'static str> {
    let word = std::str::from_utf8(word).ok()?.strip_prefix("--")?;
    let (name, _) = word.split_once('=').unwrap_or((word, ""));
    nearest(name, &RESTORE_OPTIONS, NEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slip_in_an_option_of_ours_is_refused() {
        for (word, meant) in [
            ("--dryrun", Some("dry-run")),
            ("--dry_run", Some("dry-run")),
            ("--dry", Some("dry-run")),
            ("--replce", Some("replace")),
            ("--replace=yes", Some("replace")),
            ("--rep", Some("replace")),
            ("--hlep", Some("help")),
            ("--netn", Some("netns")),
            ("--net-ns", Some("netns")),
            ("--restore", None),
            ("--numeric", None),
            ("--all", None),
            ("--", None),
            ("-n", None),
            ("-r", None),
            ("replace", None),
        ] {
            assert_eq!(near_miss(word.as_bytes()), meant, "{word}");
        }
    }
}
