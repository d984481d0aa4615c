//! What the name of a terminal says about it.

use crate::render::visible;
use std::env;
use std::os::unix::ffi::OsStrExt;

/// The terminals of terminfo that have no cursor to move, such as the window of an
/// editor.
const WITHOUT_CURSOR: [&str; 4] = ["dumb", "unknown", "network", "dialup"];

/// Why nothing can be drawn on the terminal, if so: to write at the end is all that
/// it can.
pub fn cannot_draw() -> Option<String> {
    let name = env::var_os("TERM").unwrap_or_default();
    cannot_draw_on(name.as_bytes())
}

fn cannot_draw_on(name: &[u8]) -> Option<String> {
    if name.is_empty() {
        return Some("TERM is not set".into());
    }
    let known = WITHOUT_CURSOR.iter().any(|known| known.as_bytes() == name);
    known.then(|| format!("TERM is `{}'", visible(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_without_a_cursor_are_told_by_their_names() {
        let said = |name: &str| cannot_draw_on(name.as_bytes());
        assert_eq!(said("").as_deref(), Some("TERM is not set"));
        assert_eq!(said("dumb").as_deref(), Some("TERM is `dumb'"));
        assert_eq!(said("unknown").as_deref(), Some("TERM is `unknown'"));
        for name in [
            "xterm",
            "linux",
            "vt100",
            "screen-256color",
            "dumber",
            "foot",
        ] {
            assert_eq!(said(name), None, "{name}");
        }
    }
}
