//! The completions for zsh.

use super::{
    CommandName, OPTIONS, OptionSpec, Role, Takes, Values, commands, first_words, kind,
    letters_with_value, options_with_commands, small_program, top_options, values,
};
use std::fmt::Write;

/// The file for zsh.
pub fn zsh() -> String {
    include_str!("template.zsh")
        .replace("        @COMMANDS@\n", &command_cases())
        .replace("                @FIRST@\n", &first_specs())
        .replace("        @NETNS@\n", &netns_spec())
        .replace("    @OPTIONS@\n", &option_specs())
        .replace("            @SERVICES@\n", &service_cases())
        .replace("@LETTERS@", &letters_with_value())
        .replace(
            "@ALL@",
            &alternatives(|role| matches!(role, Role::Command(_))),
        )
        .replace("                @SAVE@\n", &small_specs(CommandName::Save))
        .replace(
            "                @RESTORE@\n",
            &small_specs(CommandName::Restore),
        )
        .replace("                @TOP@\n", &top_specs())
}

fn command_cases() -> String {
    commands().fold(String::new(), |mut text, (row, command)| {
        let words = first_words(row).join("|");
        let _ = writeln!(text, "        ({words}) command={} ;;", command.name());
        text
    })
}

fn first_specs() -> String {
    commands().fold(String::new(), |mut text, (row, _)| {
        let _ = writeln!(text, "                {}", spec(row));
        text
    })
}

/// `--netns` before the command.
fn netns_spec() -> String {
    let rows = OPTIONS.iter().filter(|row| row.long == "netns");
    rows.map(|row| format!("        {}\n", spec(row))).collect()
}

fn small_specs(command: CommandName) -> String {
    small_program(command).fold(String::new(), |mut text, (word, row)| {
        let equals = if !row.takes_value() { "" } else { "=" };
        let (help, value) = (quoted(&row.help()), value(row));
        let _ = writeln!(text, "                '{word}{equals}[{help}]{value}'");
        text
    })
}

fn top_specs() -> String {
    top_options().fold(String::new(), |mut text, (spellings, option)| {
        let (short_end, long_end, value) = match option.value {
            None => ("", "", String::new()),
            Some(name) => {
                let action = match option.long {
                    "netns" => "_ipvsadm_namespaces",
                    "vip" => "_ipvsadm_vips",
                    "real-server" => "_ipvsadm_servers",
                    _ => "",
                };
                ("+", "=", format!(":{}: {action}", name.to_lowercase()))
            }
        };
        let help = quoted(option.help);
        let _ = match spellings.as_slice() {
            [short, long] => writeln!(
                text,
                "                '({short} {long})'{{{short}{short_end},{long}{long_end}}}'[{help}]{value}'"
            ),
            words => {
                let word = words.concat();
                writeln!(text, "                '{word}{long_end}[{help}]{value}'")
            }
        };
        text
    })
}

fn option_specs() -> String {
    options_with_commands().fold(String::new(), |mut text, (row, commands)| {
        let commands = commands.join("|");
        let _ = writeln!(text, "    [[ $command == ({commands}) ]] && specs+=(");
        let _ = writeln!(text, "        {}", spec(row));
        text.push_str("    )\n");
        text
    })
}

fn service_cases() -> String {
    let mut text = String::new();
    for row in OPTIONS {
        if let Values::Service = values(row) {
            let kind = kind(row);
            let letter = row.short.map(char::from);
            let short = letter.map(|letter| format!("-[^-$valued]#{letter}|"));
            let (short, long) = (short.unwrap_or_default(), row.long);
            let _ = writeln!(
                text,
                "            ({short}--{long}) vip=\"{kind} ${{(Q)words[i+1]}}\" ;;"
            );
            let _ = writeln!(
                text,
                "            (--{long}=*) vip=\"{kind} ${{${{(Q)words[i]}}#*=}}\" ;;"
            );
        }
    }
    text
}

/// What _arguments is told of a row.
fn spec(row: &OptionSpec) -> String {
    let excludes = match row.role {
        Role::Command(_) => "$others".into(),
        role => format!("'({})'", alternatives(|other| other == role)),
    };
    let mut names: Vec<String> = row.spellings().collect();
    if row.takes_value() {
        for name in &mut names {
            name.push(if name.starts_with("--") { '=' } else { '+' });
        }
    }
    let names = match names.as_slice() {
        [one] => one.clone(),
        several => format!("{{{}}}", several.join(",")),
    };
    let help = quoted(&row.help());
    format!("{excludes}{names}'[{help}]{}'", value(row))
}

fn quoted(help: &str) -> String {
    let help = help.replace('[', "\\[").replace(']', "\\]");
    help.replace('\'', "'\\''")
}

/// The spellings of the rows with certain roles.
fn alternatives(chosen: impl Fn(Role) -> bool) -> String {
    let rows = OPTIONS.iter().filter(|row| chosen(row.role));
    rows.flat_map(OptionSpec::spellings)
        .collect::<Vec<_>>()
        .join(" ")
}

fn value(row: &OptionSpec) -> String {
    let name = match row.takes {
        Takes::Nothing(_) | Takes::Words(_) => return String::new(),
        Takes::Value(name, ..) => name.to_lowercase(),
        Takes::Optional(name, ..) => format!(":{}", name.to_lowercase()),
    };
    let action = match values(row) {
        Values::Any => " ".into(),
        Values::One(words) => format!("({})", words().join(" ")),
        Values::Several(words) => format!(" _values -s , {name} {}", words().join(" ")),
        Values::Service => format!(" _ipvsadm_services {}", kind(row)),
        Values::Server => " _ipvsadm_servers".into(),
        Values::Vip => " _ipvsadm_vips".into(),
        Values::Interface => " _ipvsadm_interfaces".into(),
        Values::Namespace => " _ipvsadm_namespaces".into(),
    };
    format!(":{name}:{action}")
}
