//! What was probably meant by a wrong command line.

use super::spelling::{self, fullnat, is_fullnat, odd_character, single_dash};
use super::typed::{self, Asked};
use super::value;
use crate::check::Kind;
use crate::cli::near::{near, nearest};
use crate::cli::opt::{CommandName, Opt};
use crate::cli::options::{OPTIONS, OptionSpec, Role, Takes, allowed_with, find_long, find_short};
use crate::cli::popt::{Lexer, Token};
use crate::cli::{Context, UsageError};
use crate::connections::{Key, STATES};
use crate::render::sched_flags::SCHED_FLAGS;
use ipvs::SCHEDULERS;

/// The hint on `error`.
pub fn hint(error: &UsageError, asked: &Asked) -> Option<String> {
    use UsageError as E;
    if let Some(hint) = odd_character(asked.words).or_else(|| single_dash(asked)) {
        return Some(hint);
    }
    match error {
        E::NoCommand(_) => no_command(asked),
        E::UnknownOption(word) => unknown_option(word, asked),
        E::MissingValue(word) => missing_value(word, asked),
        E::UnwantedValue(word) => Some(format!("{} takes no value", before_value(word))),
        E::SecondCommand(_) => {
            let first = asked.command_option()?;
            let first = asked.spelling_of(first.row);
            Some(format!("one command at a time: {first} is the first"))
        }
        E::RepeatedOption(Opt::ServiceAddress) => {
            Some("one virtual service at a time; -R reads many lines".into())
        }
        E::RepeatedOption(Opt::ForwardingMethod) => Some("one of -g, -i and -m".into()),
        E::UnexpectedWord(word) => unexpected_word(word, asked),
        E::Ipv6WithoutMark => Some(match asked.option(Opt::ServiceAddress) {
            Some(option) if option.row.short != Some(b'f') => {
                "-6 is for marks; with an address the family is known".into()
            }
            _ => "write -6 after -f MARK".into(),
        }),
        E::TooFewTimeouts => Some(SET.into()),
        E::MissingOption(option, Context::Command(command)) => {
            missing_option(*option, *command, asked)
        }
        E::MissingOption(option, Context::Tunnel(_)) => spell_out(*option),
        E::IllegalOption(option, Context::Command(command)) => {
            illegal_option(*option, *command, asked)
        }
        E::IllegalOption(option, Context::Tunnel(_)) => {
            Some(format!("leave out {}", asked.spelling(*option)))
        }
        E::Conflict(first, second, _) => Some(leave_out_one(*first, *second, asked)),
        E::ConflictInListing => conflict_in_listing(asked),
        E::OnePacketNotUdp => Some("-o goes with -u and -f".into()),
        E::MixedFamilies => {
            Some("only a tunnel (-i) can lead to a real server of the other address family".into())
        }
        E::NoTunnel => Some("these options go with -i".into()),
        E::UnknownFlag(word) => {
            did_you_mean(word, &SCHED_FLAGS.map(|(name, ..)| name)).or_else(|| error.reason())
        }
        E::ForeignFlag(word) => foreign_flag(word, asked),
        E::UnknownState(word) => did_you_mean(word, &STATES).or_else(|| error.reason()),
        E::UnknownFinding(word) => {
            let ids: Vec<_> = Kind::ALL.iter().map(|kind| kind.id()).collect();
            did_you_mean(word, &ids)
        }
        E::UnknownKey(word) => {
            did_you_mean(word, &Key::ALL.map(Key::name)).or_else(|| error.reason())
        }
        _ => value::hint(error, asked),
    }
}

const SET: &str =
    "--set takes three values, for tcp, tcp after FIN, and udp, in seconds; 0 keeps one";

/// The command line begins with no command.
fn no_command(asked: &Asked) -> Option<String> {
    let is_option = |word: &&&[u8]| word.len() > 1 && word[0] == b'-';
    let Some(first) = asked.words.iter().find(is_option).copied() else {
        return verb(asked);
    };
    if is_fullnat(first, asked) {
        return Some(fullnat(&text(first)));
    }
    if let Some(hint) = spelling::command(first)
        .map(str::to_owned)
        .or_else(|| verb(asked))
    {
        return Some(hint);
    }
    match Lexer::new(&[first], false).next()? {
        // The option exists.
        Ok(Token::Option(option)) => Some(before_command(option.row, first, asked)),
        Err(UsageError::MissingValue(_)) => {
            let row = last_option(first)?;
            match row.role {
                Role::Command(_) => missing_value(first, asked),
                _ => Some(before_command(row, first, asked)),
            }
        }
        Err(UsageError::UnwantedValue(_)) => {
            Some(format!("{} takes no value", before_value(first)))
        }
        _ => near_option(first),
    }
}

