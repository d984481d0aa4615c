//! The words of a line of rules.

/// Form feeds and vertical tabs belong to words, as with C ipvsadm.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// Puts the words of `line` into `words`: separated by blanks, without
/// quoting, up to a `#` at the start of a word. The word `ipvsadm` is left out
/// wherever it stands, and a NUL ends its word, as with C ipvsadm.
pub fn words<'a>(line: &'a [u8], words: &mut Vec<&'a [u8]>) {
    words.clear();
    let all = line.split(|b| is_blank(*b)).filter(|word| !word.is_empty());
    for word in all.take_while(|word| word[0] != b'#') {
        let end = word.iter().position(|&b| b == 0).unwrap_or(word.len());
        if end > 0 && &word[..end] != b"ipvsadm" {
            words.push(&word[..end]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_separated_by_blanks_only() {
        let mut found = Vec::new();
        for (line, expected) in [
            ("", &[][..]),
            (" \t\r", &[]),
            ("-A  -t\tx\r", &["-A", "-t", "x"]),
            ("ipvsadm -A ipvsadm -t", &["-A", "-t"]),
            ("-A # rest", &["-A"]),
            ("-A a#b", &["-A", "a#b"]),
            ("#", &[]),
            ("a\x0bb\x0cc d", &["a\x0bb\x0cc", "d"]),
            ("a\0b c", &["a", "c"]),
            ("'a b'", &["'a", "b'"]),
        ] {
            words(line.as_bytes(), &mut found);
            let text: Vec<_> = found
                .iter()
                .map(|w| std::str::from_utf8(w).unwrap_or("?"))
                .collect();
            assert_eq!(text, expected, "{line:?}");
        }
    }
}
