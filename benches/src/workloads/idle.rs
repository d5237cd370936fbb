//! What a node costs that has nothing to do. It is a process of its own, so that its memory is only its own.

use std::{fs, time::Duration};

use rexecutor::clock::{Clock, SystemClock};

use crate::{
    child::{Child, Task},
    error::Result,
    place::in_place,
    sample::Sample,
    settings::Settings,
    stopwatch::Stopwatch,
    target::Address,
    wire::Wire,
};

/// How long the node has to begin, before it counts.
const BEGINNING: Duration = Duration::from_secs(1);

pub(super) async fn run(settings: &Settings) -> Result<Vec<Sample>> {
    let seconds = settings.seconds(30.0);
    in_place(&settings.backend, "", async |place| {
        let (wire, address) = through_wire(&place.address).await?;
        let mut child = Child::start(Task::Work, &address, settings, 0, None).await?;
        child.order("go").await?;
        let process = child.id().ok_or("the node has ended")?;
        SystemClock.sleep(BEGINNING.min(Duration::from_secs_f64(seconds))).await;
        let asked = |wire: &Wire| (wire.statements(), wire.round_trips());
        let (watch, ticks, before) = (Stopwatch::start(), cpu_ticks(process)?, wire.as_ref().map(asked));
        SystemClock.sleep(Duration::from_secs_f64(seconds)).await;
        let (ticks, after, elapsed) = (cpu_ticks(process)? - ticks, wire.as_ref().map(asked), watch.elapsed());
        let elapsed = elapsed.as_secs_f64();
        // Linux counts in hundredths of a second, whatever the kernel's own clock.
        let mut samples = vec![
            Sample::new("", "CPU %", ticks as f64 / elapsed),
            Sample::new("", "RSS MiB", resident_kibibytes(process)? as f64 / 1024.0),
        ];
        if let Some((before, after)) = before.zip(after) {
            samples.push(Sample::new("", "statements/s", (after.0 - before.0) as f64 / elapsed));
            samples.push(Sample::new("", "round trips/s", (after.1 - before.1) as f64 / elapsed));
        }
        child.end().await?;
        Ok(samples)
    })
    .await
}

/// On PostgreSQL, a proxy that counts, and the address by which the database is reached through it.
pub(super) async fn through_wire(address: &Address) -> Result<(Option<Wire>, Address)> {
    let Address::Schema { url, schema } = address else { return Ok((None, address.clone())) };
    let wire = Wire::start(url).await?;
    let url = wire.url().to_owned();
    Ok((Some(wire), Address::Schema { url, schema: schema.clone() }))
}

/// How long a process has had a processor, in hundredths of a second.
fn cpu_ticks(process: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program, in parentheses, may hold anything; the times are the 12th and 13th words after it.
    let words = stat.rsplit_once(')').map_or("", |(_, words)| words).split_ascii_whitespace();
    let times: Vec<u64> = words.skip(11).take(2).filter_map(|word| word.parse().ok()).collect();
    match times.len() {
        2 => Ok(times.iter().sum()),
        _ => Err("the node's /proc/…/stat has no times".into()),
    }
}

fn resident_kibibytes(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    number.ok_or_else(|| "the node's /proc/…/status has no VmRSS".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_memory() {
        assert!(resident_kibibytes(std::process::id()).unwrap() > 0);
        cpu_ticks(std::process::id()).unwrap();
    }
}
