//! Connections: ordered, late, cut, frozen in one direction or both.
//!
//! `QoS 0` overtakes what has a handshake, and nothing overtakes it.

use std::rc::Rc;

use super::broker::{Packet, Queued};
use super::world::{Action, World};

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
    Connect {
        subscriptions: Rc<Vec<(Rc<str>, u8)>>,
        will: Option<Rc<Packet>>,
        clean: bool,
    },
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    Whole,
    /// Every attempt is refused at once.
    Refused,
    /// What goes in does not come out, in these directions: to broker 1, to broker 2.
    Frozen([bool; 2]),
}

pub struct Link {
    pub wire: Wire,
    pub latency: (u64, u64),
    /// Raised with each change.
    pub change: u64,
}

impl World {
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
        let (low, high) = if conn.crosses() {
            self.link.latency
        } else {
            self.local_latency
        };
        let quick = matches!(&parcel, Parcel::Publish(queued) if queued.packet.qos == 0);
        let arrives =
            self.now + self.rng.within(low, high + 1) + if quick { 0 } else { self.rng.within(0, low + 1) };
        let [zero, handshake] = &mut conn.last[direction];
        let arrives = if quick {
            arrives.max(*zero)
        } else {
            arrives.max(*zero).max(*handshake)
        };
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
        if self
            .conns
            .get(&id)
            .is_some_and(|conn| !conn.client_open && !conn.broker_open)
        {
            let pending = self.now + 120_000;
            self.at(pending, Action::Forget(id));
        }
    }

    fn at_broker(&mut self, id: u64, parcel: Parcel) {
        let conn = &self.conns[&id];
        let (place, key, open) = (conn.broker, Rc::clone(&conn.key), conn.broker_open);
        if !self.brokers[place].up {
            if conn.client_open && matches!(parcel, Parcel::Connect { .. }) {
                self.close_broker(id, false);
            }
            return;
        }
        match parcel {
            Parcel::Connect {
                subscriptions,
                will,
                clean,
            } => self.accept(id, &subscriptions, will, clean),
            Parcel::Publish(queued) if open => {
                let session = self.brokers[place]
                    .store
                    .sessions
                    .entry(Rc::clone(&key))
                    .or_default();
                let fresh = queued.packet.qos == 0 || session.receives(queued.mid);
                if queued.packet.qos > 0 {
                    self.send(id, DOWN, Parcel::Ack(queued.mid));
                }
                if fresh {
                    let echo = matches!(self.conns[&id].peer, Peer::Program(_));
                    self.publish_at(place, &queued.packet, (!echo).then_some(&*key));
                }
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

    /// A client has connected and asked for its topics.
    fn accept(&mut self, id: u64, topics: &[(Rc<str>, u8)], will: Option<Rc<Packet>>, clean: bool) {
        let (place, key) = (self.conns[&id].broker, Rc::clone(&self.conns[&id].key));
        if let Some(super::broker::Attached::Client(other)) = self.brokers[place].attached.get(&key).copied()
        {
            self.close_broker(other, false);
            self.detach(other, false);
        }
        self.conns.get_mut(&id).expect("it connects").broker_open = true;
        let broker = &mut self.brokers[place];
        if let Some(will) = will {
            broker.wills.insert(id, will);
        }
        broker
            .attached
            .insert(Rc::clone(&key), super::broker::Attached::Client(id));
        let session = broker.store.sessions.entry(Rc::clone(&key)).or_default();
        if clean {
            *session = super::broker::Session::default();
        }
        session.subscriptions = topics.to_vec();
        let queue: Vec<Queued> = session.queue.iter().cloned().collect();
        for queued in queue {
            self.send(id, DOWN, Parcel::Publish(queued));
        }
        self.send(id, DOWN, Parcel::Granted);
        for packet in self.brokers[place].retained_for(topics) {
            self.ids += 1;
            let queued = Queued {
                mid: self.ids,
                packet,
                retained: true,
            };
            if queued.packet.qos > 0 {
                let sessions = &mut self.brokers[place].store.sessions;
                sessions
                    .entry(Rc::clone(&key))
                    .or_default()
                    .queue
                    .push_back(queued.clone());
            }
            self.send(id, DOWN, Parcel::Publish(queued));
        }
        self.bridge_notice(id, true);
    }

    /// The broker has lost a client: nobody is attached any more, and its will is published.
    pub fn detach(&mut self, id: u64, clean: bool) {
        let (place, key) = (self.conns[&id].broker, Rc::clone(&self.conns[&id].key));
        let broker = &mut self.brokers[place];
        if broker.attached.get(&key) == Some(&super::broker::Attached::Client(id)) {
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
                super::broker::Attached::Client(id) => self.send(id, DOWN, Parcel::Publish(queued)),
                super::broker::Attached::Bridge(bridge) => self.bridge_out(bridge, &queued),
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
