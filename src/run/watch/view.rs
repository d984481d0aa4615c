//! What is on the screen: a line about the whole, and of the listing what there
//! is room for, with what has changed since the one before in reverse video.
//!
//! This is pure: it makes pictures, and never asks the terminal.

use super::terminal::Key;
use std::collections::HashMap;

const MARK: &[u8] = b"\x1b[7m";
const UNMARK: &[u8] = b"\x1b[27m";

/// What the lines of a listing are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Services, their servers, and anything else that begins with its name.
    Table,
    /// Connections, whose times run down all the time.
    Connections,
}

/// What tells a line from the others.
type Name<'a> = (&'a [u8], &'a [u8]);

impl Lines {
    /// The name of `line`; `service` is that of the last line of a service.
    fn name<'a>(self, line: &'a [u8], service: &mut &'a [u8]) -> Name<'a> {
        let nth = |n| words(line).nth(n);
        match self {
            Lines::Connections => {
                let start = nth(3).map_or(line.len(), |(start, _)| start);
                (&line[..nth(0).map_or(0, |(_, end)| end)], &line[start..])
            }
            Lines::Table if line.starts_with(b"  ->") => {
                let (start, end) = nth(1).unwrap_or_default();
                (*service, &line[start..end])
            }
            Lines::Table => {
                let of_ipv6 = nth(2).filter(|&(start, end)| &line[start..end] == b"IPv6");
                let end = of_ipv6.or(nth(1)).map_or(line.len(), |(_, end)| end);
                *service = &line[..end];
                (*service, b"")
            }
        }
    }

    /// Whether the word `n` changes without anything having happened.
    fn runs_down(self, n: usize) -> bool {
        self == Lines::Connections && n == 1
    }
}

/// Where the words of `line` begin and end.
fn words(line: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + line[at..].iter().position(|byte| *byte != b' ')?;
        let len = line[start..].iter().position(|byte| *byte == b' ');
        at = len.map_or(line.len(), |len| start + len);
        Some((start, at))
    })
}

/// The screen's contents.
pub struct View {
    lines: Lines,
    /// The listing, and the one before it.
    now: Vec<u8>,
    before: Option<Vec<u8>>,
    count: usize,
    time: String,
    note: String,
    /// The first line that is shown.
    top: usize,
}

impl View {
    pub fn new(lines: Lines) -> View {
        View {
            lines,
            now: Vec::new(),
            before: None,
            count: 0,
            time: String::new(),
            note: String::new(),
            top: 0,
        }
    }

    /// Shows `listing`, as it was at `time`.
    pub fn take(&mut self, time: String, listing: Vec<u8>) {
        let before = std::mem::replace(&mut self.now, listing);
        self.before = (!self.time.is_empty()).then_some(before);
        self.count = memchr::memchr_iter(b'\n', &self.now).count();
        self.time = time;
    }

    /// The listing that is shown.
    pub fn listing(&self) -> &[u8] {
        &self.now
    }

    /// Says something about what is shown.
    pub fn note(&mut self, note: &str) {
        note.clone_into(&mut self.note);
    }

    /// Moves on a screen of so many rows.
    pub fn scroll(&mut self, key: Key, rows: usize) {
        let page = rows.saturating_sub(1).max(1);
        self.top = match key {
            Key::Up => self.top.saturating_sub(1),
            Key::Down => self.top + 1,
            Key::PageUp => self.top.saturating_sub(page),
            Key::PageDown => self.top + page,
            Key::Home => 0,
            Key::End => self.count,
            Key::Quit => self.top,
        };
        self.top = self.top.min(self.count.saturating_sub(page));
    }

    /// What draws all of it on a screen of this size.
    pub fn picture(&self, rows: usize, columns: usize) -> Vec<u8> {
        let mut out = b"\x1b[0m\x1b[1;1H\x1b[1m".to_vec();
        let page = rows.saturating_sub(1);
        // The listing may have become shorter.
        let top = self.top.min(self.count.saturating_sub(page.max(1)));
        cut(&mut out, self.title(top, page).as_bytes(), columns);
        out.extend_from_slice(b"\x1b[0m\x1b[K");
        let shown = self.shown(top, page);
        let old = self.old(shown.iter().map(|(name, _)| *name));
        for (row, (name, line)) in (2..).zip(&shown) {
            out.extend_from_slice(format!("\x1b[{row};1H").as_bytes());
            match &old {
                None => cut(&mut out, line, columns),
                Some(old) => self.marked(&mut out, line, old.get(name).copied(), columns),
            }
            out.extend_from_slice(b"\x1b[K");
        }
        if shown.len() < page {
            out.extend_from_slice(format!("\x1b[{};1H\x1b[J", shown.len() + 2).as_bytes());
        }
        out
    }

