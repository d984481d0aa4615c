//! The words of a line of rules.

use nom::bytes::complete::{take_till1, take_while};
use nom::multi::fold_many0;
use nom::sequence::terminated;
use nom::{IResult, Parser};

/// Form feeds and vertical tabs belong to words, as with the original.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(take_till1(is_blank), take_while(is_blank)).parse(input)
}

/// Puts the words of `line` into `words`: separated by blanks, without
/// quoting, up to a `#` at the start of a word. The word `ipvsadm` is left out
/// wherever it stands, and a NUL ends its word, as with the original.
pub fn words<'a>(line: &'a [u8], words: &mut Vec<&'a [u8]>) {
    words.clear();
    let start = line.iter().take_while(|b| is_blank(**b)).count();
    let mut comment = false;
    let take = |(), word: &'a [u8]| {
        comment |= word.starts_with(b"#");
        let end = word.iter().position(|&b| b == 0).unwrap_or(word.len());
        if !comment && !word[..end].is_empty() && &word[..end] != b"ipvsadm" {
            words.push(&word[..end]);
        }
    };
    // What is no word is the end of the line: there is nothing to fail on.
    let _ = fold_many0(word, || (), take).parse(&line[start..]);
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
                .map(|w| str::from_utf8(w).unwrap_or("?"))
                .collect();
            assert_eq!(text, expected, "{line:?}");
        }
    }
}
