//! How a fault is done to files, boards, the link and processes.

use super::kinds::Kind;
use super::net::{Conn, DOWN, Parcel, Peer, UP, Wire};
use super::world::{Action, BOARD1, BOARD2, TWIN, World};

impl World {
    pub fn harm_file(&mut self, slot: usize, kind: Kind, after: u64) {
        self.end_program(slot, false, false);
        let at = usize::try_from(self.rng.within(0, 1_000)).expect("small");
        let disk = &mut self.programs[slot].disk;
        if kind == Kind::Wiped {
            disk.wipe();
        } else {
            disk.tear(at);
        }
        self.at(after, Action::Start(slot));
    }

    pub fn power_cut(&mut self, board: usize, after: u64) {
        self.wake(board);
        self.stop_broker(board, false, true);
        // What its kernel had not got rid of is gone with it.
        let mut stuck = std::mem::take(&mut self.stuck);
        stuck.retain(|(id, direction, _)| self.board_at(*id, *direction == UP) != Some(board));
        self.stuck = stuck;
        for slot in 0..self.programs.len() {
            if self.programs[slot].board == board {
                self.end_program(slot, false, true);
                if slot != TWIN {
                    self.within(after, after + 3_000, Action::Start(slot));
                }
            }
        }
        self.boards[board].booted = self.rng.within(0, 1 << 20);
        self.within(after, after + 3_000, Action::BrokerStart(board));
    }

    pub fn harm_link(&mut self, kind: Kind, target: usize, after: u64) {
        self.link.change += 1;
        let change = self.link.change;
        match kind {
            Kind::Slow => self.link.latency = (*self.rng.pick(&[100, 800, 2_000]), 2_500),
            Kind::Refused => {
                self.link.wire = Wire::Refused;
                self.cut();
            }
            Kind::OneWay => self.freeze([target.is_multiple_of(2), !target.is_multiple_of(2)]),
            _ => self.freeze([true, true]),
        }
        self.at(after, Action::Mend(change));
    }

    /// Both ends of each of the bridge's connections are told that it is gone.
    fn cut(&mut self) {
        for id in self.conns_that(Conn::crosses) {
            self.drop_conn(id);
        }
    }

    fn freeze(&mut self, directions: [bool; 2]) {
        self.link.wire = Wire::Frozen(directions);
        self.await_keepalive([true, directions[UP]]);
    }

    /// The bridge's connections will be found dead, at the bridge and at broker 1.
    pub fn await_keepalive(&mut self, [at_client, at_broker]: [bool; 2]) {
        for id in self.conns_that(Conn::crosses) {
            let [client, broker] = [7_500, 9_000].map(|most| self.now + self.rng.within(5_000, most));
            if at_client {
                self.at(client, Action::Keepalive(id, true));
            }
            if at_broker {
                self.at(broker, Action::Keepalive(id, false));
            }
        }
    }

    pub fn mend(&mut self, change: u64) {
        if self.link.change == change {
            self.link.change += 1;
            self.link.wire = Wire::Whole;
            self.link.latency = (1, 5);
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
        let frozen = match self.link.wire {
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

    pub fn drop_local(&mut self, slot: usize) {
        if let Some(id) = self.programs[slot].conn {
            self.drop_conn(id);
        }
    }

    fn drop_conn(&mut self, id: u64) {
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

    pub fn stop_program(&mut self, slot: usize, after: u64) {
        if self.programs[slot].machine.is_none() {
            return;
        }
        self.hold(slot, true);
        self.at(after, Action::Release(slot, self.programs[slot].life));
        if let Some(id) = self.programs[slot].conn {
            self.at(self.now + 7_500, Action::Keepalive(id, false));
        }
    }
}
