//! What a process has cost so far, from `/proc`.

use std::fs;
use std::time::Duration;

use dualboard::system::process::Process;
use rustix::process::Pid;

use crate::support::figures::{all_sleeps, sleeps};
use crate::times::{each, ratio};

/// Processor time. The kernel counts it in nanoseconds for each thread, and in ticks of 10 ms for a process.
#[derive(Clone, PartialEq)]
pub struct CpuTime {
    threads: Vec<(String, u64)>,
    ticks: u64,
}

/// So far.
pub fn cpu(pid: Pid) -> CpuTime {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .expect("it runs")
        .flatten();
    let time = |task: fs::DirEntry| {
        let line = fs::read_to_string(task.path().join("schedstat")).ok()?;
        let time = line.split_whitespace().next()?.parse().ok()?;
        Some((task.file_name().to_string_lossy().into_owned(), time))
    };
    let mut threads: Vec<_> = tasks.filter_map(time).collect();
    threads.sort_unstable();
    let process = Process::of(pid.as_raw_nonzero().get()).expect("it runs");
    CpuTime {
        threads,
        ticks: process.ticks.expect("its processor time"),
    }
}

impl CpuTime {
    /// What it has used since. A thread that has ended takes its own count with it; then ticks are taken.
    pub fn until(&self, now: &Self) -> Duration {
        let ids = |of: &Self| of.threads.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
        let all = |of: &Self| of.threads.iter().map(|(_, time)| time).sum::<u64>();
        if ids(self) == ids(now) && all(now) > 0 {
            Duration::from_nanos(all(now) - all(self))
        } else {
            Duration::from_millis(10 * (now.ticks - self.ticks))
        }
    }
}

/// What processes use from one moment to another.
pub struct CpuWatch(Vec<(Pid, CpuTime)>);

impl CpuWatch {
    pub fn of(pids: &[Pid]) -> Self {
        Self(pids.iter().map(|pid| (*pid, cpu(*pid))).collect())
    }

    pub fn used(&self) -> Vec<Duration> {
        self.0
            .iter()
            .map(|(pid, before)| before.until(&cpu(*pid)))
            .collect()
    }
}

/// Resident and private memory, in MB: thousands of the kB that `/proc` counts.
pub fn memory(pid: Pid) -> (f64, f64) {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("it runs");
    let sum = |keys: &[&str]| -> f64 {
        let sizes = text.lines().filter_map(|line| {
            let (key, size) = line.split_once(':')?;
            let size = size.trim().strip_suffix(" kB")?;
            keys.contains(&key).then(|| size.parse::<f64>().ok()).flatten()
        });
        sizes.sum::<f64>() / 1_000.0
    };
    (sum(&["Rss"]), sum(&["Private_Clean", "Private_Dirty"]))
}

/// What a process has in its memory, by where it comes from: resident, and of that private, in MB.
pub fn memory_by_kind(pid: Pid, program: &str) -> Vec<(&'static str, f64, f64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).expect("it runs");
    let mut kinds = [
        ("the program's own file", 0.0, 0.0),
        ("OpenSSL", 0.0, 0.0),
        ("C library, loader, unwinder", 0.0, 0.0),
        ("heap of the main thread", 0.0, 0.0),
        ("stack of the main thread", 0.0, 0.0),
        ("stacks and heaps of the other threads", 0.0, 0.0),
    ];
    let mut kind = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["Rss:", size, _] => kinds[kind].1 += size.parse::<f64>().expect("kB") / 1_000.0,
            ["Private_Clean:" | "Private_Dirty:", size, _] => {
                kinds[kind].2 += size.parse::<f64>().expect("kB") / 1_000.0;
            }
            [first, ..] if first.ends_with(':') => {}
            _ => {
                kind = match words.get(5) {
                    Some(file) if file.ends_with(program) => 0,
                    Some(file) if file.contains("libssl") || file.contains("libcrypto") => 1,
                    Some(file) if file.starts_with('/') => 2,
                    Some(&"[heap]") => 3,
                    Some(&"[stack]") => 4,
                    _ => 5,
                }
            }
        }
    }
    kinds.to_vec()
}

/// Resident memory alone.
pub fn resident(pid: Pid) -> f64 {
    memory(pid).0
}

/// How many threads it has, and how many of them are the MQTT library's.
pub fn threads(pid: Pid) -> (usize, usize) {
    let threads = sleeps(pid);
    let library = threads.iter().filter(|(name, _)| name.starts_with("MQTTAsync"));
    (threads.len(), library.count())
}

/// How often its threads have been woken.
pub fn wakes(pid: Pid) -> u64 {
    all_sleeps(pid)
}

/// How many bytes it has sent on their way to the disk.
pub fn written(pid: Pid) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).expect("it runs, and is ours");
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    line.and_then(|value| value.trim().parse().ok()).expect("a count")
}

/// What work has cost some processes.
pub struct WorkWatch {
    names: Vec<(&'static str, Pid)>,
    cpu: CpuWatch,
    memory: Vec<f64>,
    half: Vec<f64>,
}

impl WorkWatch {
    pub fn of(names: &[(&'static str, Pid)]) -> Self {
        let pids: Vec<Pid> = names.iter().map(|(_, pid)| *pid).collect();
        Self {
            names: names.to_vec(),
            cpu: CpuWatch::of(&pids),
            memory: pids.iter().map(|pid| resident(*pid)).collect(),
            half: Vec::new(),
        }
    }

    /// Looks at the memory once more, the first time that it is told.
    pub fn is_half_way(&mut self) {
        if self.half.is_empty() {
            self.half = self.names.iter().map(|(_, pid)| resident(*pid)).collect();
        }
    }

    /// So far, for so many pieces of work.
    pub fn costs(&self, number: usize) -> Vec<Cost> {
        let used = self.cpu.used();
        let cost = |(place, (name, pid)): (usize, &(&'static str, Pid))| Cost {
            name,
            each: each(used[place], number),
            before: self.memory[place],
            half: self.half.get(place).copied(),
            after: resident(*pid),
        };
        self.names.iter().enumerate().map(cost).collect()
    }
}

/// Of one process: processor time for a piece of work, resident memory before and after, in MB.
pub struct Cost {
    pub name: &'static str,
    pub each: Duration,
    pub before: f64,
    pub half: Option<f64>,
    pub after: f64,
}

/// For a table: what each used, in brackets how many times the base, and then its memory.
pub fn cost_cells(costs: &[Cost], base: Duration) -> [String; 2] {
    let used = |cost: &Cost| {
        let time = cost.each.as_secs_f64() * 1e6;
        format!("{} {time:.1} µs ({})", cost.name, ratio(cost.each, base))
    };
    let memory = |cost: &Cost| {
        let half = cost.half.map_or_else(String::new, |half| format!("{half:.1} → "));
        format!("{} {:.1} → {half}{:.1} MB", cost.name, cost.before, cost.after)
    };
    let join = |cells: Vec<String>| cells.join("; ");
    [
        join(costs.iter().map(used).collect()),
        join(costs.iter().map(memory).collect()),
    ]
}
