//! Plain text, one table after the other: for scripts and logs.

use crate::command_line::Watch;
use crate::sample::Sample;
use crate::state::Row;
use crate::{Looks, Stop};
use ipvs::Ipvs;
use ipvsadm::rates::{COUNTERS_NOT_UPDATED, PERIOD, Pace, Rates, rfc3339};
use ipvsadm::render::words::count;
use ipvsadm::run::{Output, say};
use std::fmt::Write;
use std::thread;
use std::time::Instant;

/// Prints tables. The first comes after the delay, and not before the kernel has
/// counted: until then there are no rates.
pub fn run(out: &mut Output, ipvs: Ipvs, watch: &Watch) -> Result<(), Stop> {
    let delay = watch.delay;
    let mut looks = Looks::new(ipvs, watch.part);
    let mut pace = Pace::new(delay, watch.samples, Instant::now() + delay.max(PERIOD));
    let mut said = false;
    looks.next()?;
    while let Some(due) = pace.due() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        pace.begin(Instant::now());
        let sample = looks.next()?;
        if sample.frozen && !said {
            say(COUNTERS_NOT_UPDATED.as_bytes());
            said = true;
        }
        print(out, table(&sample, watch.hosts).as_bytes())?;
    }
    Ok(())
}

/// Writes all of `text` at once.
pub fn print(out: &mut Output, text: &[u8]) -> Result<(), Stop> {
    out.buffer().text(text);
    Ok(out.finish()?)
}

const NAME: usize = 32;

/// The table with its titles and an empty line at the end; what is busiest comes
/// first.
fn table(sample: &Sample, by_host: bool) -> String {
    let (mut rows, rows_are, title): (Vec<Row>, _, _) = match by_host {
        true => {
            let title = format!("{:NAME$} {:>8} {:>8}", "Host", "Services", "Weight 0");
            (sample.hosts.iter().map(Row::Host).collect(), "host", title)
        }
        false => {
            let rows = sample.services.iter().map(Row::Service);
            (rows.collect(), "service", format!("{:NAME$}", "Service"))
        }
    };
    let mut text = format!(
        "{}  {}\n{title} {:>9} {:>9} {:>9} {:>12} {:>12} {:>8} {:>8}\n",
        rfc3339(sample.time),
        count(rows.len() as u64, rows_are),
        "Conn/s",
        "InPkt/s",
        "OutPkt/s",
        "InByte/s",
        "OutByte/s",
        "Active",
        "InAct",
    );
    let conns = |row: &Row| row.numbers().rates.map_or(-1.0, |rates| rates.conns);
    rows.sort_by(|a, b| conns(b).total_cmp(&conns(a)));
    for row in rows {
        let numbers = row.numbers();
        let rate = |of: fn(Rates) -> f64| match numbers.rates {
            Some(rates) => format!("{:.1}", of(rates)),
            None => "-".into(),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "{:NAME$}", row.name());
        if let Row::Host(host) = row {
            let _ = write!(text, " {:>8} {:>8}", host.services, host.idle);
        }
        let _ = writeln!(
            text,
            " {:>9} {:>9} {:>9} {:>12} {:>12} {:>8} {:>8}",
            rate(|rates| rates.conns),
            rate(|rates| rates.in_packets),
            rate(|rates| rates.out_packets),
            rate(|rates| rates.in_bytes),
            rate(|rates| rates.out_bytes),
            numbers.active,
            numbers.inactive,
        );
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invented::sample;
    use crate::sample::hosts;

    #[test]
    fn the_busiest_service_comes_first() {
        let mut sample = sample(3, 2, 1.5);
        sample.services[0].rates = None;
        assert_eq!(
            table(&sample, false).lines().collect::<Vec<_>>(),
            [
                "2026-11-23T08:41:02.000Z  3 services",
                "Service                             Conn/s   InPkt/s  OutPkt/s     InByte/s    OutByte/s   Active    InAct",
                "TCP 192.0.2.3:80                       4.5      27.0      18.0       2700.0      42300.0       30        3",
                "TCP 192.0.2.2:80                       3.0      18.0      12.0       1800.0      28200.0       20        2",
                "TCP 192.0.2.1:80                         -         -         -            -            -       10        1",
                "",
            ]
        );
    }

    #[test]
    fn the_busiest_host_comes_first() {
        let mut sample = sample(2, 2, 1.0);
        sample.services[0].servers[0].server.config.weight = 0;
        sample.services[1].servers.pop();
        sample.hosts = hosts(&sample.services);
        assert_eq!(
            table(&sample, true).lines().collect::<Vec<_>>(),
            [
                "2026-11-23T08:41:02.000Z  2 hosts",
                "Host                             Services Weight 0    Conn/s   InPkt/s  OutPkt/s     InByte/s    OutByte/s   Active    InAct",
                "10.0.0.1                                2        1       1.5       9.0       6.0        900.0      14100.0       20        2",
                "10.0.0.2                                1        0       0.5       3.0       2.0        300.0       4700.0       20        1",
                "",
            ]
        );
    }
}
