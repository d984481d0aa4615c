//! What a command has changed, or would: one document.

use super::{Text, Value, members};
use crate::render::Buffer;

/// The document as far as it has been written.
#[derive(Debug)]
pub struct Changes {
    /// Whether a failure stands in it.
    failed: bool,
}

impl Changes {
    /// Begins it with the `commands` that were carried out, or would be.
    pub fn begin(out: &mut Buffer, commands: impl Iterator<Item = String>) -> Changes {
        let mut commands = commands.peekable();
        out.push(b'{');
        members!(out, "changed": commands.peek().is_some());
        out.text(",\"commands\":[");
        for (at, command) in commands.enumerate() {
            out.text(if at > 0 { ",\n" } else { "\n" });
            Text(command.as_bytes()).put(out);
        }
        out.text("\n]");
        Changes { failed: false }
    }

    /// Adds what went wrong: with which `command`, and with the rule in which `line`.
    pub fn failed(
        &mut self,
        out: &mut Buffer,
        line: Option<u32>,
        command: Option<&str>,
        error: &str,
    ) {
        out.text(match self.failed {
            true => ",\n{",
            false => ",\"failed\":[\n{",
        });
        self.failed = true;
        members!(out,
            "line": line,
            "command": command.map(|command| Text(command.as_bytes())),
            "error": Text(error.as_bytes()),
        );
        out.push(b'}');
    }

    /// Ends it.
    pub fn end(self, out: &mut Buffer) {
        out.text(match self.failed {
            true => "\n]}\n",
            false => "}\n",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::written;

    fn document(commands: &[&str], failed: &[(Option<u32>, Option<&str>, &str)]) -> String {
        written(|out| {
            let mut changes = Changes::begin(out, commands.iter().map(|c| c.to_string()));
            for (line, command, error) in failed {
                changes.failed(out, *line, *command, error);
            }
            changes.end(out);
        })
    }

    #[test]
    fn failures_stand_in_it_only_where_there_are_some() {
        assert_eq!(
            document(&[], &[]),
            "{\"changed\":false,\"commands\":[\n]}\n"
        );
        assert_eq!(
            document(&["-D -f 7", "-D -f 8"], &[]),
            "{\"changed\":true,\"commands\":[\n\"-D -f 7\",\n\"-D -f 8\"\n]}\n"
        );
        let failed = [
            (Some(3), Some("-D -f 9"), "a \"quote\""),
            (None, None, "interrupted"),
        ];
        assert_eq!(
            document(&["-D -f 7"], &failed),
            "{\"changed\":true,\"commands\":[\n\"-D -f 7\"\n],\"failed\":[\n\
             {\"line\":3,\"command\":\"-D -f 9\",\"error\":\"a \\\"quote\\\"\"},\n\
             {\"line\":null,\"command\":null,\"error\":\"interrupted\"}\n]}\n"
        );
    }
}
