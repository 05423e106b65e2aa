//! A screen of an owner that runs in another process. It owns nothing: when the owner ends, or does not
//! answer any more, it says so, shows what it knew last, and waits for the next one, or for an answer. When
//! the next one is of another version, it ends: no later one would be of this.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Receiver, bounded, never, select};

use crate::attach::{self, Asked, MOST_ASKED, NotAttached, OwnerLink, REQUEST_LIVES, Reply, Request};
use crate::command::{Answer, Change, Changes, Command, Name};
use crate::event_log::{EventLog, Fact};
use crate::mqtt::Exposure;
use crate::programs::runtime::{Stop, Wakeup};
use crate::programs::source::{Source, THREAD_ENDED};
use crate::sensor::{Card, PerSensor, SensorId};
use crate::storage::lock;
use crate::system::clock::Clock;
use crate::system::{random, threads};
use crate::terminal::input::Input;
use crate::text::words;
use crate::time::{Mono, Now, Wall};
use crate::ui::controls::Absence;
use crate::ui::view::Elsewhere;
use crate::version::Dot;
use crate::view::View;

/// Between two looks whether there is an owner again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long the first view may take: the owner has said hello by then.
const FIRST_VIEW: Duration = Duration::from_secs(5);

/// So often an owner is asked whether it is alive: one that is stopped, or hangs, says nothing.
const QUESTION: Duration = Duration::from_secs(5);

/// How long it may take for the answer, which is a few microseconds' work.
const SILENCE: Duration = Duration::from_secs(8);

/// How long a key waits for the view that follows it. Then the mark of the press and the new state are one
/// picture, as on the owner's own screen; two would take longer to draw.
const ONE_PICTURE: Duration = Duration::from_millis(10);

/// A screen of an owner elsewhere.
pub struct AttachedScreen {
    folder: Arc<Path>,
    card: Card,
    clock: Clock,
    owner: Option<OwnerLink>,
    /// The next owner, once there is one; or why none will ever do.
    next: Receiver<Result<OwnerLink, NotAttached>>,
    /// Why none did.
    closed: Option<NotAttached>,
    url: String,
    exposure: Exposure,
    view: View,
    /// What has happened in this process, and is of no concern to the owner.
    own_events: EventLog,
    elsewhere: Elsewhere,
    /// Who asks.
    operator: Option<Name>,
    /// The command that was given here, and how far it has got.
    command: Option<(u64, Option<Answer>)>,
    /// The number of the last request. The first is drawn: no two screens have the same.
    last: u64,
    /// What the operator asked for and has not been answered. An owner that is back is asked for all of it.
    unanswered: Vec<Unanswered>,
    /// The last question, if it has not been answered.
    question: Option<Request>,
    /// When it was asked.
    questioned: Now,
}

struct Unanswered {
    request: Request,
    since: Mono,
    is_sent: bool,
}

impl AttachedScreen {
    /// A screen of this name, of the owner that has this state folder.
    ///
    /// # Errors
    /// Says why there can be none. The outer error is of this machine.
    pub fn of(folder: &Path, card: Card, operator: Option<Name>) -> Result<Result<Self, NotAttached>> {
        let clock = Clock::start();
        let owner = match OwnerLink::to(folder, card) {
            Ok(owner) => owner,
            Err(why) => return Ok(Err(why)),
        };
        let Ok(view) = owner.views().recv_timeout(FIRST_VIEW) else {
            return Ok(Err(NotAttached::Silent(folder.display().to_string())));
        };
        Ok(Ok(Self {
            folder: folder.into(),
            card,
            clock,
            url: owner.hello().url.clone(),
            exposure: owner.hello().exposure,
            elsewhere: elsewhere(&owner),
            view: *view,
            own_events: EventLog::default(),
            owner: Some(owner),
            next: never(),
            closed: None,
            operator,
            command: None,
            last: random::u64()?,
            unanswered: Vec::new(),
            question: None,
            questioned: clock.now(),
        }))
    }

    fn request(&mut self, what: Asked) -> Request {
        self.last = self.last.wrapping_add(1);
        Request {
            id: self.last,
            by: self.operator,
            made: self.clock.since_boot(),
            what,
        }
    }

    fn ask(&mut self, request: Request) {
        let since = self.clock.now().mono;
        self.unanswered.push(Unanswered {
            request,
            since,
            is_sent: false,
        });
        self.send();
    }

