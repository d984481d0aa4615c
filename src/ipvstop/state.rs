//! What is shown and what keys change about it.
//!
//! [`State::key`] and [`State::take`] are all that ever changes it. They read
//! no clock, kernel or terminal, and `draw` only looks.

use crate::column::{self, Column, Numbers};
use crate::history::History;
use crate::sample::{self, HostRow, Sample, ServerRow, ServiceRow};
use ipvs::{ServerKey, ServiceKey};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::net::IpAddr;
use std::time::Duration;

/// A key asks for more than another picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Nothing,
    Quit,
    /// Ctrl-Z
    Suspend,
    /// Draw everything, also what is thought to be on the screen.
    Redraw,
}

/// What one row of the table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Service(ServiceKey),
    Host(IpAddr),
    Server(ServiceKey, ServerKey),
}

/// Which table is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Services,
    Hosts,
    /// The real servers of this service.
    Servers(ServiceKey),
    /// The services of this host.
    Host(IpAddr),
}

/// A row of the table.
#[derive(Clone, Copy)]
pub enum Row<'a> {
    Service(&'a ServiceRow),
    Host(&'a HostRow),
    /// A server among those of its service.
    Server(&'a ServiceRow, &'a ServerRow),
    /// The same among those with its address, which its service tells apart.
    Member(&'a ServiceRow, &'a ServerRow),
}

impl Row<'_> {
    pub fn id(&self) -> Id {
        match self {
            Row::Service(row) => Id::Service(row.service.key),
            Row::Host(row) => Id::Host(row.address),
            Row::Server(service, row) | Row::Member(service, row) => {
                Id::Server(service.service.key, row.server.key)
            }
        }
    }

    pub fn name(&self) -> String {
        match self {
            Row::Service(row) => row.service.key.to_string(),
            Row::Host(row) => row.address.to_string(),
            Row::Server(_, row) => row.server.key.to_string(),
            Row::Member(service, row) => {
                let (service, port) = (service.service.key, row.server.key.port);
                match port == service.port() {
                    true => service.to_string(),
                    false => format!("{service} -> :{port}"),
                }
            }
        }
    }

    pub fn numbers(&self) -> Numbers {
        match self {
            Row::Service(row) => Numbers {
                rates: row.rates,
                active: row.active as f64,
                inactive: row.inactive as f64,
                ..Numbers::default()
            },
            Row::Host(row) => Numbers {
                rates: row.rates,
                active: row.active as f64,
                inactive: row.inactive as f64,
                services: row.services as f64,
                idle: row.idle as f64,
                ..Numbers::default()
            },
            Row::Server(_, row) | Row::Member(_, row) => Numbers {
                rates: row.rates,
                active: row.server.active.into(),
                inactive: row.server.inactive.into(),
                weight: row.server.config.weight.into(),
                upper: row.server.config.upper_threshold.into(),
                lower: row.server.config.lower_threshold.into(),
                ..Numbers::default()
            },
        }
    }

    /// The real server, where it is one.
    pub fn server(&self) -> Option<&ServerRow> {
        match self {
            Row::Server(_, row) | Row::Member(_, row) => Some(row),
            Row::Service(_) | Row::Host(_) => None,
        }
    }

    /// Whether it gets no new connections.
    pub fn is_idle(&self) -> bool {
        match self {
            Row::Host(row) => row.idle == row.services,
            row => row
                .server()
                .is_some_and(|row| row.server.config.weight == 0),
        }
    }

    fn contains(&self, text: &str, sample: &Sample) -> bool {
        let name = |name: String| name.to_lowercase().contains(text);
        let service = |row: &ServiceRow| {
            name(row.service.key.to_string())
                || name_in_hexadecimal(&row.service.key).is_some_and(name)
        };
        name(self.name())
            || match self {
                // Whom does this server work for?
                Row::Service(row) => {
                    service(row)
                        || row
                            .servers
                            .iter()
                            .any(|row| name(row.server.key.to_string()))
                }
                Row::Host(row) => sample
                    .members(row)
                    .any(|(row, server)| service(row) || name(server.server.key.to_string())),
                Row::Member(row, server) => service(row) || name(server.server.key.to_string()),
                Row::Server(..) => false,
            }
    }
}

