//! Each board's network, and the cable between them, packet by packet.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tun_tap::{Iface, Mode};

use crate::cable::{DROP, PASS, REJECT, Way};
use crate::chance::Chance;
use crate::log::now;

/// Until stdin ends, as it does with the campaign, however that ends.
const HOLD: &str = "ip tuntap add dev link0 mode tun && ip address add \"$1\" peer \"$2\" dev link0 \
    && ip link set link0 up && ip link set lo up && echo ready && exec cat";

/// A namespace, for as long as this process lives.
pub struct Network {
    holder: Child,
}

impl Network {
    /// With one address, and a peer at the other end of the cable.
    pub fn new(address: &str, peer: &str) -> Self {
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", HOLD, "sh", address, peer])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare of util-linux");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("a pipe");
        let read = BufReader::new(stdout).read_line(&mut line);
        assert!(
            read.is_ok() && line == "ready\n",
            "no network {address} can be made"
        );
        Self { holder }
    }

    fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.holder.id())
    }

    /// The beginning of the command line of what runs in it.
    pub fn enter(&self) -> Vec<String> {
        vec!["nsenter".into(), format!("--net={}", self.path())]
    }

    /// The end of the cable in this namespace: a thread enters it, and the device stays with who opened it.
    pub fn cable_end(&self) -> Iface {
        let namespace = File::open(self.path()).expect("the namespace");
        let open = move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            Iface::without_packet_info("link0", Mode::Tun)
        };
        let opened = std::thread::scope(|scope| scope.spawn(open).join());
        opened.expect("no panic").expect("the TUN device link0")
    }
}

/// What a slow line may hold; the rest is dropped, as a switch would.
const LONGEST: usize = 1000;

/// Threads carry the packets for as long as the process lives.
pub struct Packets(
    Arc<PacketLine>,
    #[expect(dead_code, reason = "held open")] [Network; 4],
);

struct PacketLine {
    /// As given: what board 1, end 0, has refused goes to end 3, in the place of board 2.
    ends: [Iface; 4],
    state: Mutex<LineState>,
    changed: Condvar,
}

struct LineState {
    ways: [Way; 2],
    frozen: bool,
    chance: Chance,
    /// Until when each slow way is taken.
    taken: [Duration; 2],
    /// What is on the way, by when it arrives; the number keeps packets of one time in order.
    under_way: BTreeMap<(Duration, u64), (usize, Vec<u8>)>,
    number: u64,
}

impl Packets {
    /// Between board 1 and board 2. The other two ends take the place of board 1 and board 2 where packets
    /// are refused: hosts on which nothing listens, and whose answers are carried whatever the ways are.
    pub fn new(networks: [Network; 4], chance: Chance) -> Self {
        let state = LineState {
            ways: [PASS; 2],
            frozen: false,
            chance,
            taken: [Duration::ZERO; 2],
            under_way: BTreeMap::new(),
            number: 0,
        };
        let line = Arc::new(PacketLine {
            ends: networks.each_ref().map(Network::cable_end),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        for end in 0..4 {
            let its = Arc::clone(&line);
            spawn(move || its.take_in(end));
        }
        let its = Arc::clone(&line);
        spawn(move || its.deliver());
        Self(line, networks)
    }

    /// From 1 to 2, and from 2 to 1. Frozen, nothing goes in or out, and nothing is lost but what the devices
    /// have no room for.
    pub fn set(&self, ways: [Way; 2], frozen: bool) {
        let mut state = self.0.lock();
        (state.ways, state.frozen) = (ways, frozen);
        self.0.changed.notify_all();
    }
}

impl PacketLine {
    fn lock(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().expect("no thread panics here")
    }

    /// What comes from one end, until the device is gone.
    fn take_in(&self, end: usize) {
        let mut buffer = vec![0; 65_536];
        while let Ok(count) = self.ends[end].recv(&mut buffer) {
            let packet = &buffer[..count];
            let state = self.changed.wait_while(self.lock(), |state| state.frozen);
            let mut state = state.expect("no thread panics here");
            match end {
                0 | 1 if state.ways[end] == REJECT => self.send(3 - end, packet),
                0 | 1 => state.take(end, packet),
                _ => self.send(3 - end, packet),
            }
            self.changed.notify_all();
        }
    }

    fn send(&self, end: usize, packet: &[u8]) {
        let _ = self.ends[end].send(packet); // a device that takes nothing has lost it
    }

    fn deliver(&self) {
        let mut state = self.lock();
        loop {
            let next = state.under_way.first_key_value().filter(|_| !state.frozen);
            let wait = next.map_or(Duration::MAX, |((when, _), _)| when.saturating_sub(now()));
            if !wait.is_zero() {
                let waited = self.changed.wait_timeout(state, wait);
                state = waited.expect("no thread panics here").0;
            } else if let Some((_, (way, packet))) = state.under_way.pop_first()
                && ![DROP, REJECT].contains(&state.ways[way])
            {
                // What was on the way when the cable broke is lost with it.
                self.send(1 - way, &packet);
            }
        }
    }
}

impl LineState {
    /// Puts a packet on its way: never, once, or twice.
    fn take(&mut self, way: usize, packet: &[u8]) {
        let Way { odds, late, rate, .. } = self.ways[way];
        if self.under_way.len() > LONGEST || self.chance.is(odds[0]) {
            return;
        }
        for _ in 0..=usize::from(self.chance.is(odds[1])) {
            let mut when = now() + self.chance.seconds(late[0], late[1]);
            if rate.is_finite() {
                let length = f64::from(u32::try_from(packet.len()).expect("a packet"));
                when = when.max(self.taken[way] + Duration::from_secs_f64(length / rate));
                self.taken[way] = when;
            }
            self.number += 1;
            let key = (when, self.number);
            self.under_way.insert(key, (way, packet.to_vec()));
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread of the campaign")]
fn spawn(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("cable".into());
    thread.spawn(work).expect("a thread");
}
