//! On which cores everything runs.

use std::fs;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// All threads of this process on one core, and so everything that it starts; as before when it is dropped.
pub struct Pinned(CpuSet);

impl Pinned {
    pub fn to_one_core() -> Self {
        let before = sched_getaffinity(None).expect("the cores of this process");
        let first = (0..CpuSet::MAX_CPU).find(|core| before.is_set(*core));
        let mut one = CpuSet::new();
        one.set(first.expect("a core"));
        set_all(&one);
        Self(before)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        set_all(&self.0);
    }
}

/// How many there are for this process.
pub fn cores() -> u32 {
    sched_getaffinity(None).map_or(1, |cores| cores.count())
}

fn set_all(cores: &CpuSet) {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc").flatten();
    for task in tasks {
        let id = task.file_name().to_str().and_then(|id| id.parse().ok());
        // A thread may have ended meanwhile.
        let _ = sched_setaffinity(id.and_then(Pid::from_raw), cores);
    }
}
