//! Draws the state on a screen of any size. Only what is on the screen is put
//! into words.

use crate::column::{Column, short};
use crate::history::Point;
use crate::sample::{self, HostRow, Sample, ServiceRow};
use crate::state::{Row, Shown, State};
use ipvsadm::rates::{COUNTERS_NOT_UPDATED, rfc3339};
use ipvsadm::render::words::count;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::bar;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Sparkline};

/// On less there is nothing to see.
const SMALLEST: (u16, u16) = (60, 12);

/// The lines above the table, its titles included.
const ABOVE: u16 = 4;

/// From this height on the graphs have two lines each.
const TALL: u16 = 40;

/// The least width of a name that is worth reading.
const NAME: u16 = 24;

/// The number of a share, `100%`, with a blank before it.
const PERCENT: u16 = 5;

/// What a graph is of.
const LABEL: u16 = 22;

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    pub colour: bool,
    /// Whether it has more than ASCII.
    pub unicode: bool,
}

impl Capabilities {
    fn colour(self, colour: Color) -> Style {
        match self.colour {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    fn graph(self) -> bar::Set {
        match self.unicode {
            true => bar::NINE_LEVELS,
            false => bar::Set {
                empty: " ",
                one_eighth: "_",
                one_quarter: ".",
                three_eighths: "-",
                half: "=",
                five_eighths: "+",
                three_quarters: "*",
                seven_eighths: "%",
                full: "#",
            },
        }
    }
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn reversed() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

fn graph_height(height: u16) -> u16 {
    if height < TALL { 1 } else { 2 }
}

/// How many rows of the table a screen of this height has.
pub fn page(height: u16) -> usize {
    let around = ABOVE + 3 * graph_height(height) + 1;
    height.saturating_sub(around).into()
}

/// Draws everything.
pub fn draw(frame: &mut Frame, state: &State, can: Capabilities) {
    let area = frame.area();
    let (width, height) = SMALLEST;
    if area.width < width || area.height < height {
        let text = format!("The screen is too small: {width} x {height} is the least.");
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let graph = graph_height(area.height);
    let [head, titles, table, first, second, third, foot] = Layout::vertical([
        Constraint::Length(ABOVE - 1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(graph),
        Constraint::Length(graph),
        Constraint::Length(graph),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(head_lines(state, can, area.width)), head);
    let grid = Grid::new(state, area.width);
    frame.render_widget(Paragraph::new(grid.titles(state)), titles);
    frame.render_widget(Paragraph::new(grid.lines(state, can, table)), table);
    graphs(frame, state, can, [first, second, third]);
    frame.render_widget(Paragraph::new(foot_line(state, can)), foot);
    if state.help {
        frame.render_widget(Clear, table);
        frame.render_widget(Paragraph::new(HELP), table);
    }
}

const HELP: &str = "\
 Up Down PgUp PgDn Home End   move
 h                            hosts: real servers by address; again: services
 Enter                        open a service: its real servers; a host: its services
 Esc                          back; first out of a filter
 < >                          sort by the column before or after
 r                            turn the order round
 /                            filter: part of a service's or server's name
 f                            freeze, and go on
 q                            quit
 Sums, rates and shares are of all rows, filtered out or not. Rates are
 counted between two looks; the kernel publishes counters every 2 seconds.
 - is what cannot be known yet.";

// --- above the table ---------------------------------------------------------

fn head_lines(state: &State, can: Capabilities, width: u16) -> Vec<Line<'static>> {
    let Some(sample) = &state.sample else {
        return vec![
            Line::styled("ipvstop", bold()),
            Line::raw("reading the table"),
        ];
    };
    let time = rfc3339(sample.time);
    let time = time.get(..19).unwrap_or(&time).replace('T', " ");
    let delay = short(state.delay.as_secs_f64());
    let view = state.view();
    let order = match (view.column, view.reversed) {
        (Column::Name, false) => "by name".into(),
        (Column::Name, true) => "by name, last first".into(),
        (column, false) => format!("by {}", column.title()),
        (column, true) => format!("by {}, least first", column.title()),
    };
    let mut first = vec![
        Span::styled("ipvstop", bold()),
        Span::raw(format!("  {time} UTC  every {delay} s  {order}")),
    ];
    if !state.selectors.is_empty() {
        first.push(Span::raw(format!("  {}", state.selectors)));
    }
    if state.frozen {
        first.push(Span::styled(
            "  FROZEN",
            can.colour(Color::Yellow).patch(bold()),
        ));
    }
    let filter = &view.filter;
    if !filter.is_empty() && !state.typing {
        first.push(Span::raw(format!("  filter: {filter}")));
    }
    let what = what(state, sample);
    let connections = format!(
        "{} active, {} inactive",
        short(state.sum(Column::Active)),
        short(state.sum(Column::Inactive))
    );
    let room = usize::from(width).saturating_sub(connections.len() + 2);
    let what = cut(&what, room);
    vec![
        Line::from(first),
        Line::raw(format!("{what:room$}  {connections}")),
        Line::raw(totals(state)),
    ]
}

/// What the table is of.
fn what(state: &State, sample: &Sample) -> String {
    let services = count(sample.services.len() as u64, "service");
    match state.shown() {
        Shown::Servers(key) => sample.service(&key).map(service_line).unwrap_or_default(),
        Shown::Host(address) => sample.host(&address).map(host_line).unwrap_or_default(),
        Shown::Hosts => {
            let hosts = count(sample.hosts.len() as u64, "host");
            format!("{hosts}, {services}")
        }
        Shown::Services => {
            let servers: usize = sample.services.iter().map(|row| row.servers.len()).sum();
            format!("{services}, {}", count(servers as u64, "real server"))
        }
    }
}

fn host_line(row: &HostRow) -> String {
    let services = count(row.services as u64, "service");
    match row.idle {
        0 => format!("{}  in {services}", row.address),
        idle => format!("{}  in {services}, {idle} with weight 0", row.address),
    }
}

fn service_line(row: &ServiceRow) -> String {
    let config = &row.service.config;
    let mut text = row.service.key.to_string();
    text.push_str(&format!("  {}", config.scheduler));
    if config.flags.persistent() {
        text.push_str(&format!(" persistent {}", config.timeout));
    }
    if config.flags.one_packet() {
        text.push_str(" ops");
    }
    format!("{text}  {} real servers", row.servers.len())
}

/// The rates of the whole table, or of the open service or host.
fn totals(state: &State) -> String {
    let known = state.rows().iter().any(|row| row.numbers().rates.is_some());
    let sum = |column| match known {
        true => short(state.sum(column)),
        false => "-".into(),
    };
    format!(
        "{} conn/s   in {} packets/s {} bytes/s   out {} packets/s {} bytes/s",
        sum(Column::Conns),
        sum(Column::InPackets),
        sum(Column::InBytes),
        sum(Column::OutPackets),
        sum(Column::OutBytes)
    )
}

fn foot_line(state: &State, can: Capabilities) -> Line<'static> {
    if state.typing {
        return Line::styled(format!("/{}_", state.view().filter), bold());
    }
    if state.sample.as_ref().is_some_and(|sample| sample.frozen) {
        let style = can.colour(Color::Yellow).patch(bold());
        return Line::styled(COUNTERS_NOT_UPDATED, style);
    }
    let first = match state.shown() {
        Shown::Services => "Enter servers  h hosts",
        Shown::Hosts => "Enter services  h services",
        Shown::Servers(_) => "Esc back",
        Shown::Host(_) => "Esc back  Enter servers",
    };
    Line::raw(format!(
        "{first}  < > sort  r turn  / filter  f freeze  ? help  q quit"
    ))
}

/// `text`, cut to `width` if need be, which the last character shows.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "~"
}

// --- the table ---------------------------------------------------------------

/// Where the columns are.
struct Grid {
    columns: &'static [Column],
    name: usize,
    share: usize,
}

impl Grid {
    fn new(state: &State, width: u16) -> Grid {
        let columns = state.columns();
        let numbers: u16 = columns
            .iter()
            .skip(1)
            .map(|column| column.width() + 1)
            .sum();
        // A quarter of what is left is for the bars, but names come first.
        let left = width.saturating_sub(numbers + PERCENT + 1);
        let bar = (left / 3).min(left.saturating_sub(NAME)).max(4);
        Grid {
            columns,
            name: left.saturating_sub(bar).into(),
            share: bar.into(),
        }
    }

    fn titles(&self, state: &State) -> Line<'static> {
        let view = state.view();
        let name = match state.shown() {
            Shown::Services | Shown::Host(_) => "Service",
            Shown::Hosts => "Host",
            Shown::Servers(_) => "Real server",
        };
        let mut spans = Vec::new();
        for column in self.columns {
            let text = match column {
                Column::Name => format!("{name:0$}", self.name),
                _ => format!("{:>1$}", column.title(), usize::from(column.width()) + 1),
            };
            // The one that is sorted by stands out.
            let style = match *column == view.column {
                true => bold(),
                false => reversed(),
            };
            spans.push(Span::styled(text, style));
        }
        let share = format!(" share of {}", view.column.shared().title());
        let width = self.share + usize::from(PERCENT) + 1;
        let share = format!("{:width$}", cut(&share, width));
        spans.push(Span::styled(share, reversed()));
        Line::from(spans)
    }

    fn lines(&self, state: &State, can: Capabilities, area: Rect) -> Vec<Line<'static>> {
        let view = state.view();
        let rows = state.rows();
        let total = state.sum(view.column.shared());
        let shown = view.shown.iter().enumerate().skip(view.top);
        let shown = shown.take(area.height.into());
        let lines: Vec<Line> = shown
            .map(|(place, at)| {
                let line = self.line(&rows[*at], view.column.shared(), total, can);
                match place == view.selected {
                    true => line.style(reversed()),
                    false => line,
                }
            })
            .collect();
        match (lines.is_empty(), rows.is_empty(), &state.sample) {
            (true, true, Some(_)) => vec![Line::raw("none")],
            (true, false, Some(_)) => vec![Line::raw("none that the filter lets through")],
            _ => lines,
        }
    }

    fn line(&self, row: &Row, shared: Column, total: f64, can: Capabilities) -> Line<'static> {
        let numbers = row.numbers();
        let mut text = String::new();
        for column in self.columns {
            let width = usize::from(column.width()) + 1;
            match (column, row.server()) {
                (Column::Name, _) => {
                    text.push_str(&format!("{:1$}", cut(&row.name(), self.name), self.name));
                }
                (Column::Forwarding, Some(row)) => {
                    let forwarding = sample::forwarding(row.server.config.forwarding);
                    text.push_str(&format!("{forwarding:>width$}"));
                }
                _ => {
                    let value = column.value(&numbers).map_or("-".into(), short);
                    text.push_str(&format!("{value:>width$}"));
                }
            }
        }
        let style = match row.is_idle() {
            true => can.colour(Color::Yellow),
            false => Style::new(),
        };
        let share = match shared.value(&numbers) {
            Some(value) if total > 0.0 => value / total,
            _ => return Line::styled(text, style),
        };
        // A bar in reverse would show what is not its share.
        let bar = can.colour(Color::Cyan).remove_modifier(Modifier::REVERSED);
        Line::from(vec![
            Span::styled(text + " ", style),
            Span::styled(self.bar(share, can), bar),
            Span::raw(format!("{:>3.0}%", share * 100.0)),
        ])
    }

