//! A broker: retained messages, sessions with queues, wills, and what of it is on disk.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::Hooks;
use super::payload::{Image, NamesSaid, image_of, names_in};
use super::world::{BOARD2, Scheduled, World};

/// A published message.
#[derive(Clone)]
pub struct PublishPacket {
    pub topic: Rc<str>,
    pub payload: Rc<[u8]>,
    pub qos: u8,
    pub retain: bool,
    pub image: Image,
    /// Read when it is asked for: the judge looks at what lies at a broker again and again.
    names: OnceCell<NamesSaid>,
    /// Whether somebody published it who is none of the programs, wherever a bridge has carried it since.
    pub foreign: bool,
}

impl PublishPacket {
    pub fn new(topic: &str, payload: &[u8], qos: u8, retain: bool) -> Rc<Self> {
        let lasts = qos > 0 || retain;
        let image = if lasts { image_of(payload) } else { [None; 6] };
        let (topic, payload) = (Rc::from(topic), Rc::from(payload));
        Rc::new(Self {
            topic,
            payload,
            qos,
            retain,
            image,
            names: OnceCell::new(),
            foreign: false,
        })
    }

    /// What it calls each sensor.
    pub fn names(&self) -> &NamesSaid {
        self.names.get_or_init(|| names_in(&self.payload))
    }

    /// The same message, published by somebody else.
    pub fn by_somebody_else(&self) -> Rc<Self> {
        Rc::new(Self {
            foreign: true,
            ..self.clone()
        })
    }

    /// The same message on another topic, as a bridge maps it.
    pub fn mapped(&self, topic: &str, qos: u8) -> Rc<Self> {
        Rc::new(Self {
            topic: Rc::from(topic),
            qos: self.qos.min(qos),
            ..self.clone()
        })
    }
}

/// A message on its way to one session.
#[derive(Clone)]
pub struct Queued {
    pub mid: u64,
    pub packet: Rc<PublishPacket>,
    /// Sent because it was in store, not because it was just published.
    pub retained: bool,
}

impl Queued {
    pub fn new(mid: u64, packet: &Rc<PublishPacket>, retained: bool) -> Self {
        let packet = Rc::clone(packet);
        Self {
            mid,
            packet,
            retained,
        }
    }
}

/// What a broker keeps of a client between its connections.
#[derive(Clone, Default)]
pub struct StoredSession {
    pub subscriptions: Vec<(Rc<str>, u8)>,
    pub queue: VecDeque<Queued>,
    /// Publications whose handshake has begun: their repetition is none.
    pub received: VecDeque<u64>,
}

impl StoredSession {
    /// Whether this publication is new to the session.
    pub fn receives(&mut self, mid: u64) -> bool {
        if self.received.contains(&mid) {
            return false;
        }
        if self.received.len() == 32 {
            self.received.pop_front();
        }
        self.received.push_back(mid);
        true
    }
}

/// What is lost with a kill -9 since it was last saved.
#[derive(Clone, Default)]
pub struct Store {
    pub retained: BTreeMap<Rc<str>, Rc<PublishPacket>>,
    pub sessions: BTreeMap<Rc<str>, StoredSession>,
}

impl Store {
    /// Every image in it that somebody may be given: a session whose client id nobody uses again is lost.
    /// What has been `taken` from a queue is in it for a moment only.
    pub fn images(&self, clients: &BTreeSet<Rc<str>>, taken: &BTreeSet<u64>) -> impl Iterator<Item = &Image> {
        let bridge = |key: &str| key.contains("_bridge_");
        let sessions = self
            .sessions
            .iter()
            .filter(move |(key, _)| bridge(key) || clients.contains(*key));
        let queued =
            sessions.flat_map(move |(key, session)| session.images(bridge(key).then_some(&self.retained)));
        let queued = queued.filter(|queued| !taken.contains(&queued.mid));
        let retained = self.retained.values().map(|packet| &packet.image);
        retained.chain(queued.map(|queued| &queued.packet.image))
    }
}

impl StoredSession {
    /// What is queued. Of a bridge's queue only the last message on a topic, and one that is retained only
    /// while it is what lies there: at the other broker, too, whatever lies on the topic now or later
    /// replaces those before it, whoever may hear them pass.
    fn images(&self, bridge: Option<&BTreeMap<Rc<str>, Rc<PublishPacket>>>) -> impl Iterator<Item = &Queued> {
        let lasts = move |place: usize, queued: &Queued, retained: &BTreeMap<Rc<str>, Rc<PublishPacket>>| {
            let mut behind = self.queue.iter().skip(place + 1);
            let packet = &queued.packet;
            !behind.any(|later| later.packet.topic == packet.topic)
                && (!packet.retain
                    || retained
                        .get(&packet.topic)
                        .is_some_and(|lies| lies.image == packet.image))
        };
        let queue = self.queue.iter().enumerate();
        queue.filter_map(move |(place, queued)| {
            bridge
                .is_none_or(|retained| lasts(place, queued, retained))
                .then_some(queued)
        })
    }
}

/// Who a broker speaks to for a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attached {
    /// A client, by its connection.
    Client(u64),
    /// This broker's own bridge, by its place.
    Bridge(usize),
}

#[derive(Default)]
pub struct VirtualBroker {
    pub up: bool,
    pub store: Store,
    pub saved: Store,
    /// What was saved before that.
    pub past: Store,
    pub attached: BTreeMap<Rc<str>, Attached>,
    pub wills: BTreeMap<u64, Rc<PublishPacket>>,
    pub max_queued: usize,
    /// Raised with each start: timers of an earlier run do nothing.
    pub run: u64,
}

