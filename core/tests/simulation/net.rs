//! Connections: ordered, late, cut, frozen in one direction or both.
//!
//! `QoS 0` overtakes what has a handshake, and nothing overtakes it.

use std::rc::Rc;

use super::broker::{Attached, Packet, Queued, Session};
use super::world::{Action, BOARD2, World};

/// The client at one end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Program(usize),
    Bridge(usize),
}

pub const UP: usize = 0;
pub const DOWN: usize = 1;

/// What travels on a connection.
#[derive(Clone)]
pub enum Parcel {
    /// With its subscriptions, its will, and whether the session is to begin anew.
    Connect(Rc<Vec<(Rc<str>, u8)>>, Option<Rc<Packet>>, bool),
    Granted,
    Publish(Queued),
    Ack(u64),
    /// The other end has closed; `clean` without a will.
    Closed {
        clean: bool,
    },
}

pub struct Conn {
    pub peer: Peer,
    pub broker: usize,
    pub key: Rc<str>,
    pub client_open: bool,
    pub broker_open: bool,
    /// Held: the program at its end is stopped.
    pub held: bool,
    last: [[u64; 2]; 2],
}

impl Conn {
    pub fn crosses(&self) -> bool {
        matches!(self.peer, Peer::Bridge(_))
    }
}

/// The wire between the boards.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Wire {
    #[default]
    Whole,
    /// Every attempt is refused at once.
    Refused,
    /// What goes in does not come out, in these directions: to broker 1, to broker 2.
    Frozen([bool; 2]),
}

#[derive(Default)]
pub struct Link {
    pub wire: Wire,
    pub latency: (u64, u64),
    /// Raised with each change.
    pub change: u64,
}

impl World {
    /// The connections that are so.
    pub fn conns_that(&self, are: impl Fn(&Conn) -> bool) -> Vec<u64> {
        let conns = self.conns.iter().filter(|(_, conn)| are(conn));
        conns.map(|(id, _)| *id).collect()
    }

    /// On which board one end of a connection is.
    pub fn board_at(&self, id: u64, client: bool) -> Option<usize> {
        let conn = self.conns.get(&id)?;
        Some(match conn.peer {
            Peer::Program(slot) if client => self.programs[slot].board,
            Peer::Bridge(_) if client => BOARD2,
            _ => conn.broker,
        })
    }

    /// Opens a connection; the broker hears of it when `Connect` arrives.
    pub fn open(&mut self, peer: Peer, broker: usize, key: &Rc<str>) -> u64 {
        self.ids += 1;
        let conn = Conn {
            peer,
            broker,
            key: Rc::clone(key),
            client_open: true,
            broker_open: false,
            held: false,
            last: [[0; 2]; 2],
        };
        self.conns.insert(self.ids, conn);
        self.ids
    }

