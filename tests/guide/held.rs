//! What was printed, held against what the guide says.

use crate::text::{Numbers, Output};

/// What stands for anything: within a line for any characters, alone on a line for
/// any lines.
const ANYTHING: &str = "...";

/// Whether the guide tells the truth. Blanks at the end of a line count for nothing.
pub fn is_told(output: &Output, printed: &str) -> bool {
    let wanted: Vec<&str> = output.text.lines().map(str::trim_end).collect();
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    lines(&wanted, &printed, output.numbers)
}

fn lines(wanted: &[&str], printed: &[&str], numbers: Numbers) -> bool {
    match (wanted, printed) {
        ([], printed) => printed.is_empty(),
        ([first, rest @ ..], _) if *first == ANYTHING => {
            (0..=printed.len()).any(|skipped| lines(rest, &printed[skipped..], numbers))
        }
        ([first, wanted @ ..], [line, printed @ ..]) => {
            is_line(first, line, numbers) && lines(wanted, printed, numbers)
        }
        (_, []) => false,
    }
}

fn is_line(wanted: &str, printed: &str, numbers: Numbers) -> bool {
    if numbers == Numbers::Same {
        return is_text(wanted, printed);
    }
    // Columns move when numbers become longer.
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    let printed: Vec<&str> = printed.split_whitespace().collect();
    wanted.len() == printed.len()
        && wanted.iter().zip(&printed).all(|(wanted, printed)| {
            is_text(wanted, printed) || is_number(wanted, printed, numbers)
        })
}

fn is_text(wanted: &str, printed: &str) -> bool {
    let Some((start, rest)) = wanted.split_once(ANYTHING) else {
        return wanted == printed;
    };
    let Some(mut printed) = printed.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split(ANYTHING).collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match printed.split_once(part) {
            Some((_, after)) => printed = after,
            None => return false,
        }
    }
    printed.ends_with(end)
}

/// Two numbers with the same signs before and after them.
fn is_number(wanted: &str, printed: &str, numbers: Numbers) -> bool {
    let (Some((wanted, around)), Some((printed, also_around))) = (number(wanted), number(printed))
    else {
        return false;
    };
    around == also_around
        && match numbers {
            Numbers::Same => wanted == printed,
            Numbers::Any => true,
            Numbers::WithinPercent(percent) => {
                (wanted - printed).abs() * 100.0 <= wanted.abs() * f64::from(percent)
            }
        }
}

/// The number in a word, such as `12.5%` or `(3)`, and what is around it.
fn number(word: &str) -> Option<(f64, (&str, &str))> {
    let digit = |c: char| c.is_ascii_digit();
    let (start, end) = (word.find(digit)?, word.rfind(digit)? + 1);
    let value = word[start..end].parse().ok()?;
    Some((value, (&word[..start], &word[end..])))
}
