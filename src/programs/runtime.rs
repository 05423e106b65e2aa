//! One program at work: the machine, and around it the broker and the state file, whose answers it waits for
//! in one place.

mod screens;

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, never, select};

use crate::attach::Screens;
use crate::log::{Log, LogWriter, News};
use crate::machine::{Effect, Event, Machine, Role, Setup};
use crate::mqtt::{self, Broker, BrokerSettings, BrokerUrl, Exposure, Outgoing};
use crate::names::Names;
use crate::owner::Memory;
use crate::settings::{BrokerAccess, MonitorOptions};
use crate::storage::state_file::{StateFile, Written};
use crate::system::clock::Clock;
use crate::system::random;
use crate::text::words;
use crate::version::RunId;
use crate::wire::{self, Topic};
use screens::OtherScreens;

/// How long an end may take: what was being sent is finished in this time, or left.
const LEAVE: Duration = Duration::from_secs(2);

/// How long a broker keeps the session of an owner that is away. State does not rest on it: whatever is
/// queued there is older than what the owner publishes when it is back.
const OWNER_SESSION: Duration = Duration::from_secs(7 * 24 * 3600);

/// A display has another client id each time it starts, and so has an owner whose disk keeps none. Such a
/// session outlives a broken link, and is then forgotten: the broker would keep one for each start.
const NEW_SESSION: Duration = Duration::from_secs(600);

/// Something that ends the program other than its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Another owner of this card has been there for longer.
    Twin,
    /// Another owner of this card is at another broker, and heard across the bridge.
    Across,
    /// Another owner of this card was started to take over.
    TakenOver,
}

/// A program at work.
pub struct Runtime {
    /// It is large: moved from function to function, its copies would be half of the stack's memory.
    machine: Box<Machine>,
    clock: Clock,
    url: BrokerUrl,
    exposure: Exposure,
    broker: Broker,
    memories: Option<Sender<Box<Memory>>>,
    written: Receiver<Written>,
    /// What a person has to know of the state file, and whether a screen hides stderr until the end.
    warnings: Vec<String>,
    on_screen: bool,
    /// The screens of this owner in other processes.
    screens: Option<OtherScreens>,
    log: Option<LogWriter>,
    log_news: Receiver<News>,
}

impl Runtime {
    /// Starts an owner, from what its state file holds.
    ///
    /// # Errors
    /// Names the setting that can never work.
    pub fn monitor(
        options: &MonitorOptions,
        (state_file, memory): (StateFile, Result<Memory, String>),
        take_over: bool,
    ) -> Result<Self> {
        let role = Role::Monitor(options.card);
        let names = options.names.as_ref();
        let mut runtime = Self::start(role, memory, names, take_over, &options.access)?;
        let (memories, written) = state_file.writer();
        runtime.memories = Some(memories);
        runtime.written = written;
        Ok(runtime)
    }

    /// Starts a display.
    ///
    /// # Errors
    /// Names the setting that can never work.
    pub fn display(access: &BrokerAccess) -> Result<Self> {
        Self::start(Role::Display, Ok(Memory::default()), None, false, access)
    }

    fn start(
        role: Role,
        memory: Result<Memory, String>,
        names: Option<&Names>,
        takes_over: bool,
        access: &BrokerAccess,
    ) -> Result<Self> {
        let (url, exposure) = mqtt::permitted(access)?;
        let credentials = access.credentials()?;
        let clock = Clock::start();
        let life = RunId(random::u32()?);
        let remembered = memory.as_ref().ok().and_then(|memory| memory.client);
        let client = match remembered {
            Some(client) => client,
            None => random::u32()?,
        };
        let machine = boxed(Setup {
            role,
            client,
            life,
            memory,
            names: names.copied(),
            user: access.user.as_ref().map(|user| user.name.clone()),
            takes_over,
            started: clock.now(),
        });
        let broker = Broker::start(&BrokerSettings {
            url: url.clone(),
            client_id: machine.client_id().to_owned(),
            credentials,
            ca_file: access.ca_file.clone(),
            certificate: access.certificate.clone(),
            will: last_will(role, machine.marker(), life),
            session_expiry: match (role, remembered) {
                (Role::Monitor(_), Some(_)) => OWNER_SESSION,
                (Role::Monitor(_), None) | (Role::Display, _) => NEW_SESSION,
            },
            subscriptions: machine.subscriptions(),
        })?;
        Ok(Self {
            machine,
            clock,
            url,
            exposure,
            broker,
            memories: None,
            written: never(),
            warnings: Vec::new(),
            on_screen: false,
            screens: None,
            log: None,
            log_news: never(),
        })
    }

