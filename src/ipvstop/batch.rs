//! Plain text, one table after the other: for scripts and logs.

use crate::Stop;
use crate::sample::{Sample, ServiceRow};
use ipvs::Ipvs;
use ipvsadm::rates::{COUNTERS_NOT_UPDATED, PERIOD, Pace, Rates, Sampler, TableReader, rfc3339};
use ipvsadm::render::words::count;
use ipvsadm::run::{Failure, Output, say};
use ipvsadm::selection::Selection;
use std::fmt::Write;
use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

/// Prints `samples` tables, or tables for ever, `delay` apart. The first comes
/// after `delay`, and not before the kernel has counted: until then there are
/// no rates.
pub fn run(
    out: &mut Output,
    mut ipvs: Ipvs,
    delay: Duration,
    samples: Option<NonZeroU32>,
) -> Result<(), Stop> {
    let mut reader = TableReader::default();
    let mut sampler = Sampler::default();
    let mut sample = || {
        let reading = reader
            .read(&mut ipvs, &Selection::default())
            .map_err(Failure::list)?;
        Ok::<_, Failure>(Sample::new(reading, &mut sampler))
    };
    let mut pace = Pace::new(delay, samples, Instant::now() + delay.max(PERIOD));
    let mut said = false;
    sample()?;
    while let Some(due) = pace.due() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        pace.begin(Instant::now());
        let sample = sample()?;
        if sample.frozen && !said {
            say(COUNTERS_NOT_UPDATED.as_bytes());
            said = true;
        }
        print(out, table(&sample).as_bytes())?;
    }
    Ok(())
}

/// Writes all of `text` at once.
pub fn print(out: &mut Output, text: &[u8]) -> Result<(), Stop> {
    out.buffer().text(text);
    Ok(out.finish()?)
}

const NAME: usize = 32;

/// The table with its titles and an empty line at the end; the busiest service
/// comes first.
fn table(sample: &Sample) -> String {
    let mut text = format!(
        "{}  {}\n{:NAME$} {:>9} {:>9} {:>9} {:>12} {:>12} {:>8} {:>8}\n",
        rfc3339(sample.time),
        count(sample.services.len() as u64, "service"),
        "Service",
        "Conn/s",
        "InPkt/s",
        "OutPkt/s",
        "InByte/s",
        "OutByte/s",
        "Active",
        "InAct",
    );
    let mut rows: Vec<&ServiceRow> = sample.services.iter().collect();
    let conns = |row: &ServiceRow| row.rates.map_or(-1.0, |rates| rates.conns);
    rows.sort_by(|a, b| conns(b).total_cmp(&conns(a)));
    for row in rows {
        let rate = |of: fn(Rates) -> f64| match row.rates {
            Some(rates) => format!("{:.1}", of(rates)),
            None => "-".into(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:NAME$} {:>9} {:>9} {:>9} {:>12} {:>12} {:>8} {:>8}",
            row.service.key.to_string(),
            rate(|rates| rates.conns),
            rate(|rates| rates.in_packets),
            rate(|rates| rates.out_packets),
            rate(|rates| rates.in_bytes),
            rate(|rates| rates.out_bytes),
            row.active,
            row.inactive,
        );
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invented::sample;

    #[test]
    fn the_busiest_service_comes_first() {
        let mut sample = sample(3, 2, 1.5);
        sample.services[0].rates = None;
        assert_eq!(
            table(&sample).lines().collect::<Vec<_>>(),
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
}
