//! A board's clocks, its power, and its sleep: then nothing on it happens, and all that was to happen does
//! at once when it wakes.

use std::time::Duration;

use dualboard_core::time::{Mono, Now, Wall};

use super::net::DOWN;
use super::world::{Action, BOARD1, BOARD2, World};

#[derive(Default)]
pub struct Board {
    /// How long it had been up when the run began, and what its wall clock is off by.
    pub booted: u64,
    pub wall: i64,
    pub unpowered: bool,
    /// Asleep since, and whether its monotonic clock stands still meanwhile, as that of a paused virtual
    /// machine.
    pub asleep: Option<(u64, bool)>,
    /// For how long its monotonic clock has stood still.
    stood: u64,
    /// What is to happen when it wakes.
    pub postponed: Vec<Action>,
}

impl Board {
    pub fn new(booted: u64, wall: i64) -> Self {
        Self {
            booted,
            wall,
            ..Self::default()
        }
    }
}

impl World {
    pub fn now_at(&self, board: usize) -> Now {
        let board = &self.boards[board];
        let paused = board.asleep.filter(|(_, paused)| *paused);
        let stood = board.stood + paused.map_or(0, |(since, _)| self.now - since);
        let seconds = i64::try_from(self.now / 1000).expect("a short run");
        Now {
            mono: Mono::from_start(Duration::from_millis(self.now + board.booted - stood)),
            wall: Wall(board.wall + seconds),
        }
    }

    /// On which board something happens, if it is not done to the board from outside.
    pub fn board_of(&self, action: &Action) -> Option<usize> {
        match action {
            Action::Arrive(id, direction, _) => self.board_at(*id, *direction == DOWN),
            Action::Keepalive(id, at_client) => self.board_at(*id, *at_client),
            Action::Dial(slot, _)
            | Action::Tick(slot, ..)
            | Action::Synced(slot, _)
            | Action::Start(slot)
            | Action::End(slot, _)
            | Action::Release(slot, _) => Some(self.programs[*slot].board),
            Action::Autosave(place, _) | Action::Uptime(place, _) | Action::BrokerStart(place) => {
                Some(*place)
            }
            Action::DialBridge(..) | Action::DialTimeout(_) => Some(BOARD2),
            _ => None,
        }
    }

    pub fn sleep(&mut self, board: usize, paused: bool, until: u64) {
        if self.boards[board].asleep.is_some() || self.boards[board].unpowered {
            return;
        }
        self.boards[board].asleep = Some((self.now, paused));
        for program in self.programs.iter_mut().filter(|program| program.board == board) {
            program.dozes = program.machine.is_some();
        }
        self.await_keepalive([board == BOARD1, board == BOARD2]);
        self.at(until, Action::Wake(board));
    }

    pub fn wake(&mut self, board: usize) {
        let Some((since, paused)) = self.boards[board].asleep.take() else {
            return;
        };
        if paused {
            self.boards[board].stood += self.now - since;
        }
        for action in std::mem::take(&mut self.boards[board].postponed) {
            self.at(self.now, action);
        }
        for slot in 0..self.programs.len() {
            if self.programs[slot].board == board {
                self.at(self.now + 20, Action::Release(slot, self.programs[slot].life));
            }
        }
    }
}