    /// From now on it is written down what happens.
    #[must_use]
    pub fn logged(mut self, log: Option<Log>) -> Self {
        if let Some(log) = log {
            self.log_news = log.news().clone();
            let mut writer = LogWriter::new(log);
            let now = self.clock.now();
            let text = format!(
                "version {} starts: process {}, broker {}",
                env!("CARGO_PKG_VERSION"),
                std::process::id(),
                self.url
            );
            writer.say(now.wall, &text);
            writer.machine(now.wall, &self.machine, &[]);
            self.log = Some(writer);
        }
        self
    }

    /// Whether a screen has the terminal: what is to be said on stderr waits until the end then. What the
    /// connection lacks stands on the screen all the time; otherwise it is said once.
    #[must_use]
    pub fn on_screen(self, on_screen: bool) -> Self {
        let mut runtime = Self { on_screen, ..self };
        if let Some(lacks) = runtime.exposure.words() {
            let text = format!(
                "the connection to {} is made with --insecure: {lacks}",
                runtime.url
            );
            if on_screen {
                runtime.log_warning(&text);
            } else {
                runtime.warn(text);
            }
        }
        runtime
    }

    /// Other processes may show this owner, and ask it for what a key does. Where that cannot be, it works
    /// alone, and says so.
    #[must_use]
    pub fn shared(mut self, screens: Result<Screens>) -> Self {
        match screens {
            Ok(screens) => self.screens = Some(OtherScreens::new(screens)),
            Err(why) => self.warn(format!("no other screen can show this program: {why:#}")),
        }
        self
    }

    fn log_warning(&mut self, text: &str) {
        let now = self.clock.now();
        if let Some(log) = &mut self.log {
            log.warn(now.wall, text);
        }
    }

    fn warn(&mut self, text: String) {
        self.log_warning(&text);
        let is_said = self.log.as_ref().is_some_and(|log| log.log().is_on_stderr());
        if self.on_screen {
            self.warnings.push(text);
        } else if !is_said {
            // Not `eprintln!`: it panics where stderr is gone.
            let _ = writeln!(io::stderr(), "{}: {text}", words::program(self.machine.role()));
        }
    }

    /// Makes the log file anew if it has been moved away.
    pub fn reopen_log(&self) {
        if let Some(log) = &self.log {
            log.log().reopen();
        }
    }

    /// Does not wait any longer before the next attempt to connect.
    pub fn retry(&mut self) {
        if !self.machine.chain().is_connected() {
            self.broker.retry();
        }
    }

    /// The program's state.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The broker's address.
    #[must_use]
    pub const fn url(&self) -> &BrokerUrl {
        &self.url
    }

    /// What the connection to it lacks.
    #[must_use]
    pub const fn exposure(&self) -> Exposure {
        self.exposure
    }