    /// A bar of the share's length, and blanks up to its number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most eight for each column of the screen"
    )]
    fn bar(&self, share: f64, can: Capabilities) -> String {
        let eighths = (share.clamp(0.0, 1.0) * (self.share * 8) as f64).round() as usize;
        let mut bar = match can.unicode {
            true => "█".repeat(eighths / 8),
            false => "#".repeat((eighths + 4) / 8),
        };
        if can.unicode {
            bar.push_str(["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]);
        }
        format!("{bar:0$} ", self.share)
    }
}

// --- below the table ---------------------------------------------------------

fn graphs(frame: &mut Frame, state: &State, can: Capabilities, areas: [Rect; 3]) {
    let Some(row) = state.selected() else {
        return;
    };
    let points: Vec<Point> = state.history.points(&row.id()).collect();
    let titles = ["Conn/s", "Pkt/s", "Byte/s"];
    for (place, (area, title)) in areas.into_iter().zip(titles).enumerate() {
        let [label, graph] =
            Layout::horizontal([Constraint::Length(LABEL), Constraint::Fill(1)]).areas(area);
        let values = points.iter().map(|point| point[place]);
        let values: Vec<f32> = values.rev().take(graph.width.into()).collect();
        let most = values.iter().copied().fold(0.0, f32::max);
        let text = format!("{title:6} most {:>6}", short(most.into()));
        frame.render_widget(Paragraph::new(text), label);
        let data = levels(&values, most, usize::from(graph.width));
        let sparkline = Sparkline::default()
            .data(data)
            .max(LEVELS)
            .bar_set(can.graph())
            .style(can.colour(Color::Green));
        frame.render_widget(sparkline, graph);
    }
}

const LEVELS: u64 = 1000;

/// Heights for a graph that ends at the right, from the latest value to the
/// earliest. What is more than nothing is seen.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and LEVELS: no value is larger than the most"
)]
fn levels(values: &[f32], most: f32, width: usize) -> Vec<u64> {
    let level = |value: &f32| match *value > 0.0 {
        true => ((value / most * LEVELS as f32) as u64).max(LEVELS / 8),
        false => 0,
    };
    let missing = std::iter::repeat_n(0, width.saturating_sub(values.len()));
    missing.chain(values.iter().rev().map(level)).collect()
}

#[cfg(test)]
mod tests;