    /// Sends what has not been sent. An owner that reads nothing would hold up this screen: no more waits for
    /// it than there is surely room for.
    fn send(&mut self) {
        let Some(owner) = &self.owner else { return };
        let first = self.unanswered.iter_mut().take(MOST_ASKED);
        for unanswered in first.filter(|unanswered| !unanswered.is_sent) {
            // Where that fails the owner has ended, which is told by the end of its views.
            let _ = owner.ask(unanswered.request);
            unanswered.is_sent = true;
        }
    }

    /// Forgets what nobody expects any more. What has been seen stays seen.
    fn forget(&mut self) {
        let now = self.clock.now().mono;
        self.unanswered.retain(|Unanswered { request, since, .. }| {
            now < since.after(REQUEST_LIVES) || matches!(request.what, Asked::Acknowledge(_))
        });
    }

    /// Gives whether there is something to see of it.
    fn replied(&mut self, reply: Reply) -> bool {
        match reply {
            Reply::Changed(answer) => {
                for Unanswered { request, .. } in &mut self.unanswered {
                    if let Asked::Change(changes) = &mut request.what
                        && request.id == answer.id
                    {
                        *changes = attach::made(changes, &answer);
                    }
                }
                let command = self.command.as_mut().filter(|(id, _)| *id == answer.id);
                command.map(|(_, reached)| *reached = Some(answer)).is_some()
            }
            Reply::Done(id) => {
                self.done(id);
                false
            }
        }
    }

    fn done(&mut self, id: u64) {
        if let Some(question) = self.question.take_if(|question| question.id == id) {
            // What it has shown before its silence is not what it would show now.
            if self.is_silent() && question.what == Asked::Answer {
                self.question(Asked::View);
            }
        } else {
            self.unanswered.retain(|unanswered| unanswered.request.id != id);
            self.send();
        }
    }

    /// Asks whether the owner is alive, or finds that it is not.
    fn check(&mut self) {
        if self.clock.now().mono < self.next_check() || self.is_silent() {
            return;
        }
        match self.question {
            None => self.question(Asked::Answer),
            Some(_) => self.absent(Absence::Silent, self.questioned.wall),
        }
    }

    fn next_check(&self) -> Mono {
        let wait = if self.question.is_some() {
            SILENCE
        } else {
            QUESTION
        };
        self.questioned.mono.after(wait)
    }

    fn question(&mut self, what: Asked) {
        let request = self.request(what);
        self.question = Some(request);
        self.questioned = self.clock.now();
        if let Some(owner) = &self.owner {
            let _ = owner.ask(request);
        }
    }

    fn is_silent(&self) -> bool {
        matches!(self.elsewhere.absence, Some((Absence::Silent, _)))
    }

    fn absent(&mut self, absence: Absence, since: Wall) {
        // What is not live since an earlier moment stays so.
        if self.elsewhere.absence.is_none() {
            self.view = self.view.clone().left_behind(since);
        }
        self.elsewhere.absence = Some((absence, since));
    }

    fn shown(&mut self, view: View) {
        self.view = view;
        self.elsewhere.absence = None;
    }

    /// The owner has ended.
    fn lost(&mut self) {
        if let Some(owner) = self.owner.take() {
            // Its last words.
            for reply in owner.replies().try_iter() {
                self.replied(reply);
            }
            if let Ok(view) = owner.views().try_recv() {
                self.shown(*view);
            }
        }
        let may_run = lock::may_take(&self.folder, self.card);
        self.absent(Absence::Ended { may_run }, self.clock.now().wall);
        self.question = None;
        for unanswered in &mut self.unanswered {
            unanswered.is_sent = false;
        }
        let (sender, next) = bounded(1);
        // Without the screen nobody looks any more.
        let (folder, card) = (Arc::downgrade(&self.folder), self.card);
        self.next = next;
        threads::spawn("next owner", move || {
            loop {
                std::thread::park_timeout(LOOK_AGAIN);
                let Some(folder) = folder.upgrade() else { return };
                let owner = OwnerLink::to(&folder, card);
                // After an upgrade: a screen that waited for its own version would wait for ever.
                if matches!(owner, Ok(_) | Err(NotAttached::OtherVersion(_))) {
                    let _ = sender.send(owner);
                    return;
                }
            }
        });
    }

    /// There is an owner again.
    fn found(&mut self, owner: OwnerLink) {
        self.elsewhere = elsewhere(&owner);
        self.url.clone_from(&owner.hello().url);
        self.exposure = owner.hello().exposure;
        self.owner = Some(owner);
        self.next = never();
        self.question(Asked::Answer);
        self.forget();
        self.send();
    }
}

