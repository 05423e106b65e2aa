//! A link to a broker that can be cut: a TCP relay on a port of its own, for a program or for the bridge
//! between the boards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// What the link does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Whole,
    /// Connections end, and new ones end at once.
    Cut,
    /// Connections stay, and nothing comes through: a pulled cable.
    Silent,
}

/// A relay to one port of 127.0.0.1, for as long as the process lives.
pub struct TcpRelay {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mutex<Mode>,
    changed: Condvar,
    ends: Mutex<Vec<TcpStream>>,
}

impl TcpRelay {
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Whole),
            changed: Condvar::new(),
            ends: Mutex::default(),
        });
        let its = Arc::clone(&shared);
        spawn(move || {
            for near in listener.incoming().flatten() {
                if its.mode() != Mode::Cut {
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

    /// Ends every connection, and every new one, until [`TcpRelay::heal`].
    pub fn cut(&self) {
        self.shared.set(Mode::Cut);
        for stream in self.shared.ends.lock().expect("no thread panics here").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Swallows everything without a word until [`TcpRelay::heal`]; what TCP sends again comes through then.
    pub fn silence(&self) {
        self.shared.set(Mode::Silent);
    }

    pub fn heal(&self) {
        self.shared.set(Mode::Whole);
    }
}

impl Shared {
    fn mode(&self) -> Mode {
        *self.mode.lock().expect("no thread panics here")
    }

    fn set(&self, mode: Mode) {
        *self.mode.lock().expect("no thread panics here") = mode;
        self.changed.notify_all();
    }

    fn connect(self: &Arc<Self>, near: TcpStream, target: u16) -> std::io::Result<()> {
        let far = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let there = (near.try_clone()?, far.try_clone()?);
        let back = (far.try_clone()?, near.try_clone()?);
        let mut ends = self.ends.lock().expect("no thread panics here");
        // It may have been cut since the connection came in; once these are among the ends, a cut ends them.
        if self.mode() == Mode::Cut {
            return Ok(());
        }
        ends.extend([near, far]);
        drop(ends);
        for (from, to) in [there, back] {
            let shared = Arc::clone(self);
            spawn(move || shared.relay(from, to));
        }
        Ok(())
    }

    fn relay(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mode = self.mode.lock().expect("no thread panics here");
            let silent = |mode: &mut Mode| *mode == Mode::Silent;
            drop(
                self.changed
                    .wait_while(mode, silent)
                    .expect("no thread panics here"),
            );
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread of the tests")]
fn spawn(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("link".into());
    thread.spawn(work).expect("a thread");
}
