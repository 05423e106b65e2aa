//! The bridge: part of broker 2, with the connections and topics of `mosquitto_bridge.conf`, and with its
//! known faults.

use std::rc::Rc;

use super::Hooks;
use super::broker::{Attached, PublishPacket, Queued};
use super::cable::Wire;
use super::connections::{Parcel, Peer, UP};
use super::world::{BOARD1, BOARD2, Scheduled, World};

/// One of its connections.
#[derive(Default)]
pub struct Bridge {
    /// Its session at broker 1.
    pub remote: Rc<str>,
    /// Its session at broker 2.
    pub local: Rc<str>,
    /// Topics at broker 1 to topics here.
    pub incoming: Vec<(Rc<str>, Rc<str>, u8)>,
    /// Topics here to topics at broker 1.
    pub outgoing: Vec<(Rc<str>, Rc<str>, u8)>,
    /// Where both brokers say whether it is up; `None` with `notifications false`.
    pub state: Option<Rc<str>>,
    /// Whether broker 1 is to forget its session.
    pub clean: bool,
    pub conn: Option<u64>,
    pub up: bool,
    /// Raised with each attempt.
    pub attempt: u64,
    /// The retained copies as they were when the attempt began: what newer messages overtake while it is
    /// pending.
    early: Vec<Rc<PublishPacket>>,
    /// Board 2's wall clock when it was last connected.
    pub connected_at: Option<i64>,
}

/// Which topics a bridge subscribes to where it takes these from.
fn sources(topics: &[(Rc<str>, Rc<str>, u8)]) -> Vec<(Rc<str>, u8)> {
    let sources = topics.iter().map(|(from, _, qos)| (Rc::clone(from), *qos));
    sources.collect()
}

/// As in `mosquitto_bridge.conf`, one for each `connection` in it.
pub fn bridges() -> Vec<Bridge> {
    let lines = include_str!("../../../../mosquitto_bridge.conf").lines();
    let mut bridges: Vec<Bridge> = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["connection", _] = words[..] {
            bridges.push(Bridge::default());
        }
        let Some(bridge) = bridges.last_mut() else {
            continue;
        };
        match words[..] {
            ["remote_clientid", id] => bridge.remote = Rc::from(id),
            ["local_clientid", id] => bridge.local = Rc::from(id),
            ["notifications", value] => {
                let state = format!("$SYS/broker/connection/{}/state", bridge.remote);
                bridge.state = (value == "true").then(|| Rc::from(state));
            }
            ["cleansession", value] => bridge.clean = value == "true",
            ["topic", name, direction, qos, here, there] => {
                let [here, there] = [here, there].map(|prefix| Rc::from(format!("{prefix}{name}")));
                let qos = qos.parse().expect("a quality of service");
                match direction {
                    "in" => bridge.incoming.push((there, here, qos)),
                    "out" => bridge.outgoing.push((here, there, qos)),
                    _ => panic!("{line}: not a direction that is used here"),
                }
            }
            _ => {}
        }
    }
    bridges
}

impl<H: Hooks> World<H> {
    /// Broker 2 has started: its bridge takes up its sessions.
    pub fn bridge_starts(&mut self) {
        for place in 0..self.bridges.len() {
            let bridge = &mut self.bridges[place];
            bridge.conn = None;
            bridge.up = false;
            bridge.connected_at = None;
            let topics = sources(&bridge.outgoing);
            let local = Rc::clone(&bridge.local);
            let broker = &mut self.brokers[BOARD2];
            broker.session(&local).subscriptions = topics;
            broker.attached.insert(local, Attached::Bridge(place));
            self.bridge_says(place, BOARD2, b"0");
            self.redial_bridge(place, 50, 300);
        }
    }

    pub fn redial_bridge(&mut self, place: usize, low: u64, high: u64) {
        self.bridges[place].attempt += 1;
        let attempt = self.bridges[place].attempt;
        self.within(
            self.now + low,
            self.now + high,
            Scheduled::DialBridge(place, attempt),
        );
    }