    /// The clocks that the machine is given.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Hands an event to the machine, and carries out what follows.
    pub fn feed(&mut self, event: Event) -> Option<Stop> {
        let mut stop = None;
        let now = self.clock.now();
        if let Some(log) = &mut self.log {
            log.event(now.wall, &event);
        }
        let effects = self.machine.handle(now, event);
        let sent = self.log.as_ref().map_or_else(Vec::new, |log| log.sent(&effects));
        // First: it takes microseconds. The threads that publish and write would have their turns before the
        // one that serves the screens, and whoever has pressed a key waits for it.
        if let Some(screens) = &mut self.screens {
            screens.show(&self.machine, self.clock.since_boot());
        }
        for effect in effects {
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    let message = Outgoing {
                        topic: topic.name(self.machine.marker()),
                        payload,
                        qos: topic.qos(),
                        retained: topic.is_retained(),
                    };
                    self.broker.publish(ticket, message);
                }
                Effect::Save(memory) => {
                    if let Some(memories) = &self.memories {
                        let _ = memories.send(memory);
                    }
                }
                Effect::StopForTwin if self.machine.is_at_other_board() => stop = Some(Stop::Across),
                Effect::StopForTwin => stop = Some(Stop::Twin),
                Effect::StopTakenOver => stop = Some(Stop::TakenOver),
            }
        }
        // Nobody waits for the log.
        if let Some(log) = &mut self.log {
            log.machine(now.wall, &self.machine, &sent);
        }
        stop
    }

    /// Waits until something has happened, takes it in, and says what the machine does not take care of.
    /// `others` is what else may happen.
    pub fn wait<T>(&mut self, others: &Receiver<T>, limit: Option<Duration>) -> Wakeup<T> {
        self.broker.take_in();
        let due = self.machine.deadline(self.clock.now().mono);
        let due = due.map(|moment| self.clock.until(moment)).into_iter();
        let due = due.chain(self.broker.due_in()).chain(limit).min();
        // What the broker has said waits for what else there is, not the other way round: it may be a flood.
        let wait = if self.broker.has_events() {
            Duration::ZERO
        } else {
            due.unwrap_or(Duration::MAX)
        };
        let no_screens = never();
        let screens = self.screens.as_ref().map_or(&no_screens, OtherScreens::requests);
        let event = select! {
            recv(others) -> other => match other {
                Ok(other) => return Wakeup::Other(other),
                Err(_) => return Wakeup::Closed,
            },
            recv(self.broker.signals()) -> signal => {
                if let Ok(signal) = signal {
                    self.broker.handle(signal);
                }
                match self.broker.next_event() {
                    Some(event) => event,
                    None => return Wakeup::Taken,
                }
            }
            recv(self.written) -> written => match written {
                Ok(Written::Saved) => {
                    if let Some(screens) = &mut self.screens {
                        screens.stay_in_place(true);
                    }
                    Event::Saved
                }
                Ok(Written::NotSaved(why)) => Event::NotSaved(why),
                Ok(Written::Warned(text)) => {
                    self.warn(text);
                    return Wakeup::Taken;
                }
                Ok(Written::Gone(why)) => Event::FileGone(why),
                Err(_) => {
                    self.written = never();
                    Event::NotSaved("the thread that writes the state file has ended".to_owned())
                }
            },
            recv(self.log_news) -> news => match news {
                Ok(Ok(())) => Event::LoggedAgain,
                Ok(Err(why)) => Event::NotLogged(why),
                Err(_) => {
                    self.log_news = never();
                    Event::NotLogged("the thread that writes the log file has ended".to_owned())
                }
            },
            recv(screens) -> word => {
                let Ok(word) = word else {
                    self.screens = None;
                    return Wakeup::Taken;
                };
                return self.heard(word).map_or(Wakeup::Taken, Wakeup::Stop);
            },
            default(wait) => if let Some(event) = self.broker.next_event() {
                event
            } else {
                if let Some(screens) = &mut self.screens {
                    screens.stay_in_place(false);
                }
                Event::Tick
            }
        };
        self.feed(event).map_or(Wakeup::Taken, Wakeup::Stop)
    }

    /// Whether the broker has said more than has been taken in.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.broker.has_events() || !self.broker.signals().is_empty()
    }

    /// Ends: what was being sent and written is finished first, within a limit.
    pub fn leave(mut self) -> Left {
        let by = self.clock.now().mono.after(LEAVE);
        self.feed(Event::Leave);
        let nothing_else = never::<()>();
        while !self.machine.is_settled() && self.clock.now().mono < by {
            let _ = self.wait(&nothing_else, Some(self.clock.until(by)));
        }
        if let Some(mut log) = self.log.take() {
            log.end(self.clock.now().wall, &self.machine);
        }
        let rest = self.clock.until(by).max(LEAVE / 8);
        self.broker.close(rest);
        let late = || "its disk has not answered in time".to_owned();
        let failure = self.machine.disk_failure().map(str::to_owned);
        Left {
            warnings: self.warnings,
            unsaved: (!self.machine.is_on_disk()).then(|| failure.unwrap_or_else(late)),
            machine: self.machine,
        }
    }
}

/// What a program leaves.
pub struct Left {
    /// Its last state.
    pub machine: Box<Machine>,
    /// Why not all of it is on disk; in words.
    pub unsaved: Option<String>,
    /// What is to be said of the state file once the screen is gone.
    pub warnings: Vec<String>,
}

/// What has happened.
#[derive(Debug)]
pub enum Wakeup<T> {
    /// Something that the machine has taken in.
    Taken,
    /// Something else that was waited for.
    Other(T),
    /// The machine wants the program to end.
    Stop(Stop),
    /// What was waited for says nothing any more: a thread has ended, or there is no owner to be shown.
    Closed,
}

// Not inlined, so that the caller's stack has no room for the machine.
#[inline(never)]
fn boxed(setup: Setup) -> Box<Machine> {
    Box::new(Machine::new(setup))
}

fn last_will(role: Role, marker: &str, life: RunId) -> Option<Outgoing> {
    let Role::Monitor(card) = role else { return None };
    let topic = Topic::Alive(card);
    Some(Outgoing {
        topic: topic.name(marker),
        payload: wire::encode_last_will(life),
        qos: topic.qos(),
        retained: topic.is_retained(),
    })
}
