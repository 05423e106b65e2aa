//! The cable between the boards, which the bridge's connections cross: refused, frozen or slow, and how its
//! ends notice.

use super::Hooks;
use super::connections::{Conn, DOWN, Peer, UP};
use super::world::{BOARD1, BOARD2, Scheduled, World};

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

/// How long something takes to the other board, in milliseconds.
pub const USUAL: (u64, u64) = (1, 5);

#[derive(Default)]
pub struct Cable {
    pub wire: Wire,
    pub latency: (u64, u64),
    /// Raised with each change.
    pub change: u64,
}

impl<H: Hooks> World<H> {
    /// Nobody answers any more, and both ends of each of the bridge's connections know it.
    pub fn refuse(&mut self) {
        self.cable.wire = Wire::Refused;
        for id in self.conns_that(Conn::crosses) {
            self.drop_conn(id);
        }
    }

    pub fn freeze(&mut self, directions: [bool; 2]) {
        self.cable.wire = Wire::Frozen(directions);
        self.await_keepalive([true, directions[UP]]);
    }

    /// The bridge's connections will be found dead, at the bridge and at broker 1.
    pub fn await_keepalive(&mut self, [at_client, at_broker]: [bool; 2]) {
        for id in self.conns_that(Conn::crosses) {
            let [client, broker] = [7_500, 9_000].map(|most| self.now + self.hooks.within(5_000, most));
            if at_client {
                self.at(client, Scheduled::Keepalive(id, true));
            }
            if at_broker {
                self.at(broker, Scheduled::Keepalive(id, false));
            }
        }
    }

    pub fn mend(&mut self, change: u64) {
        if self.cable.change == change {
            self.cable.change += 1;
            self.cable.wire = Wire::Whole;
            self.cable.latency = USUAL;
            self.trace.note(self.now, 6, &[], || "the link is whole");
            self.thaw();
        }
    }

    /// The ping was not answered, or no ping came.
    pub fn keepalive(&mut self, id: u64, at_client: bool) {
        let Some(conn) = self.conns.get(&id) else { return };
        let peer_gone = !(if at_client {
            conn.broker_open
        } else {
            conn.client_open
        });
        let frozen = match self.cable.wire {
            Wire::Frozen(directions) if conn.crosses() => directions[UP] || (at_client && directions[DOWN]),
            _ => false,
        };
        let other = if at_client { BOARD1 } else { BOARD2 };
        let asleep = conn.crosses() && self.boards[other].asleep.is_some();
        if !(frozen || conn.held || peer_gone || asleep) {
            return;
        }
        match (at_client, conn.peer) {
            (true, Peer::Bridge(place)) if conn.client_open => {
                self.close_client(id, false, false);
                if self.bridges[place].conn == Some(id) {
                    self.bridge_lost(place);
                }
            }
            (false, _) if conn.broker_open => {
                self.close_broker(id, false);
                self.detach(id, false);
            }
            _ => {}
        }
    }

    pub fn dial_timeout(&mut self, id: u64) {
        let mut bridges = self.bridges.iter();
        if let Some(place) = bridges.position(|bridge| bridge.conn == Some(id) && !bridge.up) {
            self.close_client(id, false, false);
            self.bridge_lost(place);
        }
    }

    /// What was stuck is let go, in order and at once.
    pub fn thaw(&mut self) {
        for (id, direction, parcel) in std::mem::take(&mut self.stuck) {
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.last[direction] = [self.now, self.now];
                self.at(self.now, Scheduled::Arrive(id, direction, parcel));
            }
        }
    }
}
