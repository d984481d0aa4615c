use super::*;
use crate::invented::sample;
use crate::sample::{Sample, hosts};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Duration;

const PLAIN: Capabilities = Capabilities {
    colour: false,
    unicode: false,
};

fn terminal(
    state: &mut State,
    can: Capabilities,
    (width, height): (u16, u16),
) -> Terminal<TestBackend> {
    state.resize(width, page(height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state, can)).unwrap();
    terminal
}

/// The lines of a screen of this size.
fn screen(state: &mut State, size: (u16, u16)) -> Vec<String> {
    let terminal = terminal(state, PLAIN, size);
    let cells = terminal.backend().buffer().content();
    let lines = cells.chunks(size.0.into());
    let lines = lines.map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>());
    lines.map(|line| line.trim_end().to_owned()).collect()
}

fn state(samples: impl IntoIterator<Item = Sample>) -> State {
    let mut state = State::new(Duration::from_secs(2), false, String::new());
    for sample in samples {
        state.take(sample);
    }
    state
}

fn press(state: &mut State, code: KeyCode) {
    state.key(KeyEvent::new(code, KeyModifiers::NONE));
}

#[test]
fn services_on_80_by_24() {
    let mut state = state([sample(3, 2, 0.5), sample(3, 2, 2.0)]);
    let lines = screen(&mut state, (80, 24));
    let wanted = [
        "ipvstop  2026-11-23 08:41:02 UTC  every 2 s  by Conn/s",
        "3 services, 6 real servers                                 60 active, 6 inactive",
        "12 conn/s   in 72 packets/s 7200 bytes/s   out 48 packets/s 112800 bytes/s",
    ];
    assert_eq!(lines[..2], wanted[..2]);
    assert_eq!(lines[2], wanted[2].replace("112800", "113K"));
    assert_eq!(
        lines[3..8],
        [
            "Service                    Conn/s  Pkt/s Byte/s Active  InAct share of Conn/s",
            "TCP 192.0.2.3:80                6     60  60000     30      3 #######        50%",
            "TCP 192.0.2.2:80                4     40  40000     20      2 ####           33%",
            "TCP 192.0.2.1:80                2     20  20000     10      1 ##             17%",
            "",
        ]
    );
    assert_eq!(lines[20], format!("Conn/s most      6{:>62}", ".#"));
    assert!(lines[21].starts_with("Pkt/s  most     60"), "{}", lines[21]);
    assert!(lines[22].starts_with("Byte/s most  60000"), "{}", lines[22]);
    assert!(lines[23].starts_with("Enter servers"), "{}", lines[23]);
}

#[test]
fn the_servers_of_a_service() {
    let mut state = state([sample(3, 2, 2.0)]);
    press(&mut state, KeyCode::Enter);
    let lines = screen(&mut state, (80, 24));
    assert!(lines[1].starts_with("TCP 192.0.2.3:80  wlc  2 real servers"));
    assert_eq!(
        lines[3..6],
        [
            "Real server                Fwd Weight Upper Lower Conn/s Active  InAct share of~",
            "10.0.0.1:8080             Masq      1  1000   800      3     10      1 ##    50%",
            "10.0.0.2:8080             Masq      2  1000   800      3     20      1 ##    50%",
        ]
    );
}

#[test]
fn hosts_and_the_services_of_one() {
    let mut idle = sample(3, 2, 2.0);
    idle.services[2].servers[1].server.config.weight = 0;
    idle.hosts = hosts(&idle.services);
    let mut state = state([idle]);
    press(&mut state, KeyCode::Char('h'));
    let lines = screen(&mut state, (80, 24));
    assert!(
        lines[1].starts_with("2 hosts, 3 services  "),
        "{}",
        lines[1]
    );
    assert_eq!(
        lines[3..6],
        [
            "Host                     Svcs  Wt=0 Conn/s  Pkt/s Byte/s Active  InAct share of~",
            "10.0.0.1                    3     0      6     60  60000     30      3 ##    50%",
            "10.0.0.2                    3     1      6     60  60000     60      3 ##    50%",
        ]
    );
    assert!(lines[23].starts_with("Enter services  h services"));
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    let lines = screen(&mut state, (80, 24));
    let head = "10.0.0.2  in 3 services, 1 with weight 0";
    assert!(lines[1].starts_with(head), "{}", lines[1]);
    assert_eq!(
        lines[3..6],
        [
            "Service                       Fwd Weight Conn/s Active  InAct share of Conn/s",
            "TCP 192.0.2.3:80 -> :8080    Masq      0      3     20      1 #######        50%",
            "TCP 192.0.2.2:80 -> :8080    Masq      2      2     20      1 ####           33%",
        ]
    );
}

#[test]
fn a_wide_screen_has_more_columns() {
    let mut state = state([sample(3, 2, 2.0)]);
    for open in [false, true] {
        if open {
            press(&mut state, KeyCode::Enter);
        }
        let lines = screen(&mut state, (132, 50));
        for title in ["InPkt/s", "OutPkt/s", "InB/s", "OutB/s"] {
            assert!(lines[3].contains(title), "{}", lines[3]);
        }
        assert!(lines.iter().all(|line| line.chars().count() <= 132));
    }
}