/// The first word is a command of other tools.
fn verb(asked: &Asked) -> Option<String> {
    spelling::verb(asked.words.first()?).map(str::to_owned)
}

/// The option `row`, in `word`, is the first one.
fn before_command(row: &OptionSpec, word: &[u8], asked: &Asked) -> String {
    let is_command = |row: &OptionSpec| matches!(row.role, Role::Command(_));
    // `-nL` is `-Ln`.
    if let [b'-', letters @ ..] = word {
        let command = letters
            .iter()
            .position(|l| find_short(*l).is_some_and(is_command));
        let flags = letters.iter().all(|letter| {
            find_short(*letter).is_some_and(|row| matches!(row.takes, Takes::Nothing(_)))
        });
        if let (Some(at @ 1..), true) = (command, flags) {
            let mut right = letters.to_vec();
            right[..=at].rotate_right(1);
            return format!("the command comes first: write -{}", text(&right));
        }
    }
    let first = asked.spelling_of(row);
    match asked.options().find(|option| is_command(option.row)) {
        Some(command) => {
            let command = asked.spelling_of(command.row);
            format!("the command comes first: write {command} before {first}")
        }
        None => match listed(takers_of(row)) {
            Some(commands) => format!("the command comes first; {first} goes with {commands}"),
            None => "the command comes first".into(),
        },
    }
}

fn unknown_option(word: &[u8], asked: &Asked) -> Option<String> {
    if is_fullnat(word, asked) {
        return Some(fullnat(&text(word)));
    }
    match foreign_option(word) {
        Some(row) => Some(takers(row)),
        None => near_option(word),
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
    match listed(takers_of(row)) {
        Some(commands) => format!("{option} goes with {commands}"),
        None => format!("{option} goes with no command"),
    }
}

/// The commands that take the option `row`, as they are spelt.
fn takers_of(row: &OptionSpec) -> Vec<String> {
    let commands = OPTIONS.iter().filter(|other| match other.role {
        Role::Command(command) => !other.long.is_empty() && row.is_taken_by(command),
        _ => false,
    });
    commands.map(typed::spelling).collect()
}

/// `A, B and C`
fn listed(things: Vec<String>) -> Option<String> {
    let (last, others) = things.split_last()?;
    Some(match others {
        [] => last.clone(),
        _ => format!("{} and {last}", others.join(", ")),
    })
}

/// How alike a word and an option must be: there are many options, some of them
/// alike.
const NEAR_OPTION: f64 = 0.8;

/// The option that is most like the unknown one in `word`.
fn near_option(word: &[u8]) -> Option<String> {
    let word = std::str::from_utf8(word).ok()?;
    match word.strip_prefix("--") {
        Some(name) => near_long(name.split('=').next()?),
        None => near_short(word.strip_prefix('-')?),
    }
}

fn near_long(name: &str) -> Option<String> {
    let all = OPTIONS
        .iter()
        .map(|row| row.long)
        .filter(|long| !long.is_empty());
    // Long options cannot be cut short, as those of other programs can.
    let cut: Vec<_> = all.clone().filter(|long| is_cut(name, long)).collect();
    match *cut.as_slice() {
        [one] => return Some(format!("did you mean --{one}?")),
        [one, other] => return Some(format!("did you mean --{one} or --{other}?")),
        _ => {}
    }
    let begins = |long: &&str| long.bytes().next() == name.bytes().next();
    let all: Vec<_> = all.filter(begins).collect();
    nearest(name, &all, NEAR_OPTION).map(|long| format!("did you mean --{long}?"))
}

/// Whether the parts of `name` are the beginnings, or the plurals, of those of the
/// option `long`.
fn is_cut(name: &str, long: &str) -> bool {
    let mut parts = long.split('-');
    name.len() > 1
        && name.split('-').all(|part| {
            let whole = parts.next().unwrap_or_default();
            !part.is_empty() && (whole.starts_with(part) || part.strip_suffix('s') == Some(whole))
        })
}

/// A letter that is no option, but for those of bundles none that is near.
fn near_short(letters: &str) -> Option<String> {
    let is_unknown = |c: &char| u8::try_from(*c).is_ok_and(|c| find_short(c).is_none());
    let unknown = letters.chars().find(is_unknown)?;
    let other = match unknown.is_ascii_uppercase() {
        true => unknown.to_ascii_lowercase(),
        false => unknown.to_ascii_uppercase(),
    };
    if !is_unknown(&other) {
        return Some(format!("there is no -{unknown}; did you mean -{other}?"));
    }
    (letters.len() > 1).then(|| format!("there is no -{unknown}"))
}

/// The option in `word` that wants a value.
fn last_option(word: &[u8]) -> Option<&'static OptionSpec> {
    match word {
        [b'-', b'-', name @ ..] => find_long(name),
        [b'-', .., letter] => find_short(*letter),
        _ => None,
    }
}