fn elsewhere(owner: &OwnerLink) -> Elsewhere {
    let hello = owner.hello();
    Elsewhere {
        place: format!(
            "process {}, {}",
            hello.pid,
            hello.place.trim_start_matches("/dev/")
        ),
        absence: None,
    }
}

impl Source for AttachedScreen {
    fn view(&self) -> View {
        let mut view = self.view.clone();
        if self.own_events.noted() > 0 {
            view.event_log = Arc::new(view.event_log.joined(&self.own_events));
        }
        view
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    fn exposure(&self) -> Exposure {
        self.exposure
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    fn elsewhere(&self) -> Option<&Elsewhere> {
        Some(&self.elsewhere)
    }

    fn wait(&mut self, inputs: &Receiver<Input>, limit: Option<Duration>) -> Wakeup<Input> {
        let until = limit.map_or_else(never, crossbeam_channel::after);
        loop {
            let (no_views, no_replies) = (never(), never());
            let (views, replies) = self
                .owner
                .as_ref()
                .map_or((&no_views, &no_replies), |owner| (owner.views(), owner.replies()));
            let check = match &self.owner {
                Some(_) if !self.is_silent() => crossbeam_channel::after(self.clock.until(self.next_check())),
                _ => never(),
            };
            select! {
                recv(inputs) -> input => return input.map_or(Wakeup::Closed, Wakeup::Other),
                recv(views) -> view => match view {
                    Ok(view) => self.shown(*view),
                    Err(_) => self.lost(),
                },
                recv(replies) -> reply => match reply {
                    Ok(reply) => if !self.replied(reply) {
                        continue;
                    }
                    Err(_) => self.lost(),
                },
                recv(self.next) -> owner => match owner {
                    Ok(Ok(owner)) => self.found(owner),
                    Ok(Err(why)) => {
                        self.closed = Some(why);
                        return Wakeup::Closed;
                    }
                    Err(_) => self.next = never(),
                },
                recv(check) -> _ => {
                    self.forget();
                    self.check();
                    if !self.is_silent() {
                        continue;
                    }
                }
                recv(until) -> _ => {}
            }
            return Wakeup::Taken;
        }
    }

    fn why_closed(&self) -> String {
        let Some(why) = &self.closed else {
            return THREAD_ENDED.to_owned();
        };
        let program = words::owner(self.card);
        let kept = if self.unanswered.is_empty() {
            "no key press was lost"
        } else {
            "what was pressed last may not have been done: look at the sensors"
        };
        format!("{program} was upgraded: {why}; {kept}; start this screen again")
    }

    fn has_more(&self) -> bool {
        // The owner sends the latest view only.
        false
    }

    fn toggle(&mut self, sensor: SensorId) -> Option<Stop> {
        let mut changes = Changes::default();
        changes.put(sensor, Some(Change::Toggle));
        let request = self.request(Asked::Change(changes));
        self.ask(request);
        let view = self
            .owner
            .as_ref()
            .and_then(|owner| owner.views().recv_timeout(ONE_PICTURE).ok());
        if let Some(view) = view {
            self.shown(*view);
        }
        None
    }

    fn acknowledge(&mut self, alarms: PerSensor<Option<Dot>>, by: Option<Name>) -> Option<Stop> {
        // What the operator has seen by now goes for what was seen before.
        self.unanswered
            .retain(|unanswered| !matches!(unanswered.request.what, Asked::Acknowledge(_)));
        let request = self.request(Asked::Acknowledge(alarms));
        self.ask(Request { by, ..request });
        None
    }

    fn command(&mut self, Command { id, by, changes }: Command) -> Option<Stop> {
        let request = self.request(Asked::Change(changes));
        let id = id.unwrap_or(request.id);
        self.command = Some((id, None));
        self.ask(Request { id, by, ..request });
        None
    }

    fn answer(&self, id: u64) -> Option<Answer> {
        let (given, reached) = self.command?;
        reached.filter(|_| given == id)
    }

    fn publish(&mut self) -> Option<Stop> {
        let request = self.request(Asked::Publish);
        self.ask(request);
        None
    }

    fn retry(&mut self) {
        if self.elsewhere.absence.is_none() && !self.view.links.is_connected() {
            let request = self.request(Asked::Retry);
            self.ask(request);
        }
    }

    fn alarm_command_failed(&mut self, why: String) -> Option<Stop> {
        let now = self.clock.now().wall;
        self.own_events.note(now, Fact::AlarmCommandFailed(why));
        None
    }

    fn reopen_log(&self) {}
}
