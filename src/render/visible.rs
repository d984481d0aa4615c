//! Input in messages: what nobody would see, or what would command the terminal,
//! is shown as an escape.

use std::fmt::Write;

/// `bytes` with every character spelt out that is not printed as itself: blanks of
/// other widths, controls, marks of writing direction, and what is not UTF-8.
pub fn visible(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                ' '..='~' => shown.push(character),
                // Rust's own escapes; its quotes and backslash are above.
                _ => shown.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            // A String takes everything.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_seen_is_escaped() {
        for (bytes, shown) in [
            (&b"-A -t 10.0.0.1:80 `'\"\\"[..], "-A -t 10.0.0.1:80 `'\"\\"),
            (
                "b\u{fc}cher.example\u{2013}".as_bytes(),
                "b\u{fc}cher.example\u{2013}",
            ),
            ("\u{a0}-A\u{200b}".as_bytes(), "\\u{a0}-A\\u{200b}"),
            (
                "\u{feff}\u{202e}x\u{2066}".as_bytes(),
                "\\u{feff}\\u{202e}x\\u{2066}",
            ),
            (
                "a\u{301}\u{e000}\u{2028}\u{85}".as_bytes(),
                "a\\u{301}\\u{e000}\\u{2028}\\u{85}",
            ),
            (
                b"\x1b[2J\x07\t\n\r\0\x7f",
                "\\u{1b}[2J\\u{7}\\t\\n\\r\\0\\u{7f}",
            ),
            (b"\xff\xfe-\0A\xc3", "\\xff\\xfe-\\0A\\xc3"),
            (b"", ""),
        ] {
            assert_eq!(visible(bytes), shown);
        }
    }
}
