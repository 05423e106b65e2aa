//! `--on-alarm`: a command that is run at each new alarm.
//!
//! A thread runs one command at a time and waits for its end, so nothing else does. What comes meanwhile
//! waits: the newest alarm of each sensor, of each card, and of what was KO at the start. So nine wait at the
//! most, and what is told late is not out of date.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use jiff::Timestamp;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::alarms::{Alarm, Alarms, Observed, Subject};
use crate::machine::{Event, Role};
use crate::names::Names;
use crate::programs::runtime::{Runtime, Stop};
use crate::sensor::{SensorId, State};
use crate::settings::AlarmCommand;
use crate::system::threads;
use crate::terminal::input::Input;
use crate::text::words::{self, Times};
use crate::text::zone::Zone;

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Variables that are meant for this process alone: what a command starts is not the service, and runs no
/// command at alarms of its own.
const NOT_INHERITED: [&str; 4] = [
    "DUALBOARD_ON_ALARM",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// What a command is told of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    /// What it is about, and the same for all alarms of which only the newest waits.
    subject: Subject,
    /// In words, for people who read that the command has failed.
    what: String,
    variables: Vec<(&'static str, String)>,
}

impl Facts {
    fn of(alarm: &Alarm, role: Role, times: &Times) -> Self {
        let list = |numbers: &mut dyn Iterator<Item = u8>| {
            let mut numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
            numbers.dedup();
            numbers.join(" ")
        };
        let held = "HELD";
        let ko = State::Ko.word();
        let (kind, sensors, cards, state) = match alarm.subject {
            Subject::Ko(sensor) => (
                "ko",
                sensor.number().to_string(),
                sensor.card().number().to_string(),
                ko,
            ),
            Subject::Lost(card) => ("lost", String::new(), card.number().to_string(), held),
            Subject::KoAtStart(sensors) => (
                "ko_at_start",
                list(&mut sensors.iter().map(SensorId::number)),
                list(&mut sensors.iter().map(|sensor| sensor.card().number())),
                ko,
            ),
        };
        let since = match alarm.subject {
            // How long these have been KO is not known here.
            Subject::KoAtStart(_) => String::new(),
            Subject::Ko(_) | Subject::Lost(_) => Timestamp::from_second(alarm.since.0)
                .map_or_else(|_| String::new(), |since| since.to_string()),
        };
        // Names come from the network, and may look like a command.
        let names = &Names::default();
        Self {
            subject: alarm.subject,
            what: words::alarm_subject(alarm.subject, names),
            variables: vec![
                ("DUALBOARD_ALARM", kind.to_owned()),
                ("DUALBOARD_SENSOR", sensors),
                ("DUALBOARD_CARD", cards),
                ("DUALBOARD_STATE", state.to_owned()),
                ("DUALBOARD_SINCE", since),
                ("DUALBOARD_PROGRAM", words::program(role).to_owned()),
                ("DUALBOARD_TEXT", words::alarm(alarm, names, times)),
            ],
        }
    }

    fn replaces(&self, other: &Self) -> bool {
        match (self.subject, other.subject) {
            (Subject::KoAtStart(_), Subject::KoAtStart(_)) => true,
            (one, other) => one == other,
        }
    }
}

/// The way to the thread that runs the command. Dropped, it ends the command that runs, and forgets the
/// alarms that wait.
pub struct OnAlarm {
    waiting: Arc<Mutex<Vec<Facts>>>,
    /// That there is something; without it the thread ends.
    call: Option<Sender<()>>,
    failures: Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

impl OnAlarm {
    /// Starts the thread. A failure of the command comes as [`Input::AlarmCommand`].
    ///
    /// # Errors
    /// Where the system denies the thread.
    pub fn start(command: &AlarmCommand, inputs: Sender<Input>) -> Result<Self> {
        Self::start_with(command, LIMIT, inputs)
    }

    fn start_with(command: &AlarmCommand, limit: Duration, inputs: Sender<Input>) -> Result<Self> {
        let waiting = Arc::new(Mutex::new(Vec::new()));
        let (call, calls) = bounded(1);
        let (outbox, failures) = unbounded();
        let (its_waiting, command) = (Arc::clone(&waiting), command.clone());
        let thread = threads::start("on-alarm", move || {
            while calls.recv().is_ok() {
                while let Some(facts) = next(&its_waiting) {
                    let Some(failure) = run(&command, &facts, limit, &calls) else {
                        continue;
                    };
                    let _ = outbox.send(format!("alarm command for {}: {failure}", facts.what));
                    let _ = inputs.send(Input::AlarmCommand);
                }
            }
        })
        .context("cannot start what --on-alarm needs")?;
        Ok(Self {
            waiting,
            call: Some(call),
            failures,
            thread: Some(thread),
        })
    }

    /// Runs the command for these alarms, one after the other, as soon as no other one runs.
    pub fn run<'a>(&self, alarms: impl Iterator<Item = &'a Alarm>, role: Role, times: &Times) {
        for alarm in alarms {
            self.enqueue(Facts::of(alarm, role, times));
        }
    }

    fn enqueue(&self, facts: Facts) {
        let mut waiting = lock(&self.waiting);
        waiting.retain(|other| !facts.replaces(other));
        waiting.push(facts);
        if let Some(call) = &self.call {
            // One call is enough.
            let _ = call.try_send(());
        }
    }

    /// Takes what has failed since the last time; in words.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        self.failures.try_iter()
    }
}