#[test]
fn unknown_values_are_drawn_as_dashes() {
    let mut first = sample(1, 1, 0.0);
    first.services[0].rates = None;
    let lines = screen(&mut state([first]), (80, 24));
    assert!(lines[2].starts_with("- conn/s"), "{}", lines[2]);
    assert!(
        lines[4].contains("      -      -      -     10"),
        "{}",
        lines[4]
    );
    assert!(!lines[4].contains('%'));
}

#[test]
fn every_key_has_its_word_on_the_screen() {
    let mut state = state([sample(3, 1, 1.0)]);
    press(&mut state, KeyCode::Char('f'));
    press(&mut state, KeyCode::Char('/'));
    press(&mut state, KeyCode::Char('x'));
    let lines = screen(&mut state, (80, 24));
    assert!(lines[0].ends_with("FROZEN"));
    assert_eq!(lines[4], "none that the filter lets through");
    assert_eq!(lines[23], "/x_");
    press(&mut state, KeyCode::Enter);
    let lines = screen(&mut state, (80, 24));
    assert!(lines[0].ends_with("FROZEN  filter: x"));
    press(&mut state, KeyCode::Char('?'));
    let lines = screen(&mut state, (80, 24));
    assert!(lines.iter().any(|line| line.contains("filter: part of")));
    // The help is whole on the smallest of the usual screens.
    let last = HELP.lines().last().unwrap();
    assert!(lines.iter().any(|line| line == last));
}

#[test]
fn the_part_of_the_table_is_named() {
    let mut state = State::new(Duration::from_secs(2), true, "--vip 192.0.2.1".into());
    state.take(sample(1, 1, 1.0));
    assert!(screen(&mut state, (80, 24))[0].ends_with("  by Conn/s  --vip 192.0.2.1"));
}

#[test]
fn counters_that_stand_still_are_told() {
    let mut still = sample(1, 1, 0.0);
    still.frozen = true;
    let lines = screen(&mut state([still]), (80, 24));
    assert!(lines[23].contains("run_estimation"), "{}", lines[23]);
}

#[test]
fn no_size_is_too_small_or_too_large() {
    for open in [false, true] {
        let mut state = state([sample(300, 3, 1.0)]);
        if open {
            press(&mut state, KeyCode::Enter);
        }
        for size in [(1, 1), (59, 24), (80, 11), (60, 12), (61, 13), (500, 200)] {
            press(&mut state, KeyCode::End);
            let lines = screen(&mut state, size);
            assert_eq!(lines.len(), usize::from(size.1));
        }
        assert!(screen(&mut state, (59, 24))[0].starts_with("The screen is too small"));
    }
    screen(
        &mut State::new(Duration::from_secs(2), false, String::new()),
        (80, 24),
    );
    assert_eq!(screen(&mut state([sample(0, 0, 0.0)]), (80, 24))[4], "none");
}

#[test]
fn the_selected_row_is_on_the_screen() {
    let mut state = state([sample(10_000, 4, 1.0)]);
    for height in [24, 50, 13] {
        press(&mut state, KeyCode::End);
        let lines = screen(&mut state, (80, height));
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("TCP 192.0.2.1:80 "))
        );
        let rows = lines.iter().filter(|line| line.starts_with("TCP ")).count();
        assert_eq!(rows, page(height));
    }
}

#[test]
fn long_names_are_cut_and_columns_stay() {
    use ipvs::{Protocol, ServiceKey};
    let mut long = sample(1, 1, 1.0);
    long.services[0].service.key = ServiceKey::Address {
        protocol: Protocol::Tcp,
        address: "2001:db8:1234:5678:9abc:def0:1234:5678".parse().unwrap(),
        port: 65535,
    };
    let lines = screen(&mut state([long]), (80, 24));
    assert!(
        lines[4].starts_with("TCP [2001:db8:1234:5678:9"),
        "{}",
        lines[4]
    );
    assert!(lines[4].ends_with("100%"), "{}", lines[4]);
}

#[test]
fn colour_is_left_out_where_it_is_not_wanted() {
    let colours = |can| {
        let mut state = state([sample(3, 2, 2.0)]);
        let terminal = terminal(&mut state, can, (80, 24));
        let cells = terminal.backend().buffer().content();
        cells.iter().filter(|cell| cell.fg != Color::Reset).count()
    };
    assert_eq!(colours(PLAIN), 0);
    assert!(
        colours(Capabilities {
            colour: true,
            unicode: true
        }) > 0
    );
}

#[test]
fn the_bar_of_the_selected_row_is_not_in_reverse() {
    let mut state = state([sample(2, 1, 1.0)]);
    let terminal = terminal(&mut state, PLAIN, (80, 24));
    let buffer = terminal.backend().buffer();
    let reversed = |x: u16| buffer[(x, ABOVE)].modifier.contains(Modifier::REVERSED);
    let row: String = (0..80).map(|x| buffer[(x, ABOVE)].symbol()).collect();
    let bar = u16::try_from(row.find('#').unwrap()).unwrap();
    assert!(reversed(0) && reversed(bar - 1) && reversed(79), "{row}");
    assert!(!reversed(bar) && !reversed(bar + 8), "{row}");
}