/// The name of a firewall mark as other programs print it.
fn name_in_hexadecimal(service: &ServiceKey) -> Option<String> {
    match service {
        ServiceKey::Fwmark { mark, .. } => Some(format!("FWM {mark:#x}")),
        ServiceKey::Address { .. } => None,
    }
}

/// How one table is shown.
pub struct Pane {
    pub column: Column,
    /// Smallest first.
    pub reversed: bool,
    pub filter: String,
    /// The places in the sample of the rows that are shown, in order.
    pub shown: Vec<usize>,
    /// The place in `shown` of the selected row.
    pub selected: usize,
    /// The row to stay on; without one, the first is selected, whichever it is.
    follow: Option<Id>,
    /// The first row on the screen.
    pub top: usize,
}

impl Pane {
    fn new() -> Pane {
        Pane {
            column: Column::Conns,
            reversed: false,
            filter: String::new(),
            shown: Vec::new(),
            selected: 0,
            follow: None,
            top: 0,
        }
    }
}

/// Everything that is shown.
pub struct State {
    pub delay: Duration,
    /// The options that select a part of the table.
    pub selectors: String,
    pub sample: Option<Sample>,
    pub history: History,
    /// Whether it begins with hosts instead of services.
    pub by_host: bool,
    /// The host whose services are shown.
    pub host: Option<IpAddr>,
    /// The service whose servers are shown.
    pub open: Option<ServiceKey>,
    services: Pane,
    hosts: Pane,
    members: Pane,
    servers: Pane,
    /// No more looks until it is left again.
    pub frozen: bool,
    pub help: bool,
    /// Whether a filter is being typed.
    pub typing: bool,
    /// The size of the screen, and how many rows of a table are on it.
    pub width: u16,
    pub page: usize,
}

impl State {
    pub fn new(delay: Duration, by_host: bool, selectors: String) -> State {
        State {
            delay,
            selectors,
            sample: None,
            history: History::default(),
            by_host,
            host: None,
            open: None,
            services: Pane::new(),
            hosts: Pane::new(),
            members: Pane::new(),
            servers: Pane::new(),
            frozen: false,
            help: false,
            typing: false,
            width: 80,
            page: 1,
        }
    }

    /// Takes the next look at the table.
    pub fn take(&mut self, sample: Sample) {
        if self.open.is_some_and(|key| sample.service(&key).is_none()) {
            self.open = None;
        }
        if self.host.is_some_and(|host| sample.host(&host).is_none()) {
            self.host = None;
        }
        self.history
            .add(&sample, self.open.as_ref(), self.host.as_ref());
        self.sample = Some(sample);
        self.arrange();
    }

    /// Takes the screen's width and how many rows of the table it has.
    pub fn resize(&mut self, width: u16, page: usize) {
        self.width = width;
        self.page = page.max(1);
        let columns = self.columns();
        let view = self.view_mut();
        if !columns.contains(&view.column) {
            view.column = Column::Conns;
            self.arrange();
        }
        self.scroll();
    }

    /// Which table is shown.
    pub fn shown(&self) -> Shown {
        match (self.open, self.host, self.by_host) {
            (Some(service), ..) => Shown::Servers(service),
            (None, Some(host), _) => Shown::Host(host),
            (None, None, true) => Shown::Hosts,
            (None, None, false) => Shown::Services,
        }
    }

    /// How it is shown.
    pub fn view(&self) -> &Pane {
        match self.shown() {
            Shown::Services => &self.services,
            Shown::Hosts => &self.hosts,
            Shown::Servers(_) => &self.servers,
            Shown::Host(_) => &self.members,
        }
    }

    fn view_mut(&mut self) -> &mut Pane {
        match self.shown() {
            Shown::Services => &mut self.services,
            Shown::Hosts => &mut self.hosts,
            Shown::Servers(_) => &mut self.servers,
            Shown::Host(_) => &mut self.members,
        }
    }

