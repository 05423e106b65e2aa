//! A board's clocks, its power, and its sleep: then nothing on it happens, and all that was to happen does
//! at once when it wakes.

use std::time::Duration;

use dualboard_core::machine::Event;
use dualboard_core::time::{Mono, Now, Wall};

use super::Hooks;
use super::connections::DOWN;
use super::program::Program;
use super::world::{BOARD1, BOARD2, Scheduled, World};

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
    pub postponed: Vec<Scheduled>,
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

impl<H: Hooks> World<H> {
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
    pub fn board_of(&self, action: &Scheduled) -> Option<usize> {
        match action {
            Scheduled::Arrive(id, direction, _) => self.board_at(*id, *direction == DOWN),
            Scheduled::Keepalive(id, at_client) => self.board_at(*id, *at_client),
            Scheduled::Dial(slot, _)
            | Scheduled::Tick(slot, ..)
            | Scheduled::Synced(slot, _)
            | Scheduled::Start(slot)
            | Scheduled::End(slot, _)
            | Scheduled::Release(slot, _) => Some(self.programs[*slot].board),
            Scheduled::Autosave(place, _) | Scheduled::Uptime(place, _) | Scheduled::BrokerStart(place) => {
                Some(*place)
            }
            Scheduled::DialBridge(..) | Scheduled::DialTimeout(_) => Some(BOARD2),
            _ => None,
        }
    }

    pub fn sleep(&mut self, board: usize, paused: bool, until: u64) {
        if self.boards[board].asleep.is_some() || self.boards[board].unpowered {
            return;
        }
        // If its wall clock was set since a program last looked, no clock would show the pause. One that is
        // stopped cannot look.
        let there = |program: &Program| program.board == board && program.machine.is_some();
        let stopped = |program: &Program| there(program) && program.stopped;
        let paused = paused && !self.programs.iter().any(stopped);
        for slot in 0..self.programs.len() {
            if paused && there(&self.programs[slot]) {
                self.feed(slot, Event::Tick);
            }
        }
        self.boards[board].asleep = Some((self.now, paused));
        for program in self.programs.iter_mut().filter(|program| program.board == board) {
            program.dozes = program.machine.is_some();
        }
        self.await_keepalive([board == BOARD1, board == BOARD2]);
        self.at(until, Scheduled::Wake(board));
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
                self.at(self.now + 20, Scheduled::Release(slot, self.programs[slot].life));
            }
        }
    }
}
