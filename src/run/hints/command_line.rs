//! What was probably meant by a wrong command line.

use crate::cli::UsageError;
use crate::cli::near::{near, nearest};
use crate::cli::opt::CommandName;
use crate::cli::options::{OPTIONS, OptionSpec, Role, find_long, find_short};
use crate::connections::{Key, STATES};

/// The hint for `error`.
pub fn hint(error: &UsageError) -> Option<String> {
    match error {
        UsageError::UnknownOption(word) => match foreign_option(word) {
            Some(row) => Some(takers(row)),
            None => near_option(word).map(|option| format!("did you mean --{option}?")),
        },
        UsageError::UnknownState(word) => did_you_mean(word, &STATES),
        UsageError::UnknownKey(word) => did_you_mean(word, &Key::ALL.map(Key::name)),
        _ => error.reason(),
    }
}

/// The option in `word` that is unknown only because of the command.
fn foreign_option(word: &[u8]) -> Option<&'static OptionSpec> {
    let is_foreign = |row: &&OptionSpec| CommandName::ALL.iter().any(|c| !row.is_known_to(*c));
    match word {
        [b'-', b'-', name @ ..] => find_long(name.split(|byte| *byte == b'=').next()?),
        // Where nobody has one of the letters, that is the unknown option.
        [b'-', letters @ ..] => {
            let rows: Option<Vec<_>> = letters.iter().map(|letter| find_short(*letter)).collect();
            rows?.into_iter().rfind(is_foreign)
        }
        _ => None,
    }
    .filter(is_foreign)
}

/// Which commands take the option `row`.
fn takers(row: &OptionSpec) -> String {
    let option = row.spellings().last().unwrap_or_default();
    if let Role::Command(_) = row.role {
        return format!("{option} is a command: it must come first");
    }
    let commands = OPTIONS.iter().filter(|other| match other.role {
        Role::Command(command) => !other.long.is_empty() && row.is_taken_by(command),
        _ => false,
    });
    let commands: Vec<String> = commands.filter_map(|c| c.spellings().next()).collect();
    match commands.split_last() {
        Some((last, [])) => format!("{option} goes with {last}"),
        Some((last, others)) => format!("{option} goes with {} and {last}", others.join(", ")),
        None => format!("{option} goes with no command"),
    }
}

/// The long spelling most like the unknown `word`.
fn near_option(word: &[u8]) -> Option<&'static str> {
    let word = std::str::from_utf8(word).ok()?.strip_prefix("--")?;
    let (name, _) = word.split_once('=').unwrap_or((word, ""));
    let spellings: Vec<_> = OPTIONS.iter().map(|row| row.long).collect();
    nearest(name, &spellings, NEAR_OPTION)
}

fn did_you_mean(word: &[u8], known: &[&str]) -> Option<String> {
    near(&String::from_utf8_lossy(word), known).map(|known| format!("did you mean {known}?"))
}

/// How alike a word and an option must be: there are many options, some of them
/// alike.
const NEAR_OPTION: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;

    fn hinted(word: &str) -> Option<String> {
        hint(&UsageError::UnknownOption(word.into()))
    }

    #[test]
    fn an_option_of_other_commands_names_them() {
        for (word, said) in [
            (
                "-nj",
                "--json goes with -L, --check and --check-real-server",
            ),
            ("--watch=5", "--watch goes with -S and -L"),
            ("--top", "--top goes with -L"),
            ("--check", "--check is a command: it must come first"),
        ] {
            assert_eq!(hinted(word).as_deref(), Some(said), "{word}");
        }
    }

    #[test]
    fn an_option_that_nobody_has_is_compared_with_all() {
        assert_eq!(
            hinted("--wieght").as_deref(),
            Some("did you mean --weight?")
        );
        assert_eq!(hinted("--xyzzyfoobar"), None);
        assert_eq!(hinted("-Q"), None);
        assert_eq!(hinted("-LjQ"), None);
    }
}
