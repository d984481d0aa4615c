//! `-L --watch` on a terminal: each listing is drawn over the one before it, cut
//! to the window, with the bytes that have changed in reverse video.
//!
//! The terminal's settings stay as they are, and the cursor rests below the
//! listing, so that signals keep their default: the program may be stopped,
//! continued or ended at any time, and nothing has to be restored.

use super::listings::Repeated;
use super::seen;
use crate::cli::List;
use crate::rates::{Pace, rfc3339};
use crate::run::failure::{Failure, Result};
use crate::run::session::Session;
use crate::run::terminal::cannot_draw;
use anyhow::Context;
use rustix::termios::tcgetwinsize;
use std::collections::{HashMap, HashSet};
use std::io::{self, IsTerminal};
use std::ops::Range;
use std::time::{Instant, SystemTime};

/// The size of a terminal that does not know it, such as a serial line.
const USUAL_SIZE: (usize, usize) = (24, 80);

/// Whether standard output is a terminal on which the cursor can be moved.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal() && cannot_draw().is_none()
}

/// Shows `listing` at this `pace`.
pub fn show(session: &mut Session, mut listing: Repeated, mut pace: Pace) -> Result<()> {
    let columns = Columns::of(listing.what());
    seen(listing.begin(&mut session.ipvs))?;
    // What is on the screen scrolls up and can be scrolled back to.
    let (rows, _) = size()?;
    session.out.buffer().text("\n".repeat(rows));
    let (mut now, mut last) = (None, None);
    while let Some(due) = pace.due() {
        session.out.wait(due)?;
        pace.begin(Instant::now());
        let mut heading = rfc3339(SystemTime::now());
        match listing.kept(session, &heading) {
            Ok(listing) => last = now.replace(printable(listing)),
            Err(failure @ Failure::Unstable) => heading += &format!("  {failure}"),
            Err(failure) => return Err(failure),
        }
        for note in listing.notes() {
            heading += &format!("  {note}");
        }
        let text = now.as_deref().unwrap_or_default();
        let picture = picture(&heading, text, last.as_deref(), columns, size()?);
        session.out.buffer().text(&picture);
        session.out.finish()?;
    }
    Ok(())
}

/// The rows and columns of the window.
fn size() -> Result<(usize, usize)> {
    let size = tcgetwinsize(io::stdout())
        .context("the terminal failed")
        .map_err(Failure::Other)?;
    Ok(match (size.ws_row, size.ws_col) {
        (0, _) | (_, 0) => USUAL_SIZE,
        (rows, columns) => (rows.into(), columns.into()),
    })
}

/// `listing` in characters of one column each, none of which is a command to the
/// terminal.
fn printable(mut listing: Vec<u8>) -> String {
    for byte in &mut listing {
        if !matches!(byte, b'\n' | b' '..=b'~') {
            *byte = b'?';
        }
    }
    String::from_utf8(listing).unwrap_or_default()
}

/// Where the lines of a listing say what they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Columns {
    /// In their first words, a server below its service.
    Table,
    /// Behind the numbers, or the state.
    Counts,
    /// The same; the time until a connection expires always changes.
    Connections,
}

/// What a line is about.
type Label<'a> = [Option<&'a str>; 3];

impl Columns {
    /// The columns of protocol, time and state, or of the two numbers.
    const BEFORE_LABEL: usize = 23;
    /// The column of times.
    const EXPIRES: Range<usize> = 4..10;

    fn of(list: &List) -> Columns {
        match list {
            List::Connections { by: Some(_), .. } => Columns::Counts,
            List::Connections { .. } => Columns::Connections,
            _ => Columns::Table,
        }
    }

    fn label(self, line: &str) -> Label<'_> {
        if self != Columns::Table {
            return [line.get(Columns::BEFORE_LABEL..), None, None];
        }
        let mut words = line.split_whitespace();
        let (first, second) = (words.next(), words.next());
        // A mark may be there once for each family.
        [first, second, words.next().filter(|word| *word == "IPv6")]
    }

    /// The lines of `listing` with the labels of their service and their own.
    fn labelled(self, listing: &str) -> impl Iterator<Item = ((Label<'_>, Label<'_>), &str)> {
        let mut service = Label::default();
        listing.lines().map(move |line| {
            let label = self.label(line);
            if !line.starts_with("  ->") {
                service = label;
            }
            ((service, label), line)
        })
    }

    fn always_changes(self, column: usize) -> bool {
        self == Columns::Connections && Columns::EXPIRES.contains(&column)
    }
}

/// What draws `listing` below `heading` in a window of this size and leaves the
/// cursor on a line of its own below both; `last` is the listing before it.
fn picture(
    heading: &str,
    listing: &str,
    last: Option<&str>,
    columns: Columns,
    (rows, width): (usize, usize),
) -> String {
    let room = rows.saturating_sub(2);
    let count = listing.lines().count();
    let shown = if count <= room {
        count
    } else {
        room.saturating_sub(1)
    };
    let lines: Vec<_> = columns.labelled(listing).take(shown).collect();
    // Of a million lines, only those that are shown are remembered.
    let labels: HashSet<_> = lines.iter().map(|(label, _)| *label).collect();
    let old: Option<HashMap<_, _>> = last.map(|last| {
        let all = columns.labelled(last);
        all.filter(|(label, _)| labels.contains(label)).collect()
    });
    let mut out = String::from("\x1b[H");
    if rows > 1 {
        line(&mut out, heading, width, |_, _| false);
    }
    for (label, text) in lines {
        let old = old.as_ref().map(|old| old.get(&label).unwrap_or(&""));
        line(&mut out, text, width, |column, byte| {
            let is_new = |old: &&str| old.as_bytes().get(column) != Some(&byte);
            old.is_some_and(is_new) && !columns.always_changes(column)
        });
    }
    if room > 0 && shown < count {
        let below = format!("{} more lines", count - shown);
        line(&mut out, &below, width, |_, _| false);
    }
    out + "\x1b[J"
}