    fn title(&self, top: usize, page: usize) -> String {
        let mut title = self.time.clone();
        if self.count > page {
            let last = (top + page).min(self.count);
            title += &format!("  lines {}-{last} of {}", top + 1, self.count);
        }
        title += if self.note.is_empty() { "" } else { "  " };
        title += &self.note;
        title + "  q quits"
    }

    /// The lines on the screen, each with its name.
    fn shown(&self, top: usize, page: usize) -> Vec<(Name<'_>, &[u8])> {
        let named = self.named(&self.now);
        named.skip(top).take(page).collect()
    }

    /// What lines with these names were before; `None` when there was no
    /// listing.
    fn old<'a>(
        &'a self,
        names: impl Iterator<Item = Name<'a>>,
    ) -> Option<HashMap<Name<'a>, &'a [u8]>> {
        let mut old: HashMap<Name, Option<&[u8]>> = names.map(|name| (name, None)).collect();
        for (name, line) in self.named(self.before.as_ref()?) {
            if let Some(old) = old.get_mut(&name) {
                *old = Some(line);
            }
        }
        let found = old
            .into_iter()
            .filter_map(|(name, line)| Some((name, line?)));
        Some(found.collect())
    }

    fn named<'a>(&self, text: &'a [u8]) -> impl Iterator<Item = (Name<'a>, &'a [u8])> {
        let lines = self.lines;
        let mut service: &[u8] = b"";
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let all = text.split(|byte| *byte == b'\n');
        let all = all.filter(move |_| !text.is_empty());
        all.map(move |line| (lines.name(line, &mut service), line))
    }

    /// Adds `line` with what is not in `old` marked.
    fn marked(&self, out: &mut Vec<u8>, line: &[u8], old: Option<&[u8]>, columns: usize) {
        let mut at = 0;
        for (n, (start, end)) in words(line).enumerate() {
            if start >= columns {
                return;
            }
            let before = old.map(|old| words(old).nth(n).map(|(start, end)| &old[start..end]));
            let same = before == Some(Some(&line[start..end])) || self.lines.runs_down(n);
            cut(out, &line[at..start], columns);
            if !same {
                out.extend_from_slice(MARK);
            }
            cut(out, &line[start..end], columns - start);
            if !same {
                out.extend_from_slice(UNMARK);
            }
            at = end;
        }
    }
}

/// Adds what fits of `text` into so many columns. What a terminal would take for
/// a command, or for more or less than one column, is not printed.
fn cut(out: &mut Vec<u8>, text: &[u8], columns: usize) {
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => *byte,
        _ => b'?',
    };
    out.extend(text.iter().take(columns).map(shown));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a picture looks like: its rows, with marks as brackets.
    fn looks(picture: &[u8]) -> Vec<String> {
        let text = String::from_utf8(picture.to_vec()).unwrap();
        let text = text.replace("\x1b[7m", "[").replace("\x1b[27m", "]");
        let text = text.replace("\x1b[0m", "").replace("\x1b[1m", "");
        let text = text.replace("\x1b[K", "").replace("\x1b[J", "");
        let rows = text.split("\x1b[").filter(|row| !row.is_empty());
        rows.map(|row| row.split_once('H').unwrap().1.to_owned())
            .collect()
    }

    fn view(lines: Lines, listings: &[&str]) -> View {
        let mut view = View::new(lines);
        for (number, listing) in listings.iter().enumerate() {
            view.take(format!("time {number}"), listing.as_bytes().to_vec());
        }
        view
    }

    const FIRST: &str = "\
TCP  192.0.2.1:80 wlc
  -> 10.0.0.11:80                 Masq    1      0          0
  -> 10.0.0.12:80                 Masq    1      5          0
FWM  7 rr
  -> 10.0.0.11:80                 Masq    1      0          0