    /// Puts a parcel on a connection.
    pub fn send(&mut self, id: u64, direction: usize, parcel: Parcel) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        let crosses = conn.crosses();
        let (low, high) = [self.local_latency, self.link.latency][usize::from(crosses)];
        let quick = matches!(&parcel, Parcel::Publish(queued) if queued.packet.qos == 0);
        let arrives =
            self.now + self.rng.within(low, high + 1) + if quick { 0 } else { self.rng.within(0, low + 1) };
        let [zero, handshake] = &mut conn.last[direction];
        let behind = if quick { *zero } else { *handshake.max(zero) };
        let arrives = arrives.max(behind);
        *(if quick { zero } else { handshake }) = arrives;
        self.at(arrives, Action::Arrive(id, direction, parcel));
    }

    fn frozen(&self, conn: &Conn, direction: usize) -> bool {
        let wire = matches!(self.link.wire, Wire::Frozen(directions) if directions[direction]);
        conn.held || (conn.crosses() && wire)
    }

    pub fn arrive(&mut self, id: u64, direction: usize, parcel: Parcel) {
        let Some(conn) = self.conns.get(&id) else { return };
        if self.frozen(conn, direction) {
            self.stuck.push((id, direction, parcel));
            return;
        }
        if direction == UP {
            self.at_broker(id, parcel);
        } else {
            self.at_client(id, parcel);
        }
    }

    /// What was stuck is let go, in order and at once.
    pub fn thaw(&mut self) {
        for (id, direction, parcel) in std::mem::take(&mut self.stuck) {
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.last[direction] = [self.now, self.now];
                self.at(self.now, Action::Arrive(id, direction, parcel));
            }
        }
    }

    /// The client's end closes: by its own decision, or since its process is gone.
    pub fn close_client(&mut self, id: u64, clean: bool, silent: bool) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        if std::mem::take(&mut conn.client_open) && !silent {
            self.send(id, UP, Parcel::Closed { clean });
        }
        self.forget_closed(id);
    }

    /// The broker's end closes; its client hears of it unless the board is without power.
    pub fn close_broker(&mut self, id: u64, silent: bool) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        conn.broker_open = false;
        if !silent {
            self.send(id, DOWN, Parcel::Closed { clean: false });
        }
        self.forget_closed(id);
    }

    fn forget_closed(&mut self, id: u64) {
        // Something may be on its way on a connection that is half closed: it is looked up when it arrives.
        let open = |conn: &Conn| conn.client_open || conn.broker_open;
        if self.conns.get(&id).is_some_and(|conn| !open(conn)) {
            self.at(self.now + 120_000, Action::Forget(id));
        }
    }

    fn at_broker(&mut self, id: u64, parcel: Parcel) {
        let conn = &self.conns[&id];
        let (place, key, open) = (conn.broker, Rc::clone(&conn.key), conn.broker_open);
        if !self.brokers[place].up {
            if conn.client_open && matches!(parcel, Parcel::Connect(..)) {
                self.close_broker(id, false);
            }
            return;
        }
        match parcel {
            Parcel::Connect(topics, will, clean) => self.accept(id, &topics, will, clean),
            Parcel::Publish(queued) if open && self.is_fresh(place, &key, (id, DOWN), &queued) => {
                let echo = matches!(self.conns[&id].peer, Peer::Program(_));
                self.publish_at(place, &queued.packet, (!echo).then_some(&*key));
            }
            Parcel::Ack(mid) if open => self.brokers[place].acknowledged(&key, mid),
            Parcel::Closed { clean } if open => {
                self.conns.get_mut(&id).expect("looked up above").broker_open = false;
                self.detach(id, clean);
                self.forget_closed(id);
            }
            _ => {}
        }
    }

    /// A broker has received something in a session, and says so; whether it had not before.
    pub fn is_fresh(&mut self, place: usize, key: &Rc<str>, back: (u64, usize), queued: &Queued) -> bool {
        let fresh = queued.packet.qos == 0 || self.brokers[place].session(key).receives(queued.mid);
        if queued.packet.qos > 0 {
            self.send(back.0, back.1, Parcel::Ack(queued.mid));
        }
        fresh
    }

    /// A client has connected and asked for its topics.
    fn accept(&mut self, id: u64, topics: &[(Rc<str>, u8)], will: Option<Rc<Packet>>, clean: bool) {
        let (place, key) = (self.conns[&id].broker, Rc::clone(&self.conns[&id].key));
        if let Some(Attached::Client(other)) = self.brokers[place].attached.get(&key).copied() {
            self.close_broker(other, false);
            self.detach(other, false);
        }
        self.conns.get_mut(&id).expect("it connects").broker_open = true;
        let broker = &mut self.brokers[place];
        if let Some(will) = will {
            broker.wills.insert(id, will);
        }
        broker.attached.insert(Rc::clone(&key), Attached::Client(id));
        let session = broker.session(&key);
        if clean {
            *session = Session::default();
        }
        session.subscriptions = topics.to_vec();
        for queued in session.queue.clone() {
            self.send(id, DOWN, Parcel::Publish(queued));
        }
        self.send(id, DOWN, Parcel::Granted);
        for packet in self.brokers[place].retained_for(topics) {
            self.ids += 1;
            let queued = Queued::new(self.ids, &packet, true);
            if queued.packet.qos > 0 {
                let session = self.brokers[place].session(&key);
                session.queue.push_back(queued.clone());
            }
            self.send(id, DOWN, Parcel::Publish(queued));
        }
        self.bridge_notice(id, true);
    }

    /// The broker has lost a client: nobody is attached any more, and its will is published.
    pub fn detach(&mut self, id: u64, clean: bool) {
        let (place, key) = (self.conns[&id].broker, Rc::clone(&self.conns[&id].key));
        let broker = &mut self.brokers[place];
        if broker.attached.get(&key) == Some(&Attached::Client(id)) {
            broker.attached.remove(&key);
            self.bridge_notice(id, false);
        }
        if let Some(will) = self.brokers[place].wills.remove(&id).filter(|_| !clean) {
            self.publish_at(place, &will, None);
        }
    }

    /// A broker takes in a publication, and passes it on.
    pub fn publish_at(&mut self, place: usize, packet: &Rc<Packet>, not_to: Option<&str>) {
        self.record_published(place, packet);
        let before = packet.foreign.then(|| self.survivors());
        for (attached, queued) in self.brokers[place].route(packet, not_to, &mut self.ids) {
            match attached {
                Attached::Client(id) => self.send(id, DOWN, Parcel::Publish(queued)),
                Attached::Bridge(bridge) => self.bridge_out(bridge, &queued),
            }
        }
        if let Some(before) = before {
            self.overwritten(&before);
        }
    }

    fn at_client(&mut self, id: u64, parcel: Parcel) {
        let conn = &self.conns[&id];
        if !conn.client_open {
            return;
        }
        if matches!(parcel, Parcel::Closed { .. }) {
            self.conns.get_mut(&id).expect("looked up above").client_open = false;
            self.forget_closed(id);
        }
        match self.conns[&id].peer {
            Peer::Program(slot) => self.at_program(slot, id, parcel),
            Peer::Bridge(bridge) => self.at_bridge(bridge, id, parcel),
        }
    }
}
