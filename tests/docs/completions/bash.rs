//! The completions for bash.

use super::{
    CommandName, OPTIONS, OptionSpec, Takes, Values, commands, first_words, kind,
    letters_with_value, small_program, top_options, values, words,
};
use std::fmt::Write;

/// The file for bash.
pub fn bash() -> String {
    let first: Vec<String> = commands().flat_map(|(row, _)| row.spellings()).collect();
    include_str!("template.bash")
        .replace("        @COMMANDS@\n", &command_cases())
        .replace("        @OPTIONS@\n", &option_cases())
        .replace("            @SERVICES@\n", &service_cases())
        .replace("        @VALUES@\n", &value_cases())
        .replace("@FIRST@", &first.join(" "))
        .replace("@LETTERS@", &letters_with_value())
        .replace("@SAVE@", &small_words(CommandName::Save))
        .replace("@RESTORE@", &small_words(CommandName::Restore))
        .replace("@TOP@", &top_words())
}

fn small_words(command: CommandName) -> String {
    let words: Vec<String> = small_program(command).map(|(word, _)| word).collect();
    words.join(" ")
}

fn top_words() -> String {
    let words: Vec<String> = top_options().flat_map(|(words, _)| words).collect();
    words.join(" ")
}

/// `-t | --tcp-service`
fn either(row: &OptionSpec) -> String {
    row.spellings().collect::<Vec<_>>().join(" | ")
}

fn command_cases() -> String {
    commands().fold(String::new(), |mut text, (row, command)| {
        let words = first_words(row).join(" | ");
        let _ = writeln!(text, "        {words}) command='{}' ;;", command.name());
        text
    })
}

fn option_cases() -> String {
    let mut text = String::new();
    for &command in CommandName::ALL {
        let words = words(command);
        if !words.is_empty() {
            let _ = writeln!(text, "        {}) echo '{words}' ;;", command.name());
        }
    }
    text
}

fn service_cases() -> String {
    let mut text = String::new();
    for row in OPTIONS {
        if let Values::Service = values(row) {
            let kind = kind(row);
            let words = either(row);
            let _ = writeln!(text, "            {words}) service=\"{kind} $value\" ;;");
        }
    }
    text
}

fn value_cases() -> String {
    let mut text = String::new();
    for row in OPTIONS.iter().filter(|row| row.takes_value()) {
        let found = match values(row) {
            Values::Service => format!("found=$(_ipvsadm_services {})", kind(row)),
            Values::Server => "found=$(_ipvsadm_servers \"$service\")".into(),
            Values::One(words) => format!("found='{}'", words().join(" ")),
            Values::Several(words) => format!(
                "found='{}' before+=${{value%\"${{value##*,}}\"}}",
                words().join(" ")
            ),
            Values::Vip => "found=$(_ipvsadm_vips)".into(),
            Values::Interface => "found=$(_ipvsadm_interfaces)".into(),
            Values::Namespace => "found=$(_ipvsadm_namespaces)".into(),
            Values::Any => "return".into(),
        };
        // Where the value may be left out, another option may come instead.
        if !matches!(row.takes, Takes::Optional(..)) {
            let _ = writeln!(text, "        {}) {found} ;;", either(row));
        }
    }
    text
}
