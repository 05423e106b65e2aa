//! Two boards with all that runs on them, and the cable between them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::Arguments;
use crate::cable::{FaultyCable, Tell, proxy};
use crate::chance::Chance;
use crate::log::{log, name, now, open};
use crate::observer::BrokerObserver;
use crate::packets::{Network, Packets};
use crate::storage;
use crate::support::link::TcpRelay;
use crate::support::mosquitto::settings_of_board;
use crate::support::port::Port;
use crate::unit::{ALL, BROKERS, OWNERS, Unit, Who};

/// By board.
const ADDRESSES: [&str; 2] = ["192.0.2.1", "192.0.2.2"];
/// A broker that ends within this time of its start has refused its store.
const STARTING: Duration = Duration::from_secs(5);

/// The two boards.
pub struct RealWorld {
    pub cable: FaultyCable,
    /// As in `ALL`.
    units: Vec<Unit>,
    /// What follows is by board.
    pub observers: [BrokerObserver; 2],
    pub powered: [bool; 2],
    pub has_clocks: bool,
    _ports: [Port; 2],
}

impl RealWorld {
    /// Nothing runs yet but the cable.
    pub fn new(given: &Arguments) -> Self {
        std::env::set_current_dir(&given.keep).expect("the folder of the campaign");
        open("log.jsonl");
        storage::make();
        let (networks, clocks) = (!given.proxy, given.faketime.is_some());
        log!("world", {"seed": given.seed, "networks": networks, "clocks": clocks, "mosquitto": given.version});
        let between = |board: usize| Network::new(ADDRESSES[board], ADDRESSES[1 - board]);
        let networks = (!given.proxy).then(|| [0, 1, 0, 1].map(between));
        let claimed = [Port::claim(), Port::claim()];
        let ports = claimed.each_ref().map(|port| port.number);
        let enter = [0, 1].map(|board: usize| -> Vec<String> {
            networks
                .iter()
                .flat_map(|networks| networks[board].enter())
                .collect()
        });
        let (tell, listen, peer): (Tell, _, _) = if let Some(networks) = networks {
            let packets = Packets::new(networks, Chance::new(given.seed));
            let peer = format!("{}:{}", ADDRESSES[0], ports[0]);
            let tell = move |ways, frozen| packets.set(ways, frozen);
            (Box::new(tell), "0.0.0.0", peer)
        } else {
            let link = TcpRelay::to(ports[0]);
            let peer = format!("127.0.0.1:{}", link.port());
            let tell = move |ways, frozen| proxy(&link, ways, frozen);
            (Box::new(tell), "127.0.0.1", peer)
        };
        let mut world = Self {
            cable: FaultyCable::new(tell),
            units: Vec::new(),
            observers: [0, 1]
                .map(|board| BrokerObserver::new(BROKERS[board], enter[board].clone(), ports[board])),
            powered: [true; 2],
            has_clocks: given.faketime.is_some(),
            _ports: claimed,
        };
        for who in ALL {
            let (board, port) = (who.board(), ports[who.board()]);
            let mut words = enter[board].clone();
            words.extend(env(who, given));
            let program = match who {
                Who::Broker1 | Who::Broker2 => &given.mosquitto,
                Who::Card1 => "card1_monitor",
                Who::Card2 => "card2_monitor",
                Who::Display => "card2_global_display",
            };
            words.push(program.into());
            if BROKERS.contains(&who) {
                set_clock(board, 0);
                let (config, listener) = (format!("{}.conf", name(who)), format!("{port} {listen}"));
                let settings = settings_of_board(Path::new(""), board + 1, &listener, &peer);
                fs::write(&config, settings).expect("writing the broker's file");
                words.extend(["-c".into(), config]);
            } else {
                words.extend(["--broker".into(), format!("mqtt://127.0.0.1:{port}")]);
            }
            if OWNERS.contains(&who) {
                words.extend(["--state-dir".into(), shown(&storage::state(board))]);
            }
            world.units.push(Unit::new(who, words));
        }
        world
    }

    pub fn unit(&self, who: Who) -> &Unit {
        &self.units[who as usize]
    }

    pub fn unit_mut(&mut self, who: Who) -> &mut Unit {
        &mut self.units[who as usize]
    }

    /// When something was last set right.
    pub fn mended(&self) -> Duration {
        let units = self.units.iter().map(|unit| unit.mended);
        units.max().unwrap_or_default().max(self.cable.mended)
    }

    /// Starts it if its board has power.
    pub fn start(&mut self, who: Who) {
        if self.powered[who.board()] {
            self.unit_mut(who).start();
        }
    }

    /// All of a board at once; of the owner's state folder remains what was fsynced.
    pub fn cut_power(&mut self, board: usize) {
        log!("power cut", {"board": board + 1});
        self.powered[board] = false;
        let here = || ALL.into_iter().filter(|who| who.board() == board);
        here().for_each(|who| self.unit(who).signal(Signal::KILL));
        here().for_each(|who| {
            self.unit_mut(who).kill("power");
        });
        storage::keep_what_is_durable(board);
    }

    /// The board is on; nothing runs yet.
    pub fn restore_power(&mut self, board: usize) {
        if !std::mem::replace(&mut self.powered[board], true) {
            log!("power", {"board": board + 1});
        }
    }

    /// Logs all that is seen: ends, screens, what the brokers hold. A broker that has refused its store gets
    /// an empty one, as scripts/launch.sh does it.
    pub fn look(&mut self) {
        for who in ALL {
            let crashed = self.unit_mut(who).look();
            if crashed && BROKERS.contains(&who) && now() < self.unit(who).started + STARTING {
                storage::set_store_aside(who.board());
                self.start(who);
            }
        }
        for (observer, broker) in self.observers.iter_mut().zip(BROKERS) {
            observer.look(&self.units[broker as usize]);
        }
    }
}

/// `env` and what it sets: for the program itself, not for the commands that lead to it.
fn env(who: Who, given: &Arguments) -> Vec<String> {
    let board = who.board();
    let mut libraries = shown(&given.durable);
    if let Some(faketime) = &given.faketime
        && (!BROKERS.contains(&who) || survives_clocks(&given.version))
    {
        libraries.extend([" ", &shown(faketime)]);
    }
    vec![
        "env".into(),
        format!("LD_PRELOAD={libraries}"),
        format!("DURABLE_DIR={}", storage::state(board).display()),
        format!("DURABLE_SHADOW={}", storage::shadow(board).display()),
        format!("FAKETIME_TIMESTAMP_FILE=clock{}", board + 1),
    ]
}

/// A board's clock is so many seconds off.
pub fn set_clock(board: usize, offset: i64) {
    log!("clock", {"board": board + 1, "offset": offset});
    fs::write("clock.new", format!("{offset:+}s\n")).expect("writing a clock");
    fs::rename("clock.new", format!("clock{}", board + 1)).expect("setting a clock");
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Whether a broker's bridge connects again while the wall clock is behind: Mosquitto 2.0.12 to 2.0.21 may
/// not (report 3238).
fn survives_clocks(version: &str) -> bool {
    let patch = version.strip_prefix("2.0.").and_then(|patch| patch.parse().ok());
    !patch.is_some_and(|patch: u32| (12..=21).contains(&patch))
}
