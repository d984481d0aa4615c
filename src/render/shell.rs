//! Words as a shell needs them: what we tell people to type can be pasted.

use super::visible;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// Bytes that no shell takes for anything but themselves.
const PLAIN: &[u8] = b"_-+=:,./@%";

/// `word` as it is written on a command line: as it is if that is safe, in quotes
/// otherwise.
pub fn quoted(word: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || PLAIN.contains(byte);
    match std::str::from_utf8(word) {
        // zsh reads =WORD as the path of a program.
        Ok(text) if !matches!(word, [] | [b'=', ..]) && word.iter().all(is_plain) => text.into(),
        Ok(text) if visible(word) == text => {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
        _ => escaped(word),
    }
}

/// The command line of a command whose words have blanks between them.
pub fn command(words: &[u8]) -> String {
    let words = words.split(u8::is_ascii_whitespace);
    let words = words.filter(|word| !word.is_empty()).map(quoted);
    words.collect::<Vec<_>>().join(" ")
}

/// The same `command`, so that it acts on the network namespace `netns` if one is
/// named.
pub fn in_namespace(command: String, netns: Option<&OsStr>) -> String {
    let Some(netns) = netns else {
        return command;
    };
    let name = quoted(netns.as_bytes());
    let is_path = netns.as_bytes().contains(&b'/');
    match command.split_once(' ') {
        Some(("ipvsadm", _)) => format!("{command} --netns {name}"),
        // ip(8) knows namespaces by name only.
        _ if is_path => {
            let option = [b"--net=", netns.as_bytes()].concat();
            format!("nsenter {} {command}", quoted(&option))
        }
        Some(("ip", rest)) => format!("ip -n {name} {rest}"),
        _ => format!("ip netns exec {name} {command}"),
    }
}

/// `$'...'`, with escapes for what nobody can see.
fn escaped(word: &[u8]) -> String {
    let mut text = String::from("$'");
    for byte in word {
        match byte {
            b'\'' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        for (word, written) in [
            ("eth0.5", "eth0.5"),
            ("/proc/4711/ns/net", "/proc/4711/ns/net"),
            ("10.0.0.1/24", "10.0.0.1/24"),
            ("", "''"),
            ("=ls", "'=ls'"),
            ("[fd00::1]:80", "'[fd00::1]:80'"),
            ("a b$(reboot)", "'a b$(reboot)'"),
            ("it's", "'it'\\''s'"),
            ("bl\u{e5}", "'bl\u{e5}'"),
            ("a\nb'\\", "$'a\\012b\\'\\\\'"),
            ("\u{85}", "$'\\302\\205'"),
            ("\u{a0}", "$'\\302\\240'"),
        ] {
            assert_eq!(quoted(word.as_bytes()), written, "{word:?}");
        }
        assert_eq!(quoted(b"\xff"), "$'\\377'");
        assert_eq!(command(b"ip  link set $x\n"), "ip link set '$x'");
    }
}
