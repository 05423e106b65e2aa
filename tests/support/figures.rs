//! What the benchmarks count: durations and wake-ups.

use std::fs;
use std::time::Duration;

use rustix::process::Pid;

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