impl Drop for OnAlarm {
    fn drop(&mut self) {
        lock(&self.waiting).clear();
        self.call = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(waiting: &Mutex<Vec<Facts>>) -> MutexGuard<'_, Vec<Facts>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn next(waiting: &Mutex<Vec<Facts>>) -> Option<Facts> {
    let mut waiting = lock(waiting);
    (!waiting.is_empty()).then(|| waiting.remove(0))
}

/// Runs the command to its end, or to the limit, or until nobody calls any more. Gives what went wrong.
fn run(command: &AlarmCommand, facts: &Facts, limit: Duration, calls: &Receiver<()>) -> Option<String> {
    let mut child = match start(command, facts) {
        Ok(child) => child,
        Err(error) => return Some(format!("cannot be started: {error}")),
    };
    let group = Pid::from_child(&child);
    let failure = match end_of(group) {
        Err(error) => Some(format!("cannot be watched: {error}")),
        Ok(ended) => {
            let limit = crossbeam_channel::after(limit);
            loop {
                select! {
                    recv(ended) -> _ => break None,
                    recv(limit) -> _ => break Some("killed, it had not ended in time".to_owned()),
                    // An alarm that has to wait; or the end of the program.
                    recv(calls) -> call => if call.is_err() {
                        break Some("killed at the end of the program".to_owned());
                    },
                }
            }
        }
    };
    // It has not been waited for, so the number of the group is still its own. What it has left in the
    // background ends with it: otherwise there would be no bound.
    let _ = kill_process_group(group, Signal::KILL);
    match (failure, child.wait()) {
        (Some(failure), _) => Some(failure),
        (None, Ok(status)) => failed(status),
        // Started by something that ignores the ends of its children, it never learns their statuses.
        (None, Err(_)) => None,
    }
}

fn start(command: &AlarmCommand, facts: &Facts) -> io::Result<Child> {
    // The MQTT library leaves its sockets open for whatever is started. A command that kept one would keep
    // this program's connection alive after its end.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(&command.0);
    for name in NOT_INHERITED {
        shell.env_remove(name);
    }
    // Of signals the standard library and exec see to it that none is blocked or caught.
    shell
        .envs(facts.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own: no key and no stop that is meant for the program reaches it, and it can be
        // killed with all that it has started.
        .process_group(0)
        .spawn()
}

/// Closed when the process has ended. It is not waited for here: so its number cannot become another's.
fn end_of(process: Pid) -> io::Result<Receiver<()>> {
    let (sender, ended) = bounded(0);
    threads::start("alarm command", move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(process), options).is_err_and(|error| error == Errno::INTR) {}
        drop::<Sender<()>>(sender);
    })?;
    Ok(ended)
}

/// What is wrong with this status, if anything is.
fn failed(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        // What a shell says of a command that it cannot run.
        (Some(127), _) => Some("exit status 127, not found".to_owned()),
        (Some(126), _) => Some("exit status 126, cannot be run".to_owned()),
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(signal)) => Some(format!("ended by signal {signal}")),
        (None, None) => Some(status.to_string()),
    }
}

/// What a program without a screen does at alarms.
pub(super) struct AlarmWatch {
    alarms: Alarms,
    on_alarm: OnAlarm,
    zone: Zone,
}

impl AlarmWatch {
    /// Nothing has been seen yet; `None` where nothing is to be done.
    pub(super) fn start(command: Option<&AlarmCommand>, inputs: Sender<Input>) -> Result<Option<Self>> {
        let start = |command| {
            Ok(Self {
                alarms: Alarms::default(),
                on_alarm: OnAlarm::start(command, inputs)?,
                zone: Zone::of_machine(),
            })
        };
        command.map(start).transpose()
    }

    /// Looks at the program after an event.
    pub(super) fn look(&mut self, runtime: &mut Runtime) -> Option<Stop> {
        let (now, view) = (runtime.clock().now(), runtime.machine().view());
        let before = self.alarms.seen();
        // There is no bell here.
        let _ = self.alarms.look(now.wall, Observed::of(&view));
        let times = Times::new(self.zone.at(now.mono), now.wall);
        self.on_alarm
            .run(self.alarms.raised_after(before), view.role, &times);
        // Nobody acknowledges here, and nothing is shown: what has been told is done with.
        self.alarms.acknowledge(self.alarms.seen());
        let failures: Vec<String> = self.on_alarm.failures().collect();
        let stops = failures
            .into_iter()
            .map(|failure| runtime.feed(Event::AlarmCommandFailed(failure)));
        stops.fold(None, Option::or)
    }
}

#[cfg(test)]
mod tests;