/// Adds what fits of `text`, in reverse video where it has `changed`, and the
/// end of the line.
fn line(out: &mut String, text: &str, width: usize, changed: impl Fn(usize, u8) -> bool) {
    let mut reverse = false;
    for (column, byte) in text.bytes().enumerate().take(width) {
        if reverse != changed(column, byte) {
            reverse = !reverse;
            out.push_str(if reverse { "\x1b[7m" } else { "\x1b[27m" });
        }
        out.push(char::from(byte));
    }
    if reverse {
        out.push_str("\x1b[27m");
    }
    // Behind a full line the cursor still stands on its last character.
    out.push_str(if text.len() < width {
        "\x1b[K\r\n"
    } else {
        "\r\n"
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: (usize, usize) = (24, 80);

    /// The lines of a picture, with what is in reverse video in brackets.
    fn lines(picture: &str) -> Vec<String> {
        let text = picture.strip_prefix("\x1b[H").expect("a beginning");
        let text = text.strip_suffix("\x1b[J").expect("an end");
        let text = text.replace("\x1b[7m", "[").replace("\x1b[27m", "]");
        let lines = text.replace("\x1b[K", "").replace("\r\n", "\n");
        lines.lines().map(str::to_owned).collect()
    }

    fn drawn(columns: Columns, last: &str, now: &str) -> Vec<String> {
        let mut lines = lines(&picture("time", now, Some(last), columns, WINDOW));
        assert_eq!(lines.remove(0), "time");
        lines
    }

    const TABLE: &str = "\
TCP  192.0.2.1:80 wlc
  -> 10.0.0.11:80                 Masq    1      0          0
  -> 10.0.0.12:80                 Masq    1      5          0
FWM  7 rr
  -> 10.0.0.11:80                 Masq    1      0          0
FWM  7 IPv6 rr
";

    #[test]
    fn changed_bytes_are_marked_wherever_their_line_has_moved() {
        let now = "\
TCP  192.0.2.1:80 wlc persistent 60
  -> 10.0.0.12:80                 Masq    1      15         0
  -> 10.0.0.13:80                 Masq    1      0          0
FWM  7 wrr
  -> 10.0.0.11:80                 Masq    1      0          0
FWM  7 IPv6 rr
";
        assert_eq!(
            drawn(Columns::Table, TABLE, now),
            [
                "TCP  192.0.2.1:80 wlc[ persistent 60]",
                "  -> 10.0.0.12:80                 Masq    1      [15]         0",
                "[  -> 10.0.0.13:80                 Masq    1      0          0]",
                "FWM  7 [w]r[r]",
                "  -> 10.0.0.11:80                 Masq    1      0          0",
                "FWM  7 IPv6 rr",
            ]
        );
    }

    #[test]
    fn a_first_listing_and_an_equal_one_have_no_marks() {
        for last in [None, Some(TABLE)] {
            let picture = picture("time", TABLE, last, Columns::Table, WINDOW);
            assert!(!picture.contains("\x1b[7m"), "{picture}");
        }
        assert_eq!(drawn(Columns::Table, "", "FWM  7 rr\n"), ["[FWM  7 rr]"]);
    }

    #[test]
    fn states_of_connections_are_marked_but_not_their_times() {
        let row = |expires, state, client| {
            format!("TCP {expires}  {state:11} {client:18} 192.0.2.1:80       10.0.0.11:80\n")
        };
        let last = row("14:58", "ESTABLISHED", "198.51.100.1:1");
        let now = row("01:59", "NONE", "198.51.100.1:1") + &row("15:00", "NONE", "1.2.3.4:5");
        assert_eq!(
            drawn(Columns::Connections, &last, &now),
            [
                "TCP 01:59  [NONE       ] 198.51.100.1:1     192.0.2.1:80       10.0.0.11:80",
                "[TCP ]15:00 [ NONE        1.2.3.4:5          192.0.2.1:80       10.0.0.11:80]",
            ]
        );
    }

    #[test]
    fn counts_of_connections_are_marked() {
        let row = |count| format!("{count:11}          3  10.0.0.11:80\n");
        assert_eq!(
            drawn(Columns::Counts, &row(9), &row(12)),
            ["         [12]          3  10.0.0.11:80"]
        );
    }

    #[test]
    fn the_last_line_says_how_many_lines_are_below() {
        let listing: String = (1..=10).map(|n| format!("line {n}\n")).collect();
        let shown = |rows| lines(&picture("time", &listing, None, Columns::Table, (rows, 40)));
        assert_eq!(shown(5), ["time", "line 1", "line 2", "8 more lines"]);
        assert_eq!(shown(11).last().unwrap(), "2 more lines");
        assert_eq!(shown(12).last().unwrap(), "line 10");
    }

    #[test]
    fn a_picture_fits_every_window_and_leaves_a_line_for_the_cursor() {
        for rows in 1..9 {
            for width in [1, 7, 30, 80] {
                let picture = picture("time", TABLE, Some(""), Columns::Table, (rows, width));
                let lines = lines(&picture);
                assert!(lines.len() < rows, "{rows}: {lines:?}");
                let cells = |line: &String| line.replace(['[', ']'], "").len();
                assert!(lines.iter().all(|line| cells(line) <= width), "{lines:?}");
            }
        }
    }

    #[test]
    fn nothing_in_a_listing_commands_the_terminal() {
        assert_eq!(
            printable("UDP  \x1b[2J\u{e4}\t\r\nx\n".into()),
            "UDP  ?[2J????\nx\n"
        );
    }
}
