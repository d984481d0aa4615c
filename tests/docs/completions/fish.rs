//! The completions for fish.

use super::{
    CommandName, OPTIONS, OptionSpec, Takes, Values, commands, first_words, kind,
    options_with_commands, small_program, top_options, values,
};
use std::fmt::Write;

/// The file for fish.
pub fn fish() -> String {
    include_str!("template.fish")
        .replace("        @COMMANDS@\n", &command_cases())
        .replace("@FIRST@\n", &first())
        .replace("@NETNS@\n", &netns_first())
        .replace("@OPTIONS@\n", &all_options())
        .replace("            @SERVICES@\n", &service_cases())
        .replace("@SAVE@\n", &program("ipvsadm-save", CommandName::Save))
        .replace(
            "@RESTORE@\n",
            &program("ipvsadm-restore", CommandName::Restore),
        )
        .replace("@TOP@\n", &top())
}

fn command_cases() -> String {
    commands().fold(String::new(), |mut text, (row, command)| {
        let mut words = first_words(row);
        if row.short.is_some() {
            words[0] = format!("'{}'", words[0]);
        }
        let _ = writeln!(text, "        case {}", words.join(" "));
        let _ = writeln!(text, "            echo {}", command.name());
        text
    })
}

fn first() -> String {
    let mut text = String::new();
    for (row, _) in commands() {
        let names = names(row);
        let _ = writeln!(
            text,
            "complete -c ipvsadm -n __ipvsadm_first{names}{}",
            help(row)
        );
        if let Values::One(words) = values(row) {
            let words = words().join(" ");
            let _ = writeln!(
                text,
                "complete -c ipvsadm -n '__ipvsadm_after --{}' -a '{words}'",
                row.long
            );
        }
    }
    text
}

/// `--netns` before the command.
fn netns_first() -> String {
    let rows = OPTIONS.iter().filter(|row| row.long == "netns");
    rows.map(|row| {
        let rest = format!("{}{}{}", names(row), value(row), help(row));
        format!("complete -c ipvsadm -n __ipvsadm_first{rest}\n")
    })
    .collect()
}

fn all_options() -> String {
    options_with_commands().fold(String::new(), |mut text, (row, commands)| {
        let commands = commands.join(" ");
        let rest = format!("{}{}{}", names(row), value(row), help(row));
        let _ = writeln!(
            text,
            "complete -c ipvsadm -n '__ipvsadm_on {commands}'{rest}"
        );
        text
    })
}

/// The options of the program that is `command` under its own name.
fn program(name: &str, command: CommandName) -> String {
    small_program(command).fold(String::new(), |mut text, (word, row)| {
        let name_of_option = match word.strip_prefix("--") {
            Some(long) => format!("-l {long}"),
            None => format!("-s {}", &word[1..]),
        };
        let (value, help) = (value(row), quoted(&row.help()));
        let _ = writeln!(
            text,
            "complete -c {name} {name_of_option}{value} -d '{help}'"
        );
        text
    })
}

fn top() -> String {
    top_options().fold(String::new(), |mut text, (_, option)| {
        let short = option.short.map(|letter| format!(" -s {letter}"));
        let (short, long) = (short.unwrap_or_default(), option.long);
        let value = match option.long {
            "netns" => " -x -a '(__ipvsadm_namespaces)'",
            "vip" => " -x -a '(__ipvsadm_vips)'",
            "real-server" => " -x -a '(__ipvsadm_servers)'",
            _ if option.value.is_some() => " -x",
            _ => "",
        };
        let help = quoted(option.help);
        let _ = writeln!(
            text,
            "complete -c ipvstop{short} -l {long}{value} -d '{help}'"
        );
        text
    })
}

fn names(row: &OptionSpec) -> String {
    let short = row
        .short
        .map(|letter| format!(" -s {}", char::from(letter)));
    let long = (!row.long.is_empty()).then(|| format!(" -l {}", row.long));
    format!("{}{}", short.unwrap_or_default(), long.unwrap_or_default())
}

fn help(row: &OptionSpec) -> String {
    match row.help().as_str() {
        "" => String::new(),
        help => format!(" -d '{}'", quoted(help)),
    }
}

fn quoted(help: &str) -> String {
    help.replace('\'', "\\'")
}

fn value(row: &OptionSpec) -> String {
    // A value that may be left out is not asked for.
    let Takes::Value(_, values, _) = row.takes else {
        return String::new();
    };
    match values {
        Values::One(words) => format!(" -x -a '{}'", words().join(" ")),
        Values::Several(words) => format!(" -x -a '(__ipvsadm_list {})'", words().join(" ")),
        Values::Service => format!(" -x -a '(__ipvsadm_services {})'", kind(row)),
        Values::Server => " -x -a '(__ipvsadm_servers)'".into(),
        Values::Vip => " -x -a '(__ipvsadm_vips)'".into(),
        Values::Interface => " -x -a '(__ipvsadm_interfaces)'".into(),
        Values::Namespace => " -x -a '(__ipvsadm_namespaces)'".into(),
        Values::Any => " -x".into(),
    }
}

fn service_cases() -> String {
    let mut text = String::new();
    for row in OPTIONS
        .iter()
        .filter(|row| matches!(values(row), Values::Service))
    {
        let (long, kind) = (row.long, kind(row));
        // A fish pattern knows no sets of letters: any word that ends in the
        // letter will do.
        let short = row
            .short
            .map(|letter| format!("'-*{}' ", char::from(letter)));
        let short = short.unwrap_or_default();
        let _ = writeln!(text, "            case {short}--{long}");
        let _ = writeln!(text, "                set vip {kind} $words[(math $i + 1)]");
        let _ = writeln!(text, "            case '--{long}=*'");
        let _ = writeln!(
            text,
            "                set vip {kind} (string replace -r '^[^=]*=' '' -- $words[$i])"
        );
    }
    text
}
