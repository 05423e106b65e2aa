//! What the benchmarks count: durations and wake-ups.

use std::fs;
use std::time::Duration;

use rustix::process::Pid;

use super::bench::row;
use super::pty::Pty;

/// The middle one. Sorts them.
pub fn median(times: &mut [Duration]) -> Duration {
    part(times, 50)
}

/// So many hundredths of them are shorter. Sorts them.
pub fn part(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort_unstable();
    times[times.len() * hundredths / 100]
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The head of a table of durations.
pub fn print_head() {
    println!("{:34}{:>9}{:>9}{:>6}{:>9}", "", "median", "p99", "n", "ratio");
}

/// A line of it; the ratio is that of the median to `base`.
pub fn print_line(name: &str, times: &mut [Duration], base: Duration) {
    let middle = median(times);
    println!(
        "{name:34}{:>6.2} ms{:>6.2} ms{:>6}{:>9.2}",
        milliseconds(middle),
        milliseconds(part(times, 99)),
        times.len(),
        middle.as_secs_f64() / base.as_secs_f64()
    );
}

/// Waits until a screen shows sensor 1 in this state, and beside it what is asked for.
pub fn wait_for_sensor_1(screen: &Pty, state: &str, beside: impl Fn(&str) -> bool) {
    screen.wait_for(state, |seen| {
        row(&seen.text(), 1).is_some_and(|row| row.state == state && beside(&row.beside))
    });
}

/// How often the threads of a process have gone to sleep so far, by name: as often they are woken.
pub fn sleeps(process: Pid) -> Vec<(String, u64)> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let status = |task: fs::DirEntry| fs::read_to_string(task.path().join("status")).ok();
    let of = |status: String| {
        let value = |key| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim().to_owned())
        };
        let count = value("voluntary_ctxt_switches:")?.parse().ok()?;
        Some((value("Name:")?, count))
    };
    tasks.flatten().filter_map(status).filter_map(of).collect()
}

/// The same of all threads.
pub fn all_sleeps(process: Pid) -> u64 {
    sleeps(process).iter().map(|(_, count)| count).sum()
}
