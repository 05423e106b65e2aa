//! A screen of an owner that runs in another process. It owns nothing: when the owner ends it says so, shows
//! what it knew last, and waits for the next one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Receiver, bounded, never, select};

use crate::attach::{Asked, Attached, NotAttached, Request};
use crate::command::Name;
use crate::programs::runtime::{Stop, Wakeup};
use crate::programs::source::Source;
use crate::sensor::{Card, SensorId};
use crate::system::clock::Clock;
use crate::system::{random, threads};
use crate::terminal::input::Input;
use crate::time::Mono;
use crate::ui::view::Elsewhere;
use crate::view::View;

/// Between two looks whether there is an owner again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long an owner that holds its lock may take until it listens.
const BEGIN: Duration = Duration::from_secs(2);

/// Between two looks whether it does.
const GLANCE: Duration = Duration::from_millis(20);

/// How long the first view may take: the owner has said hello by then.
const FIRST_VIEW: Duration = Duration::from_secs(5);

/// A request that has not been answered is made again to an owner that is back within this time. Later nobody
/// would expect it.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// A screen of an owner elsewhere.
pub struct AttachedScreen {
    folder: PathBuf,
    card: Card,
    clock: Clock,
    owner: Option<Attached>,
    /// The next owner, once there is one.
    next: Receiver<Attached>,
    url: String,
    view: View,
    elsewhere: Elsewhere,
    /// Which screen this is.
    name: Option<Name>,
    /// The number of the last request. The first is drawn: no two screens have the same.
    last: u64,
    unanswered: Vec<(Request, Mono)>,
}

impl AttachedScreen {
    /// A screen of the owner that has this state folder.
    ///
    /// # Errors
    /// Says why there can be none. The outer error is of this machine.
    pub fn of(folder: &Path, card: Card) -> Result<Result<Self, NotAttached>> {
        let clock = Clock::start();
        let owner = loop {
            match Attached::to(folder, card) {
                Ok(owner) => break owner,
                // It has just been started, or its folder was moved and is being made again.
                Err(NotAttached::Nobody(_)) if clock.now().mono < Mono::ZERO.after(BEGIN) => {
                    std::thread::park_timeout(GLANCE);
                }
                Err(why) => return Ok(Err(why)),
            }
        };
        let Ok(view) = owner.views().recv_timeout(FIRST_VIEW) else {
            return Ok(Err(NotAttached::Silent(folder.display().to_string())));
        };
        let terminal = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new());
        let name = terminal.ok().and_then(|name| {
            let name = name.to_string_lossy().into_owned();
            Name::new(&format!("screen on {}", name.trim_start_matches("/dev/")))
        });
        Ok(Ok(Self {
            folder: folder.to_owned(),
            card,
            clock,
            url: owner.hello().url.clone(),
            elsewhere: elsewhere(&owner),
            view: *view,
            owner: Some(owner),
            next: never(),
            name,
            last: random::u64()?,
            unanswered: Vec::new(),
        }))
    }

    fn ask(&mut self, what: Asked) {
        self.last = self.last.wrapping_add(1);
        let request = Request {
            id: self.last,
            by: self.name,
            what,
        };
        self.unanswered.push((request, self.clock.now().mono));
        // Where that fails the owner has ended, which is told by the end of its views.
        if let Some(owner) = &self.owner {
            let _ = owner.ask(request);
        }
    }

    /// The owner has ended.
    fn lost(&mut self) {
        let now = self.clock.now().wall;
        self.owner = None;
        self.view = self.view.clone().left_behind(now);
        self.elsewhere.ended = Some(now);
        let (sender, next) = bounded(1);
        let (folder, card) = (self.folder.clone(), self.card);
        self.next = next;
        threads::spawn("next owner", move || {
            loop {
                std::thread::park_timeout(LOOK_AGAIN);
                if let Ok(owner) = Attached::to(&folder, card) {
                    let _ = sender.send(owner);
                    return;
                }
            }
        });
    }

    /// There is an owner again.
    fn found(&mut self, owner: Attached) {
        self.elsewhere = elsewhere(&owner);
        self.url.clone_from(&owner.hello().url);
        let now = self.clock.now().mono;
        self.unanswered.retain(|(_, asked)| now < asked.after(ASK_AGAIN));
        for (request, _) in &self.unanswered {
            let _ = owner.ask(*request);
        }
        self.owner = Some(owner);
        self.next = never();
    }
}

fn elsewhere(owner: &Attached) -> Elsewhere {
    let hello = owner.hello();
    Elsewhere {
        place: format!(
            "process {}, {}",
            hello.pid,
            hello.place.trim_start_matches("/dev/")
        ),
        ended: None,
    }
}

impl Source for AttachedScreen {
    fn view(&self) -> View {
        self.view.clone()
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    fn elsewhere(&self) -> Option<&Elsewhere> {
        Some(&self.elsewhere)
    }

    fn wait(&mut self, inputs: &Receiver<Input>, limit: Option<Duration>) -> Wakeup<Input> {
        let timer = limit.map_or_else(never, crossbeam_channel::after);
        let none = never();
        let views = self.owner.as_ref().map_or(&none, Attached::views);
        select! {
            recv(inputs) -> input => return input.map_or(Wakeup::Closed, Wakeup::Other),
            recv(views) -> view => match view {
                Ok(view) => self.view = *view,
                Err(_) => self.lost(),
            },
            recv(self.next) -> owner => if let Ok(owner) = owner {
                self.found(owner);
            },
            recv(timer) -> _ => {}
        }
        if let Some(owner) = &self.owner {
            for id in owner.done() {
                self.unanswered.retain(|(request, _)| request.id != id);
            }
        }
        Wakeup::Taken
    }

    fn toggle(&mut self, sensor: SensorId) -> Option<Stop> {
        self.ask(Asked::Toggle(sensor));
        None
    }

    fn publish(&mut self) -> Option<Stop> {
        self.ask(Asked::Publish);
        None
    }

    fn retry(&self) {}

    fn reopen_log(&self) {}
}