FWM  7 IPv6 rr
";

    #[test]
    fn what_changed_is_marked() {
        let second = "\
TCP  192.0.2.1:80 wlc persistent 60
  -> 10.0.0.12:80                 Masq    1      15         0
  -> 10.0.0.13:80                 Masq    1      0          0
FWM  7 wrr
  -> 10.0.0.11:80                 Masq    1      0          0
FWM  7 IPv6 rr
";
        assert_eq!(
            looks(&view(Lines::Table, &[FIRST, second]).picture(24, 80)),
            [
                "time 1  q quits",
                "TCP  192.0.2.1:80 wlc [persistent] [60]",
                "  -> 10.0.0.12:80                 Masq    1      [15]         0",
                "  [->] [10.0.0.13:80]                 [Masq]    [1]      [0]          [0]",
                "FWM  7 [wrr]",
                "  -> 10.0.0.11:80                 Masq    1      0          0",
                "FWM  7 IPv6 rr",
                "",
            ]
        );
    }

    #[test]
    fn nothing_is_marked_at_first() {
        let all = looks(&view(Lines::Table, &[FIRST]).picture(24, 80)).concat();
        assert!(!all.contains('['), "{all}");
        let all = looks(&view(Lines::Table, &[FIRST, FIRST]).picture(24, 80)).concat();
        assert!(!all.contains('['), "{all}");
        // After an empty listing everything is new.
        let all = looks(&view(Lines::Table, &["", "FWM  7 rr\n"]).picture(24, 80));
        assert_eq!(all[1], "[FWM]  [7] [rr]");
    }

    #[test]
    fn times_of_connections_are_not_marked() {
        let row = |expires, state, client| {
            format!("TCP {expires} {state}  {client} 192.0.2.1:80 10.0.0.11:80\n")
        };
        let first = row("14:58", "ESTABLISHED", "198.51.100.1:1");
        let second = row("01:59", "FIN_WAIT", "198.51.100.1:1") + &row("15:00", "SYN", "::1.2");
        assert_eq!(
            looks(&view(Lines::Connections, &[&first, &second]).picture(24, 80))[1..3],
            [
                "TCP 01:59 [FIN_WAIT]  198.51.100.1:1 192.0.2.1:80 10.0.0.11:80",
                "[TCP] 15:00 [SYN]  [::1.2] [192.0.2.1:80] [10.0.0.11:80]",
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_scrolled() {
        let all: Vec<String> = (0..10).map(|n| format!("line {n}\n")).collect();
        let mut view = view(Lines::Table, &[&all.concat()]);
        let rows = |view: &View| looks(&view.picture(4, 40));
        assert_eq!(
            rows(&view),
            [
                "time 0  lines 1-3 of 10  q quits",
                "line 0",
                "line 1",
                "line 2"
            ]
        );
        for (key, first) in [
            (Key::Up, "line 0"),
            (Key::Down, "line 1"),
            (Key::PageDown, "line 4"),
            (Key::PageUp, "line 1"),
            (Key::End, "line 7"),
            (Key::Down, "line 7"),
            (Key::PageDown, "line 7"),
        ] {
            view.scroll(key, 4);
            assert_eq!(rows(&view)[1], first, "{key:?}");
        }
        // A listing that becomes shorter, and one that is empty.
        view.take("later".into(), all[..5].concat().into());
        assert_eq!(rows(&view)[0], "later  lines 3-5 of 5  q quits");
        view.take("later".into(), Vec::new());
        assert_eq!(rows(&view), ["later  q quits", ""]);
        view.scroll(Key::Home, 4);
        assert_eq!(view.top, 0);
    }

    #[test]
    fn no_screen_is_too_small() {
        let mut view = view(Lines::Table, &[FIRST, ""]);
        view.take("now".into(), FIRST.into());
        for rows in 0..4 {
            for columns in [0, 1, 7, 30] {
                let shown = looks(&view.picture(rows, columns));
                let cells = |row: &String| row.replace(['[', ']'], "").len();
                assert!(shown.iter().all(|row| cells(row) <= columns), "{shown:?}");
                view.scroll(Key::PageDown, rows);
            }
        }
    }

    #[test]
    fn nothing_in_a_listing_commands_the_terminal() {
        let picture = view(Lines::Table, &["UDP  \x1b[2J\u{e4}\t\n"]).picture(3, 40);
        assert_eq!(looks(&picture)[1], "UDP  ?[2J???");
    }
}
