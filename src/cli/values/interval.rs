//! The interval of `--watch` and of ipvstop.

use std::time::Duration;

/// The time between two looks where none is given.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);

/// Less is refused: it would be nothing but work.
const SHORTEST: Duration = Duration::from_millis(10);

/// More is refused, too; it is ten thousand days.
const LONGEST: Duration = Duration::from_secs(864_000_000);

/// The interval that `text` gives in seconds, `2` or `0.5`.
pub fn interval(text: &[u8]) -> Option<Duration> {
    // What std takes besides: signs, exponents, inf and nan.
    if !text
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    {
        return None;
    }
    let seconds: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let interval = Duration::try_from_secs_f64(seconds).ok()?;
    (SHORTEST..=LONGEST).contains(&interval).then_some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_positive_and_finite() {
        for (text, millis) in [
            ("2", 2000),
            ("0.5", 500),
            (".25", 250),
            ("1.", 1000),
            ("0.01", 10),
            ("31536000", 31_536_000_000),
        ] {
            let wanted = Some(Duration::from_millis(millis));
            assert_eq!(interval(text.as_bytes()), wanted, "{text}");
        }
        for text in [
            "",
            ".",
            "0",
            "-1",
            "+1",
            "x",
            "NaN",
            "inf",
            "1e3",
            "1s",
            " 1",
            "0.009",
            "1..2",
            "864000001",
            "99999999999999999999999",
            "\u{663}",
        ] {
            assert_eq!(interval(text.as_bytes()), None, "{text}");
        }
    }
}
