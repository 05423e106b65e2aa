//! The only reader of `/proc`: what the system says of a process.
//!
//! The crate `procfs` would be three more crates of 15,000 lines, for Linux only, that refuse a file as a
//! whole if any of its fields is strange.

use rustix::process::getpid;

/// A process among the others.
///
/// Numbers are as the system says them, and not `rustix::process::Pid`, which cannot be 0: a parent or group
/// is 0 where it is in a PID namespace outside of ours, as for the first process of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Whose child it is.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// `R` runs, `S` sleeps, `T` and `t` are stopped. `None` where the system does not tell.
    pub state: Option<char>,
    /// Its processor time so far, in ticks.
    pub ticks: Option<u64>,
    /// When it was started, in ticks since the system was: another process may have the same number later.
    pub started: Option<u64>,
}

impl Process {
    /// The process of this number, if there is one.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The process of this number, if there is one: only of this process is the parent known here.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        use rustix::process::{Pid, getpgid, getppid, getsid};

        let process = Pid::from_raw(pid)?;
        let parent = getppid().filter(|_| pid == own_pid());
        let number = |process: Pid| process.as_raw_nonzero().get();
        Some(Self {
            parent: parent.map_or(0, number),
            group: getpgid(Some(process)).map(number).ok()?,
            session: getsid(Some(process)).map(number).ok()?,
            state: None,
            ticks: None,
            started: None,
        })
    }

    /// "pid (name) state parent group session …": the name may hold anything, so fields are counted behind
    /// it.
    #[cfg(any(target_os = "linux", test))]
    fn parse(stat: &str) -> Option<Self> {
        let (_, after_name) = stat.rsplit_once(')')?;
        let fields: Vec<_> = after_name.split_whitespace().collect();
        let number = |place: usize| fields.get(place)?.parse().ok();
        let count = |place: usize| fields.get(place)?.parse::<u64>().ok();
        Some(Self {
            parent: number(1)?,
            group: number(2)?,
            session: number(3)?,
            state: fields.first()?.chars().next(),
            ticks: count(11).zip(count(12)).map(|(user, system)| user + system),
            started: count(19),
        })
    }
}

/// Whether a process has this group beside its own one; also `false` where the system does not tell.
#[must_use]
pub fn has_group(pid: i32, group: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:"));
    groups.is_some_and(|groups| groups.split_whitespace().any(|one| one.parse() == Ok(group)))
}

/// What a process does with signals: a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalMasks {
    caught: u64,
    ignored: u64,
}

impl SignalMasks {
    /// Those of the process of this number; `None` where there is none, or the system does not tell.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let mask = |name| {
            let mask = status.lines().find_map(|line| line.strip_prefix(name))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        };
        Some(Self {
            caught: mask("SigCgt:")?,
            ignored: mask("SigIgn:")?,
        })
    }

    /// Whether it has a handler for this signal.
    #[must_use]
    pub const fn catches(self, signal: i32) -> bool {
        self.caught & (1 << (signal - 1)) != 0
    }

    /// Whether it ignores this signal.
    #[must_use]
    pub const fn ignores(self, signal: i32) -> bool {
        self.ignored & (1 << (signal - 1)) != 0
    }
}

/// The service that this process is, as `systemctl stop` takes it: only if the manager says that it has
/// started this very process, since those that a service has started are in its control group, too.
#[must_use]
pub fn own_unit() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "what the service manager says of this process"
    )]
    let started = std::env::var("SYSTEMD_EXEC_PID").ok()?;
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    unit(&groups).filter(|_| started == own_pid().to_string())
}

/// `0::/system.slice/NAME.service`; a user's own manager is a service itself, and has its services below.
fn unit(groups: &str) -> Option<String> {
    let path = groups.lines().find(|line| line.ends_with(".service"))?;
    let (above, name) = path.rsplit_once('/')?;
    let of_user = above.contains("/user@");
    Some(if of_user {
        format!("--user {name}")
    } else {
        name.to_owned()
    })
}

/// The number of this process.
pub(crate) fn own_pid() -> i32 {
    getpid().as_raw_nonzero().get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_a_name_that_looks_like_fields() {
        let stat = "42 (a) S 9 9 9) T 1 2 3 0 -1 0 0 0 0 0 5 7 0 0 20 0 1 0 99 0\n";
        let expected = Process {
            parent: 1,
            group: 2,
            session: 3,
            state: Some('T'),
            ticks: Some(12),
            started: Some(99),
        };
        assert_eq!(Process::parse(stat), Some(expected));
    }

    #[test]
    fn a_line_that_is_cut_off_is_no_process() {
        for stat in ["", "42 (a", "42 (a)", "42 (a) S 1 2"] {
            assert_eq!(Process::parse(stat), None, "{stat}");
        }
    }

    #[test]
    fn a_service_is_the_last_of_its_control_groups() {
        for (groups, expected) in [
            (
                "0::/system.slice/dualboard-card1.service\n",
                Some("dualboard-card1.service"),
            ),
            (
                "12:pids:/x\n1:name=systemd:/system.slice/a.service\n0::/x\n",
                Some("a.service"),
            ),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n",
                Some("--user a.service"),
            ),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", None),
            ("0::/\n", None),
            ("", None),
        ] {
            assert_eq!(unit(groups).as_deref(), expected, "{groups}");
        }
    }

    #[test]
    fn this_process_is_found_and_runs() {
        let this = Process::of(own_pid()).expect("it runs");
        assert!(this.ticks.is_some() || cfg!(not(target_os = "linux")));
        // Not the group: it is 0 where the leader is outside of this process's PID namespace.
        let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
        assert_eq!(this.parent, parent);
    }
}