    pub fn dial_bridge(&mut self, place: usize, attempt: u64) {
        let bridge = &self.bridges[place];
        if !self.brokers[BOARD2].up || bridge.attempt != attempt || bridge.conn.is_some() {
            return;
        }
        // Mosquitto 2.0.21 waits until the wall clock has caught up with its last connect.
        let behind = Some(self.now_at(BOARD2).wall.0) < bridge.connected_at && self.hooks.waits_for_clock();
        let answers = self.brokers[BOARD1].up || self.boards[BOARD1].unpowered;
        if behind || self.cable.wire == Wire::Refused || !answers {
            self.redial_bridge(place, 1_000, 2_000);
            return;
        }
        let key = Rc::clone(&self.bridges[place].remote);
        let id = self.open(Peer::Bridge(place), BOARD1, &key);
        let bridge = &mut self.bridges[place];
        bridge.conn = Some(id);
        bridge.early = self.brokers[BOARD2].retained_for(&sources(&bridge.outgoing));
        let remotes = Rc::new(sources(&bridge.incoming));
        let state = bridge.state.as_ref();
        let will = state.map(|state| PublishPacket::new(state, b"0", 1, true));
        let clean = bridge.clean;
        self.send(id, UP, Parcel::Connect(remotes, will, clean));
        self.at(self.now + 6_000, Scheduled::DialTimeout(id));
    }

    /// Broker 1 tells its clients whether the bridge is connected.
    pub fn bridge_notice(&mut self, id: u64, up: bool) {
        if let (true, Peer::Bridge(place)) = (up, self.conns[&id].peer) {
            self.bridge_says(place, BOARD1, b"1");
        }
    }

    fn bridge_says(&mut self, place: usize, board: usize, up: &[u8]) {
        if let Some(state) = &self.bridges[place].state {
            self.publish_at(board, &PublishPacket::new(state, up, 1, true), None);
        }
    }

    /// Something arrived from broker 1.
    pub fn at_bridge(&mut self, place: usize, id: u64, parcel: Parcel) {
        if self.bridges[place].conn != Some(id) || !self.brokers[BOARD2].up {
            return;
        }
        // It is up with the CONNACK, which comes before all else: then its retained messages are on their
        // way out.
        if matches!(parcel, Parcel::Granted | Parcel::Publish(_)) && !self.bridges[place].up {
            self.bridge_up(place);
        }
        match parcel {
            Parcel::Closed { .. } => self.bridge_lost(place),
            Parcel::Ack(mid) => {
                let local = Rc::clone(&self.bridges[place].local);
                self.brokers[BOARD2].acknowledged(&local, mid);
            }
            Parcel::Publish(queued) => {
                let local = Rc::clone(&self.bridges[place].local);
                let mut topics = self.bridges[place].incoming.iter();
                let to = topics.find(|(from, _, _)| *from == queued.packet.topic);
                let Some((_, to, qos)) = to.cloned() else { return };
                if self.is_fresh(BOARD2, &local, (id, UP), &queued) {
                    self.publish_at(BOARD2, &queued.packet.mapped(&to, qos), Some(&local));
                }
            }
            Parcel::Granted | Parcel::Connect(..) => {}
        }
    }

    fn bridge_up(&mut self, place: usize) {
        let local = Rc::clone(&self.bridges[place].local);
        self.bridges[place].up = true;
        self.bridges[place].connected_at = Some(self.now_at(BOARD2).wall.0);
        let topics = sources(&self.bridges[place].outgoing);
        let early = std::mem::take(&mut self.bridges[place].early);
        let copies = if self.hooks.overtakes() {
            early
        } else {
            self.brokers[BOARD2].retained_for(&topics)
        };
        for packet in copies {
            self.ids += 1;
            let queued = Queued::new(self.ids, &packet, true);
            self.brokers[BOARD2].session(&local).queue.push_back(queued);
        }
        for queued in self.brokers[BOARD2].session(&local).queue.clone() {
            self.bridge_out(place, &queued);
            if queued.packet.qos == 0 {
                self.brokers[BOARD2].acknowledged(&local, queued.mid);
            }
        }
        self.bridge_says(place, BOARD2, b"1");
    }

    /// Something that broker 2 passes to its bridge. What has a handshake waits in the queue until it is
    /// acknowledged.
    pub fn bridge_out(&mut self, place: usize, queued: &Queued) {
        let bridge = &self.bridges[place];
        let mut topics = bridge.outgoing.iter();
        let to = topics.find(|(from, _, _)| *from == queued.packet.topic);
        if let (true, Some(id), Some((_, to, qos))) = (bridge.up, bridge.conn, to) {
            let packet = queued.packet.mapped(to, *qos);
            let queued = Queued { packet, ..*queued };
            self.send(id, UP, Parcel::Publish(queued));
        }
    }

    /// A connection of the bridge is gone.
    pub fn bridge_lost(&mut self, place: usize) {
        let was_up = std::mem::take(&mut self.bridges[place].up);
        self.bridges[place].conn = None;
        if was_up {
            self.bridge_says(place, BOARD2, b"0");
        }
        self.redial_bridge(place, 1_000, 2_000);
    }
}