fn missing_value(word: &[u8], asked: &Asked) -> Option<String> {
    let row = last_option(word)?;
    let changes_server = matches!(
        asked.command(),
        Some(CommandName::AddServer | CommandName::EditServer)
    );
    if row.role == Role::Option(Opt::SchedFlags) && changes_server {
        return Some(fullnat("-b"));
    }
    let Takes::Value(name, ..) = row.takes else {
        return None;
    };
    let about = match row.role {
        Role::Command(_) => String::new(),
        _ => format!(": {}", row.help()),
    };
    Some(format!("{} takes {name}{about}", typed::spelling(row)))
}

/// What stands before the `=` of an option.
fn before_value(word: &[u8]) -> String {
    text(word.split(|byte| *byte == b'=').next().unwrap_or(word))
}

fn unexpected_word(word: &[u8], asked: &Asked) -> Option<String> {
    let command = asked.command()?;
    let takes = |option| allowed_with(command).contains(option) && asked.option(option).is_none();
    let word_text = text(word);
    let changes_server = matches!(command, CommandName::AddServer | CommandName::EditServer);
    if command == CommandName::Set {
        return Some(SET.into());
    }
    if word.iter().all(u8::is_ascii_whitespace) {
        return Some(match word {
            [] => "an argument is empty: is a variable unset?".into(),
            _ => "an argument is blank: does a blank follow the backslash at the end of a line?"
                .into(),
        });
    }
    if changes_server && asked.option(Opt::SchedFlags).is_some() {
        return Some(fullnat("-b"));
    }
    if takes(Opt::Scheduler) && SCHEDULERS.contains(&&*word_text) {
        return Some(format!("write -s before {word_text}"));
    }
    if takes(Opt::ForwardingMethod) {
        let method = match word {
            b"gate" | b"dr" | b"route" => Some("-g"),
            b"masq" | b"nat" => Some("-m"),
            b"ipip" | b"tun" | b"tunnel" => Some("-i"),
            _ => None,
        };
        if let Some(method) = method {
            return Some(format!("write {method} for {word_text}"));
        }
    }
    if value::is_address(word) {
        if takes(Opt::ServiceAddress) {
            return Some(format!("write -t before {word_text}, or -u for UDP"));
        }
        if takes(Opt::RealServer) {
            return Some(format!("write -r before {word_text}"));
        }
    }
    let at = asked.words.iter().position(|other| *other == word)?;
    let before = asked.words.get(at.checked_sub(1)?)?;
    if is_fullnat(before, asked) {
        return Some(fullnat(&text(before)));
    }
    let row = last_option(before)?;
    matches!(row.takes, Takes::Nothing(_)).then(|| format!("{} takes no value", text(before)))
}

/// How the `option` is spelt that messages call by its name.
fn spell_out(option: Opt) -> Option<String> {
    Some(match option {
        Opt::ServiceAddress => {
            "name the virtual service: -t, -u or --sctp-service and its address, or -f and its mark"
                .into()
        }
        _ => {
            let row = OPTIONS
                .iter()
                .find(|row| row.role == Role::Option(option))?;
            match row.takes {
                Takes::Value(name, ..) => format!("add {} {name}", typed::spelling(row)),
                _ => format!("add {}", typed::spelling(row)),
            }
        }
    })
}

/// The same command for virtual services and for real servers: they differ by
/// capitals.
const PAIRS: [(CommandName, CommandName, &str); 3] = [
    (
        CommandName::AddService,
        CommandName::AddServer,
        "-A adds a virtual service, -a a real server (-r)",
    ),
    (
        CommandName::EditService,
        CommandName::EditServer,
        "-E changes a virtual service, -e a real server (-r)",
    ),
    (
        CommandName::DeleteService,
        CommandName::DeleteServer,
        "-D deletes a virtual service, -d a real server (-r)",
    ),
];

fn pair(command: CommandName) -> Option<(CommandName, &'static str)> {
    PAIRS
        .iter()
        .find_map(|(service, server, said)| match command {
            _ if command == *service => Some((*server, *said)),
            _ if command == *server => Some((*service, *said)),
            _ => None,
        })
}

fn missing_option(option: Opt, command: CommandName, asked: &Asked) -> Option<String> {
    match pair(command) {
        Some((other, said)) if asked.suits(other) => Some(said.into()),
        _ if option == Opt::ServiceAddress && asked.option(Opt::RealServer).is_some() => {
            of_hosts(command, asked).or_else(|| spell_out(option))
        }
        _ => spell_out(option),
    }
}

