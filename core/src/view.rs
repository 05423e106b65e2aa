//! What there is to see of a program, as one plain value: whoever draws it, prints it or sends it to another
//! process needs nothing else of the machine.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::acknowledged::Acknowledgement;
use crate::chain::{Chain, Connection, Link, Status, Watched};
use crate::event_log::EventLog;
use crate::lack::Lack;
use crate::machine::{Freshness, Machine, Role};
use crate::names::Names;
use crate::reading::Ko;
use crate::sensor::{Card, PerCard, PerSensor, SensorId, State};
use crate::stage::Stage;
use crate::time::Wall;
use crate::version::Dot;

/// What there is to see of a program at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// What the program is there for.
    pub role: Role,
    /// When it started.
    pub started: Wall,
    /// Whether its first restore has ended.
    pub is_restored: bool,
    /// What is known of each sensor; `None` is UNKNOWN.
    pub sensors: PerSensor<Option<SensorView>>,
    /// What the sensors are called, as far as their owners say so.
    pub names: Names,
    /// Whether each card's values are live. An owner's own are always: it is the source.
    pub freshness: PerCard<Freshness>,
    /// The links between the sources and the program.
    pub links: Links,
    /// What the broker keeps from the program, if anything; the worst of it.
    pub lack: Option<Lack>,
    /// Why the state file cannot be written, if so; in words.
    pub disk_failure: Option<String>,
    /// The last events. Shared with the machine, which copies it at the next event: nearly all of the size is
    /// here.
    pub event_log: Arc<EventLog>,
}

/// What is known of a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorView {
    /// Its state.
    pub state: State,
    /// When that changed, as far as its owner said so.
    pub changed: Option<Wall>,
    /// How far it has got; of an own sensor only.
    pub stage: Option<Stage>,
    /// The last time that it was KO, as far as its owner said so.
    pub alarm: Option<AlarmView>,
}

/// The last time that a sensor was KO: an alarm, until somebody has acknowledged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmView {
    /// Which alarm, and from when until when.
    pub ko: Ko,
    /// Who acknowledged it; `None` if nobody has.
    pub acknowledged: Option<Acknowledgement>,
    /// How far the acknowledgement has got, as far as this program can tell.
    pub stage: Option<Stage>,
    /// Whether it stays on this display, whose user may not tell the owner.
    pub is_here_only: bool,
}

impl SensorView {
    /// The alarm, if nobody has acknowledged it.
    #[must_use]
    pub fn open_alarm(&self) -> Option<Ko> {
        let alarm = self.alarm.filter(|alarm| alarm.acknowledged.is_none())?;
        Some(alarm.ko)
    }
}

/// The links between the sources and a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The board whose broker the program is connected to.
    pub home: Card,
    /// The connection to it.
    pub connection: Connection,
    /// The bridge to the other board's broker.
    pub bridge: LinkState,
    /// The owner of each card.
    pub owners: PerCard<LinkState>,
}

/// What was concluded of something that gives proof of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// Whether it is up, and since when.
    pub status: Status,
    /// Whether it was said to have ended, by itself or by its broker.
    pub is_ended: bool,
}

impl View {
    pub(crate) fn of(machine: &Machine) -> Self {
        Self {
            role: machine.role(),
            started: machine.started().wall,
            is_restored: machine.is_restored(),
            sensors: PerSensor::from_fn(|sensor| {
                machine.shown(sensor).map(|shown| SensorView {
                    state: shown.state(),
                    changed: shown.changed(),
                    stage: machine.stage(sensor),
                    alarm: AlarmView::of(machine, sensor),
                })
            }),
            names: *machine.names(),
            freshness: machine.freshness,
            links: Links::of(machine.chain()),
            lack: machine.lack().cloned(),
            disk_failure: machine.disk_failure().map(ToOwned::to_owned),
            event_log: Arc::clone(&machine.event_log),
        }
    }

    /// What is left of it when the program has gone: its states, as they were last known at this moment.
    #[must_use]
    pub fn left_behind(mut self, now: Wall) -> Self {
        for sensor in SensorId::ALL {
            if let Some(seen) = &mut self.sensors[sensor] {
                seen.stage = None;
                if let Some(alarm) = &mut seen.alarm {
                    alarm.stage = None;
                }
            }
        }
        let held = Freshness::Held {
            since: now,
            broken: Link::Broker,
        };
        let unseen = LinkState {
            status: Status::Waiting,
            is_ended: false,
        };
        self.freshness = PerCard::from_fn(|_| held);
        self.links.connection = Connection::Trying;
        self.links.bridge = unseen;
        self.links.owners = PerCard::from_fn(|_| unseen);
        self.lack = None;
        self.disk_failure = None;
        self
    }

    /// The state of a sensor; `None` is UNKNOWN.
    #[must_use]
    pub fn state(&self, sensor: SensorId) -> Option<State> {
        self.sensors[sensor].map(|seen| seen.state)
    }

    /// The alarms that nobody has acknowledged.
    #[must_use]
    pub fn open_alarms(&self) -> PerSensor<Option<Dot>> {
        PerSensor::from_fn(|sensor| Some(self.sensors[sensor]?.open_alarm()?.dot))
    }

    /// Since when a card's values are held, if they are and that is known. What has not been live since the
    /// program started has been held for longer than it knows.
    #[must_use]
    pub fn held_since(&self, card: Card) -> Option<Wall> {
        match self.freshness[card] {
            Freshness::Held { since, .. } if since != self.started => Some(since),
            Freshness::Held { .. } | Freshness::Live => None,
        }
    }
}

impl AlarmView {
    fn of(machine: &Machine, sensor: SensorId) -> Option<Self> {
        let ko = machine.alarm(sensor)?;
        let (acknowledged, stage) = machine.acknowledgement(sensor, ko.dot).unzip();
        let stage = stage.flatten();
        Some(Self {
            ko,
            acknowledged,
            stage,
            is_here_only: machine.is_acknowledged_here_only(sensor, ko.dot),
        })
    }
}

impl Links {
    fn of(chain: &Chain) -> Self {
        Self {
            home: chain.home,
            connection: chain.connection.clone(),
            bridge: LinkState::of(&chain.bridge),
            owners: PerCard::from_fn(|card| LinkState::of(chain.owner(card))),
        }
    }

    /// Whether the program's broker can be spoken to.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self.connection, Connection::Up { .. })
    }
}

impl LinkState {
    const fn of(watched: &Watched) -> Self {
        Self {
            status: watched.status(),
            is_ended: watched.pulse.is_ended(),
        }
    }
}
