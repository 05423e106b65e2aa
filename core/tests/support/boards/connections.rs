//! Connections: ordered, late, dropped at one end or both.
//!
//! `QoS 0` overtakes what has a handshake, and nothing overtakes it.

use std::rc::Rc;

use super::Hooks;
use super::broker::{Attached, PublishPacket, Queued, StoredSession};
use super::cable::Wire;
use super::world::{BOARD2, Scheduled, World};

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
    Connect(Rc<Vec<(Rc<str>, u8)>>, Option<Rc<PublishPacket>>, bool),
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
    pub last: [[u64; 2]; 2],
}

impl Conn {
    pub fn crosses(&self) -> bool {
        matches!(self.peer, Peer::Bridge(_))
    }
}

impl<H: Hooks> World<H> {
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
        let (low, high) = [self.local_latency, self.cable.latency][usize::from(crosses)];
        let quick = matches!(&parcel, Parcel::Publish(queued) if queued.packet.qos == 0);
        let arrives = self.now
            + self.hooks.within(low, high + 1)
            + if quick { 0 } else { self.hooks.within(0, low + 1) };
        let [zero, handshake] = &mut conn.last[direction];
        let behind = if quick { *zero } else { *handshake.max(zero) };
        let arrives = arrives.max(behind);
        *(if quick { zero } else { handshake }) = arrives;
        self.at(arrives, Scheduled::Arrive(id, direction, parcel));
    }

    fn frozen(&self, conn: &Conn, direction: usize) -> bool {
        let wire = matches!(self.cable.wire, Wire::Frozen(directions) if directions[direction]);
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
            self.at(self.now + 120_000, Scheduled::Forget(id));
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
    fn accept(&mut self, id: u64, topics: &[(Rc<str>, u8)], will: Option<Rc<PublishPacket>>, clean: bool) {
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
            *session = StoredSession::default();
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
    pub fn publish_at(&mut self, place: usize, packet: &Rc<PublishPacket>, not_to: Option<&str>) {
        H::published(self, place, packet, |world| {
            for (attached, queued) in world.brokers[place].route(packet, not_to, &mut world.ids) {
                match attached {
                    Attached::Client(id) => world.send(id, DOWN, Parcel::Publish(queued)),
                    Attached::Bridge(bridge) => world.bridge_out(bridge, &queued),
                }
            }
        });
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

    pub fn drop_local(&mut self, slot: usize) {
        if let Some(id) = self.programs[slot].conn {
            self.drop_conn(id);
        }
    }

    /// The connection is gone, and both ends know it.
    pub fn drop_conn(&mut self, id: u64) {
        if self.conns[&id].broker_open {
            self.close_broker(id, true);
            self.detach(id, false);
        }
        self.close_lost(id);
    }

    fn close_lost(&mut self, id: u64) {
        if !self.conns[&id].client_open {
            return;
        }
        self.conns.get_mut(&id).expect("looked up above").client_open = false;
        match self.conns[&id].peer {
            Peer::Bridge(place) if self.bridges[place].conn == Some(id) => self.bridge_lost(place),
            Peer::Bridge(_) => {}
            Peer::Program(slot) => self.at_program(slot, id, Parcel::Closed { clean: false }),
        }
    }
}
