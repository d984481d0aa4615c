//! The completions for bash.

use super::{
    CommandName, OPTIONS, OptionSpec, Takes, Values, commands, first_words, letters_with_value,
    small_program, spellings, top_options, values, words,
};
use std::fmt::Write;

/// The file for bash.
pub fn bash() -> String {
    let first: Vec<String> = commands().flat_map(|(row, _)| spellings(row)).collect();
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
    spellings(row).join(" | ")
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
    for row in &OPTIONS {
        if let Values::Services(kind) = values(row) {
            let words = either(row);
            let _ = writeln!(text, "            {words}) service=\"{kind} $value\" ;;");
        }
    }
    text
}

fn value_cases() -> String {
    let mut text = String::new();
    for row in OPTIONS.iter().filter(|row| row.takes != Takes::Nothing) {
        let found = match values(row) {
            Values::Services(kind) => format!("found=$(_ipvsadm_services {kind})"),
            Values::Servers => "found=$(_ipvsadm_servers \"$service\")".into(),
            Values::Words(words) => format!("found='{words}'"),
            Values::List(words) => {
                format!("found='{words}' before+=${{value%\"${{value##*,}}\"}}")
            }
            Values::Interfaces => "found=$(_ipvsadm_interfaces)".into(),
            Values::Namespaces => "found=$(_ipvsadm_namespaces)".into(),
            Values::Unknown => "return".into(),
        };
        // Where the value may be left out, another option may come instead.
        if !matches!(row.takes, Takes::Optional(_)) {
            let _ = writeln!(text, "        {}) {found} ;;", either(row));
        }
    }
    text
}