/// A real server without a service: all of them may be meant.
fn of_hosts(command: CommandName, asked: &Asked) -> Option<String> {
    let all = match command {
        CommandName::DeleteServer => "--all",
        CommandName::EditServer if asked.option(Opt::Keep).is_some() => "--all",
        CommandName::EditServer => "--all --keep",
        _ => return None,
    };
    Some(format!(
        "name the virtual service (-t, -u, --sctp-service or -f), or write {all} for all of them"
    ))
}

fn illegal_option(option: Opt, command: CommandName, asked: &Asked) -> Option<String> {
    let row = asked.option(option)?.row;
    let spelt = asked.spelling_of(row);
    let changes_server = matches!(command, CommandName::AddServer | CommandName::EditServer);
    match (option, command) {
        (Opt::SchedFlags, _) if changes_server => return Some(fullnat("-b")),
        (Opt::ServiceAddress, CommandName::Flush) => {
            return Some(format!(
                "-C deletes everything; -D {spelt} deletes one virtual service"
            ));
        }
        _ => {}
    }
    if let Some((_, said)) = pair(command).filter(|(other, _)| asked.suits(*other)) {
        return Some(said.into());
    }
    match listed(takers_of(row)) {
        Some(takers) => Some(format!("leave out {spelt}, which goes with {takers}")),
        None => Some(format!("leave out {spelt}")),
    }
}

fn leave_out_one(first: Opt, second: Opt, asked: &Asked) -> String {
    format!(
        "leave out {} or {}",
        asked.spelling(first),
        asked.spelling(second)
    )
}

/// What is listed instead of the table has no columns to choose.
fn conflict_in_listing(asked: &Asked) -> Option<String> {
    let given = |options: &[Opt]| options.iter().copied().find(|o| asked.option(*o).is_some());
    let what = given(&[Opt::Connection, Opt::Timeout, Opt::Daemon])?;
    let columns = given(&[Opt::Stats, Opt::Rate, Opt::Thresholds, Opt::PersistentConn])?;
    Some(leave_out_one(what, columns, asked))
}

fn foreign_flag(word: &[u8], asked: &Asked) -> Option<String> {
    let (name, _, owner) = SCHED_FLAGS
        .iter()
        .find(|(name, ..)| name.as_bytes() == word)?;
    let scheduler = asked.value(Opt::Scheduler);
    let scheduler = scheduler.as_deref().unwrap_or("wlc");
    Some(format!(
        "{name} is a flag of {}; the scheduler is {scheduler}",
        (*owner)?
    ))
}

fn did_you_mean(word: &[u8], known: &[&str]) -> Option<String> {
    near(&text(word), known).map(|known| format!("did you mean {known}?"))
}

fn text(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hinted(word: &str) -> Option<String> {
        let words = [&b"-C"[..], word.as_bytes()];
        let asked = Asked {
            words: &words,
            meaning: None,
        };
        hint(&UsageError::UnknownOption(word.into()), &asked)
    }

    #[test]
    fn an_option_of_other_commands_names_them() {
        for (word, said) in [
            (
                "-nj",
                "--json goes with -A, -E, -D, -R, -a, -e, -d, -L, --check and --check-real-server",
            ),
            ("--watch=5", "--watch goes with -S and -L"),
            ("--top", "--top goes with -L"),
            ("--check", "--check is a command: it must come first"),
        ] {
            assert_eq!(hinted(word).as_deref(), Some(said), "{word}");
        }
    }

    #[test]
    fn a_finding_is_compared_with_all() {
        let words = [&b"--check"[..], b"--ignore", b"no-server"];
        let asked = Asked {
            words: &words,
            meaning: None,
        };
        let error = UsageError::UnknownFinding(words[2].into());
        let said = hint(&error, &asked);
        assert_eq!(said.as_deref(), Some("did you mean no-servers?"));
    }

    #[test]
    fn an_option_that_nobody_has_is_compared_with_all() {
        for (word, said) in [
            ("--wieght", Some("did you mean --weight?")),
            ("--hlep", Some("did you mean --help?")),
            ("--real", Some("did you mean --real-server?")),
            ("--add", Some("did you mean --add-service or --add-server?")),
            ("--del-service", Some("did you mean --delete-service?")),
            ("--add-services", Some("did you mean --add-service?")),
            ("--list-services", Some("did you mean --list?")),
            ("--schedular", Some("did you mean --scheduler?")),
            ("--no-sort", Some("did you mean --nosort?")),
            ("-W", Some("there is no -W; did you mean -w?")),
            ("-LjQ", Some("there is no -Q")),
            ("-J", Some("there is no -J; did you mean -j?")),
            ("-I", Some("there is no -I; did you mean -i?")),
            ("-0", None),
            ("--xyzzyfoobar", None),
        ] {
            assert_eq!(hinted(word).as_deref(), said, "{word}");
        }
    }
}
