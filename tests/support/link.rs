//! A link to a broker that can be cut: a TCP relay on a port of its own, for a program or for the bridge
//! between the boards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A relay to one port of 127.0.0.1, for as long as the process lives.
pub struct TcpRelay {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// How long everything takes to the target, and back; `None` where connections end, and new ones end at
    /// once.
    delays: Mutex<Option<[Duration; 2]>>,
    changed: Condvar,
    ends: Mutex<Vec<TcpStream>>,
    /// How much has gone to the target, and back.
    bytes: [AtomicU64; 2],
}

impl TcpRelay {
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let shared = Arc::new(Shared {
            delays: Mutex::new(Some([Duration::ZERO; 2])),
            changed: Condvar::new(),
            ends: Mutex::default(),
            bytes: <[AtomicU64; 2]>::default(),
        });
        let its = Arc::clone(&shared);
        spawn(move || {
            for near in listener.incoming().flatten() {
                if !its.is_cut() {
                    let _ = its.connect(near, target);
                }
            }
        });
        Self { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the near end.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// How many bytes have gone to the target so far, and back.
    pub fn bytes(&self) -> [u64; 2] {
        self.shared
            .bytes
            .each_ref()
            .map(|bytes| bytes.load(Ordering::Relaxed))
    }

    /// Ends every connection, and every new one, until [`TcpRelay::heal`].
    pub fn cut(&self) {
        self.set(None);
    }

    /// Swallows everything without a word until [`TcpRelay::heal`]; what TCP sends again comes through then.
    pub fn silence(&self) {
        self.set(Some([Duration::MAX; 2]));
    }

    pub fn heal(&self) {
        self.set(Some([Duration::ZERO; 2]));
    }

    /// How long everything takes from now on: to the target, and back. `None` is a cut.
    pub fn set(&self, delays: Option<[Duration; 2]>) {
        *self.shared.lock() = delays;
        self.shared.changed.notify_all();
        if delays.is_none() {
            for stream in self.shared.ends.lock().expect("no thread panics here").drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<[Duration; 2]>> {
        self.delays.lock().expect("no thread panics here")
    }

    fn is_cut(&self) -> bool {
        self.lock().is_none()
    }

    fn connect(self: &Arc<Self>, near: TcpStream, target: u16) -> std::io::Result<()> {
        let far = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let there = (near.try_clone()?, far.try_clone()?);
        let back = (far.try_clone()?, near.try_clone()?);
        let mut ends = self.ends.lock().expect("no thread panics here");
        // It may have been cut since the connection came in; once these are among the ends, a cut ends them.
        if self.is_cut() {
            return Ok(());
        }
        ends.extend([near, far]);
        drop(ends);
        for (way, (from, to)) in [there, back].into_iter().enumerate() {
            let shared = Arc::clone(self);
            spawn(move || shared.relay(way, from, to));
        }
        Ok(())
    }

    fn relay(&self, way: usize, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            self.hold_up(way);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
            self.bytes[way].fetch_add(count as u64, Ordering::Relaxed);
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    /// Returns when what has just come may go on.
    #[allow(clippy::disallowed_methods, reason = "what is slow takes time")]
    fn hold_up(&self, way: usize) {
        let begun = Instant::now();
        let mut delays = self.lock();
        while let Some(left) = delays.and_then(|delays| delays[way].checked_sub(begun.elapsed())) {
            let waited = self.changed.wait_timeout(delays, left);
            delays = waited.expect("no thread panics here").0;
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread of the tests")]
fn spawn(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("link".into());
    thread.spawn(work).expect("a thread");
}