impl VirtualBroker {
    pub fn new(max_queued: usize) -> Self {
        Self {
            max_queued,
            ..Self::default()
        }
    }

    /// Writes its store to disk.
    pub fn save(&mut self) {
        self.past = std::mem::replace(&mut self.saved, self.store.clone());
    }

    /// What is kept for this client.
    pub fn session(&mut self, key: &Rc<str>) -> &mut StoredSession {
        self.store.sessions.entry(Rc::clone(key)).or_default()
    }

    /// Takes in a publication; gives what goes to whom now. `mids` is where the names of handshakes come
    /// from.
    pub fn route(
        &mut self,
        packet: &Rc<PublishPacket>,
        not_to: Option<&str>,
        mids: &mut u64,
    ) -> Vec<(Attached, Queued)> {
        if packet.retain {
            let retained = &mut self.store.retained;
            if packet.payload.is_empty() {
                retained.remove(&packet.topic);
            } else {
                retained.insert(Rc::clone(&packet.topic), Rc::clone(packet));
            }
        }
        let mut out = Vec::new();
        for (key, session) in &mut self.store.sessions {
            if not_to == Some(&**key) {
                continue;
            }
            let mut topics = session.subscriptions.iter();
            let Some((_, qos)) = topics.find(|(topic, _)| *topic == packet.topic) else {
                continue;
            };
            *mids += 1;
            let queued = Queued::new(*mids, packet, false);
            if packet.qos.min(*qos) > 0 {
                // Mosquitto drops nothing for a client that is connected: `max_inflight_messages` is above
                // its queue.
                let connected = matches!(self.attached.get(key), Some(Attached::Client(_)));
                if !connected && session.queue.len() >= self.max_queued {
                    continue;
                }
                session.queue.push_back(queued.clone());
            }
            if let Some(attached) = self.attached.get(key) {
                out.push((*attached, queued));
            }
        }
        out
    }

    /// What is in store for these subscriptions.
    pub fn retained_for(&self, subscriptions: &[(Rc<str>, u8)]) -> Vec<Rc<PublishPacket>> {
        let found = subscriptions.iter().filter_map(|(topic, qos)| {
            let packet = self.store.retained.get(topic)?;
            Some(packet.mapped(topic, *qos))
        });
        found.collect()
    }

    /// A handshake is complete.
    pub fn acknowledged(&mut self, key: &str, mid: u64) {
        if let Some(session) = self.store.sessions.get_mut(key) {
            session.queue.retain(|queued| queued.mid != mid);
        }
    }

    /// The store as it is found after the next start.
    pub fn image_store(&self) -> &Store {
        if self.up { &self.store } else { &self.saved }
    }
}

impl<H: Hooks> World<H> {
    pub fn start_broker(&mut self, place: usize) {
        if self.brokers[place].up || self.boards[place].unpowered {
            return;
        }
        let broker = &mut self.brokers[place];
        broker.up = true;
        broker.run += 1;
        broker.store = broker.saved.clone();
        broker.attached.clear();
        broker.wills.clear();
        let (run, number) = (broker.run, place + 1);
        self.trace
            .note(self.now, 3, &[], || format!("broker {number} starts"));
        self.at(self.now + self.autosave, Scheduled::Autosave(place, run));
        self.at(self.now, Scheduled::Uptime(place, run));
        if place == BOARD2 {
            self.bridge_starts();
        }
    }

    /// The broker's process ends; `saving` on SIGTERM, `silent` with its board's power.
    pub fn stop_broker(&mut self, place: usize, saving: bool, silent: bool) {
        let broker = &mut self.brokers[place];
        if !broker.up {
            return;
        }
        if saving {
            broker.save();
        }
        broker.up = false;
        broker.wills.clear();
        broker.attached.clear();
        let number = place + 1;
        self.trace
            .note(self.now, 4, &[], || format!("broker {number} ends"));
        for id in self.conns_that(|conn| conn.broker == place) {
            let crosses = self.conns[&id].crosses();
            self.close_broker(id, silent && crosses);
            if silent && crosses {
                self.at(self.now + 7_500, Scheduled::Keepalive(id, true));
            }
        }
        if place == BOARD2 {
            for bridge in 0..self.bridges.len() {
                self.bridges[bridge].up = false;
                self.bridges[bridge].attempt += 1;
                if let Some(id) = self.bridges[bridge].conn.take() {
                    self.close_client(id, false, silent);
                    if silent {
                        self.at(self.now + 7_500, Scheduled::Keepalive(id, false));
                    }
                }
            }
        }
    }

    pub fn autosave(&mut self, place: usize, run: u64) {
        let broker = &mut self.brokers[place];
        if broker.up && broker.run == run {
            broker.save();
            self.at(self.now + self.autosave, Scheduled::Autosave(place, run));
        }
    }

    pub fn uptime(&mut self, place: usize, run: u64) {
        if self.brokers[place].up && self.brokers[place].run == run {
            let payload = format!("{} seconds", self.now / 1000);
            let packet = PublishPacket::new("$SYS/broker/uptime", payload.as_bytes(), 0, true);
            self.publish_at(place, &packet, None);
            self.at(self.now + 4_000, Scheduled::Uptime(place, run));
        }
    }
}