    pub fn columns(&self) -> &'static [Column] {
        match self.shown() {
            Shown::Services => column::for_services(self.width),
            Shown::Hosts => column::for_hosts(self.width),
            Shown::Servers(_) => column::for_servers(self.width),
            Shown::Host(_) => column::for_members(self.width),
        }
    }

    /// All rows of the table, in the order of their keys.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let Some(sample) = &self.sample else {
            return Vec::new();
        };
        match self.shown() {
            Shown::Services => sample.services.iter().map(Row::Service).collect(),
            Shown::Hosts => sample.hosts.iter().map(Row::Host).collect(),
            Shown::Servers(key) => {
                let service = sample.service(&key).into_iter();
                let rows = service.flat_map(|row| row.servers.iter().map(move |s| (row, s)));
                rows.map(|(service, row)| Row::Server(service, row))
                    .collect()
            }
            Shown::Host(address) => {
                let host = sample.host(&address).into_iter();
                let rows = host.flat_map(|host| sample.members(host));
                rows.map(|(service, row)| Row::Member(service, row))
                    .collect()
            }
        }
    }

    /// The row that is selected.
    pub fn selected(&self) -> Option<Row<'_>> {
        let view = self.view();
        let place = *view.shown.get(view.selected)?;
        self.rows().get(place).copied()
    }

    /// The sum of `column` over all rows, shown or not.
    pub fn sum(&self, column: Column) -> f64 {
        let rows = self.rows();
        let values = rows.iter().filter_map(|row| column.value(&row.numbers()));
        values.sum()
    }

    /// Filters and sorts again, and finds the selected row again.
    fn arrange(&mut self) {
        let view = self.view();
        let filter = view.filter.to_lowercase();
        let rows = self.rows();
        let shown = rows.iter().enumerate();
        let passes = |row: &Row| {
            let sample = self.sample.as_ref();
            filter.is_empty() || sample.is_some_and(|sample| row.contains(&filter, sample))
        };
        let shown = shown.filter(|(_, row)| passes(row));
        let mut shown: Vec<usize> = shown.map(|(place, _)| place).collect();
        match view.column {
            Column::Name => {}
            Column::Forwarding => shown.sort_by_key(|place| {
                let server = rows[*place].server();
                server.map(|row| sample::forwarding(row.server.config.forwarding))
            }),
            column => {
                let value = |place: &usize| column.value(&rows[*place].numbers());
                let mut keys: Vec<(f64, usize)> = shown
                    .iter()
                    .map(|place| (value(place).unwrap_or(-1.0), *place))
                    .collect();
                keys.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                shown = keys.into_iter().map(|(_, place)| place).collect();
            }
        }
        if view.reversed {
            shown.reverse();
        }
        let selected = match &view.follow {
            None => Some(0),
            Some(id) => shown.iter().position(|place| rows[*place].id() == *id),
        };
        let view = self.view_mut();
        view.selected = selected.unwrap_or(view.selected);
        view.selected = view.selected.min(shown.len().saturating_sub(1));
        view.shown = shown;
        if selected.is_none() {
            self.follow();
        }
        self.scroll();
    }

    /// Stays on the selected row from now on.
    fn follow(&mut self) {
        let id = self.selected().map(|row| row.id());
        self.view_mut().follow = id;
    }

    /// Moves the table so that the selected row is on the screen.
    fn scroll(&mut self) {
        let page = self.page;
        let view = self.view_mut();
        let last_top = view.shown.len().saturating_sub(page);
        let (lowest, highest) = ((view.selected + 1).saturating_sub(page), view.selected);
        view.top = view.top.clamp(lowest, highest).min(last_top);
    }

    fn move_by(&mut self, rows: isize) {
        let view = self.view_mut();
        let last = view.shown.len().saturating_sub(1);
        view.selected = view.selected.saturating_add_signed(rows).min(last);
        self.follow();
        self.scroll();
    }

    fn go_to_top(&mut self) {
        let view = self.view_mut();
        view.selected = 0;
        view.follow = None;
        self.scroll();
    }

    fn sort_by_next(&mut self, step: isize) {
        let columns = self.columns();
        let view = self.view_mut();
        let place = columns.iter().position(|column| *column == view.column);
        let place = place.unwrap_or(0).saturating_add_signed(step);
        view.column = columns[place.min(columns.len() - 1)];
        self.arrange();
    }

    fn open_selected(&mut self) {
        let (shown, selected) = (self.shown(), self.selected().map(|row| row.id()));
        match (shown, selected) {
            (Shown::Services, Some(Id::Service(key))) => {
                self.follow();
                self.open = Some(key);
                self.servers = Pane::new();
            }
            (Shown::Hosts, Some(Id::Host(address))) => {
                self.follow();
                self.host = Some(address);
                self.members = Pane::new();
            }
            // Among the servers of the service, this one is selected.
            (Shown::Host(_), Some(server @ Id::Server(key, _))) => {
                self.follow();
                self.open = Some(key);
                self.servers = Pane::new();
                self.servers.follow = Some(server);
            }
            _ => return,
        }
        self.arrange();
    }

    /// From services to hosts, or back.
    fn turn_to_hosts(&mut self) {
        self.by_host = !self.by_host;
        (self.open, self.host) = (None, None);
        self.arrange();
    }

    /// What a key does. With a filter being typed, most of them are text.
    pub fn key(&mut self, key: KeyEvent) -> Action {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Action::Quit,
                KeyCode::Char('z') => Action::Suspend,
                KeyCode::Char('l') => Action::Redraw,
                _ => Action::Nothing,
            };
        }
        if self.typing {
            self.typed(key.code);
            return Action::Nothing;
        }
        if self.help {
            self.help = false;
            return match key.code {
                KeyCode::Char('q') => Action::Quit,
                _ => Action::Nothing,
            };
        }
        let page = isize::try_from(self.page).unwrap_or(isize::MAX);
        match key.code {
            KeyCode::Char('q') => return Action::Quit,
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('h') => self.turn_to_hosts(),
            KeyCode::Char('f' | ' ') => self.frozen = !self.frozen,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char('<') => self.sort_by_next(-1),
            KeyCode::Char('>') => self.sort_by_next(1),
            KeyCode::Char('r') => {
                let view = self.view_mut();
                view.reversed = !view.reversed;
                self.arrange();
            }
            KeyCode::Enter => self.open_selected(),
            KeyCode::Esc | KeyCode::Backspace => self.back(),
            KeyCode::Up | KeyCode::Char('k') => self.move_by(-1),
            KeyCode::Down | KeyCode::Char('j') => self.move_by(1),
            KeyCode::PageUp => self.move_by(-page),
            KeyCode::PageDown => self.move_by(page),
            KeyCode::Home | KeyCode::Char('g') => self.go_to_top(),
            KeyCode::End | KeyCode::Char('G') => self.move_by(isize::MAX),
            _ => {}
        }
        Action::Nothing
    }

    /// Out of a filter, then out of a service or a host.
    fn back(&mut self) {
        if !self.view().filter.is_empty() {
            self.view_mut().filter.clear();
        } else if self.open.is_some() {
            self.open = None;
        } else {
            self.host = None;
        }
        self.arrange();
    }

    fn typed(&mut self, code: KeyCode) {
        let filter = &mut self.view_mut().filter;
        match code {
            KeyCode::Char(letter) => filter.push(letter),
            KeyCode::Backspace => {
                filter.pop();
            }
            KeyCode::Esc => {
                filter.clear();
                self.typing = false;
            }
            KeyCode::Enter => self.typing = false,
            KeyCode::Up => self.move_by(-1),
            KeyCode::Down => self.move_by(1),
            _ => {}
        }
        self.arrange();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invented::{sample, server_key, service_key};
    use ipvs::Family;
    use std::num::NonZeroU32;

    fn state() -> State {
        let mut state = State::new(Duration::from_secs(2), false, String::new());
        state.resize(80, 3);
        state.take(sample(10, 4, 1.0));
        state
    }

    fn press(state: &mut State, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\x1b' => KeyCode::Esc,
                '\x08' => KeyCode::Backspace,
                key => KeyCode::Char(key),
            };
            let action = state.key(KeyEvent::new(code, KeyModifiers::NONE));
            assert_eq!(action, Action::Nothing, "{key}");
        }
    }

    fn names(state: &State) -> Vec<String> {
        let rows = state.rows();
        let shown = state.view().shown.iter();
        shown.map(|place| rows[*place].name()).collect()
    }

    fn selected(state: &State) -> String {
        state.selected().map(|row| row.name()).unwrap_or_default()
    }

    #[test]
    fn the_busiest_come_first_and_any_column_sorts() {
        let mut state = state();
        assert_eq!(names(&state)[0], "TCP 192.0.2.10:80");
        press(&mut state, "r");
        assert_eq!(names(&state)[0], "TCP 192.0.2.1:80");
        press(&mut state, "r<");
        assert_eq!(state.view().column, Column::Name);
        assert_eq!(names(&state)[0], "TCP 192.0.2.1:80");
        press(&mut state, "<");
        assert_eq!(state.view().column, Column::Name);
        press(&mut state, ">>>>>>>>");
        assert_eq!(state.view().column, Column::Inactive);
        assert_eq!(names(&state)[0], "TCP 192.0.2.10:80");
    }

    #[test]
    fn the_selected_row_is_kept_wherever_it_moves() {
        let mut state = state();
        // Nothing chosen yet: the first, whichever it is.
        press(&mut state, "r");
        assert_eq!(selected(&state), "TCP 192.0.2.1:80");
        press(&mut state, "rj");
        assert_eq!(selected(&state), "TCP 192.0.2.9:80");
        press(&mut state, "r");
        assert_eq!(selected(&state), "TCP 192.0.2.9:80");
        let view = state.view();
        assert!(view.top <= 8 && 8 < view.top + 3, "{}", view.top);
        // It goes: what has its place is selected.
        state.take(sample(8, 4, 1.0));
        assert_eq!(selected(&state), "TCP 192.0.2.8:80");
        press(&mut state, "g");
        assert_eq!((state.view().selected, state.view().top), (0, 0));
        press(&mut state, "G");
        assert_eq!((state.view().selected, state.view().top), (7, 5));
        state.take(sample(0, 0, 1.0));
        assert_eq!(selected(&state), "");
        press(&mut state, "jkGg\n");
        assert_eq!(state.open, None);
    }

    #[test]
    fn a_filter_finds_services_by_name_and_by_server() {
        let mut state = state();
        press(&mut state, "/tcp 192.0.2.1");
        assert_eq!(names(&state).len(), 2);
        // Letters are text now.
        press(&mut state, "q?f");
        assert!(names(&state).is_empty() && !state.help && !state.frozen);
        press(&mut state, "\x1b");
        assert_eq!(names(&state).len(), 10);
        press(&mut state, "/10.0.0.4\n");
        assert_eq!(names(&state).len(), 10);
        press(&mut state, "/x\x08\x08\n");
        assert_eq!(state.view().filter, "10.0.0.");
        press(&mut state, "\x1b");
        assert_eq!(state.view().filter, "");
    }

    #[test]
    fn a_filter_finds_marks_in_decimal_and_in_hexadecimal() {
        let mut state = state();
        let mut marked = sample(2, 1, 1.0);
        marked.services[1].service.key = ServiceKey::Fwmark {
            mark: NonZeroU32::new(258).unwrap(),
            family: Family::Inet,
        };
        state.take(marked);
        for (filter, found) in [("258", 1), ("0x102", 1), ("fwm 0X102", 1), ("0x103", 0)] {
            press(&mut state, &format!("/{filter}\n"));
            assert_eq!(names(&state).len(), found, "{filter}");
            press(&mut state, "\x1b");
        }
    }

    #[test]
    fn enter_opens_a_service_and_escape_leaves_it() {
        let mut state = state();
        press(&mut state, "j\n");
        assert_eq!(state.open, Some(service_key(9)));
        assert_eq!(names(&state).len(), 4);
        press(&mut state, "/0.3\n");
        assert_eq!(selected(&state), "10.0.0.3:8080");
        assert_eq!(
            state.selected().map(|row| row.id()),
            Some(Id::Server(service_key(9), server_key(3)))
        );
        press(&mut state, "\n\x1b");
        assert_eq!(names(&state).len(), 4);
        press(&mut state, "\x1b");
        assert_eq!(state.open, None);
        assert_eq!(selected(&state), "TCP 192.0.2.9:80");
        // A service that is deleted while it is open.
        press(&mut state, "\n");
        state.take(sample(3, 4, 1.0));
        assert_eq!((state.open, names(&state).len()), (None, 3));
    }

    #[test]
    fn hosts_take_the_place_of_services_and_open_theirs() {
        let mut state = state();
        press(&mut state, "h");
        assert_eq!(state.shown(), Shown::Hosts);
        assert_eq!(names(&state).len(), 4);
        press(&mut state, ">>>>>");
        assert_eq!(state.view().column, Column::Inactive);
        press(&mut state, "<<<<<<");
        assert_eq!(state.view().column, Column::Services);
        press(&mut state, "/0.3\n");
        assert_eq!(names(&state), ["10.0.0.3"]);
        press(&mut state, "\n");
        assert_eq!(state.shown(), Shown::Host(server_key(3).address));
        assert_eq!(names(&state).len(), 10);
        assert_eq!(selected(&state), "TCP 192.0.2.10:80 -> :8080");
        // The service, with this server selected; and back, step by step.
        press(&mut state, "j\n");
        assert_eq!(state.shown(), Shown::Servers(service_key(9)));
        assert_eq!(selected(&state), "10.0.0.3:8080");
        press(&mut state, "\x1b");
        assert_eq!(selected(&state), "TCP 192.0.2.9:80 -> :8080");
        press(&mut state, "\x1b");
        assert_eq!(names(&state), ["10.0.0.3"]);
        press(&mut state, "\x1b");
        assert_eq!(names(&state).len(), 4);
        // A host that goes while it is open, and h from anywhere.
        press(&mut state, "/0.4\n\n");
        state.take(sample(10, 3, 1.0));
        assert_eq!(state.shown(), Shown::Hosts);
        press(&mut state, "\x1b\n\nh");
        assert_eq!(state.shown(), Shown::Services);
        assert_eq!(names(&state).len(), 10);
    }

    #[test]
    fn a_filter_finds_hosts_by_address_and_by_service() {
        let mut state = state();
        let mut other = sample(3, 2, 1.0);
        other.services[2].servers.pop();
        other.hosts = crate::sample::hosts(&other.services);
        state.take(other);
        press(&mut state, "h");
        for (filter, found) in [("0.0.2", 1), ("192.0.2.3", 1), ("192.0.2.2", 2), ("udp", 0)] {
            press(&mut state, &format!("/{filter}\n"));
            assert_eq!(names(&state).len(), found, "{filter}");
            press(&mut state, "\x1b");
        }
    }

    #[test]
    fn a_column_that_a_narrow_screen_lacks_is_left() {
        let mut state = state();
        state.resize(200, 3);
        press(&mut state, ">>");
        assert_eq!(state.view().column, Column::OutPackets);
        state.resize(80, 3);
        assert_eq!(state.view().column, Column::Conns);
    }

    #[test]
    fn control_keys_act_whatever_is_shown() {
        let mut state = state();
        for prefix in ["", "/", "\n?"] {
            press(&mut state, prefix);
            for (letter, action) in [
                ('c', Action::Quit),
                ('z', Action::Suspend),
                ('l', Action::Redraw),
                ('x', Action::Nothing),
            ] {
                let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
                assert_eq!(state.key(key), action);
            }
        }
        assert!(!state.typing || state.view().filter.is_empty());
    }
}
