//! The owner's end: a thread that serves the screens, and that alone has to do with how fast they read.

mod screen_link;

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::screen_link::{LastLine, ScreenLink};
use super::{FromOwner, Hello, Reply, Request, VERSION, line, peer, socket_path};
use crate::mqtt::Exposure;
use crate::sensor::Card;
use crate::storage::state_file::access;
use crate::system::threads;
use crate::system::wake::Wake;
use crate::view::View;

/// More screens than people and walls at one board.
const MOST: usize = 64;

/// Who may attach: the owner's user, and the group of the socket. The state folder has to let that group
/// through as well, which it does only where somebody has set it up so.
const MODE: u32 = 0o660;

/// So many bytes of answers wait for a screen that asks and does not read.
const MOST_ANSWERS: usize = 64 * 1024;

/// The pause after a screen could not be taken in.
const ACCEPT_AGAIN: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// What comes from the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are requests")]
pub enum FromScreen {
    /// One more is there: it has nothing to show yet.
    Attached,
    /// The screen with this number asks for something.
    Request(u64, Request),
}

/// The screens of an owner. Dropped, it lets go of all of them and takes the socket away.
pub struct Screens {
    path: PathBuf,
    /// Which socket it listens on: after the folder was moved, another owner may have its own at the same
    /// path.
    listens_on: Option<(u64, u64)>,
    shared: Arc<Shared>,
    requests: Receiver<FromScreen>,
    /// What was shown last: the same is not sent again.
    last: Option<Arc<View>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    unsent: Mutex<Unsent>,
    wake: Wake,
    attached: AtomicUsize,
    stop: AtomicBool,
}

#[derive(Default)]
struct Unsent {
    /// In the place of the one that was listened to.
    listener: Option<UnixListener>,
    view: Option<Arc<View>>,
    replies: Vec<(u64, Reply)>,
}

impl Screens {
    /// Listens in the state folder. Whoever calls holds the card's lock: a socket that lies there is nobody's
    /// any more.
    ///
    /// # Errors
    /// Names the socket, and why there can be none.
    pub fn listen(folder: &Path, card: Card, place: &str, (url, exposure): (&str, Exposure)) -> Result<Self> {
        let path = socket_path(folder, card);
        let hello = Hello {
            version: VERSION.to_owned(),
            pid: std::process::id(),
            place: place.to_owned(),
            url: url.to_owned(),
            exposure,
        };
        let listener = bind(&path).with_context(|| format!("cannot make the socket {}", path.display()))?;
        let shared = Arc::new(Shared {
            unsent: Mutex::default(),
            wake: Wake::new().context("cannot make a pipe")?,
            attached: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let (sender, requests) = unbounded();
        let server = Server {
            path: path.clone(),
            listener,
            hello: line(&FromOwner::Hello(hello)).into(),
            shared: Arc::clone(&shared),
            requests: sender,
            screens: Vec::new(),
            last_line: LastLine::default(),
            attached: 0,
            has_no_files: false,
        };
        let thread = threads::start("screens", move || server.serve()).context("cannot start a thread")?;
        Ok(Self {
            listens_on: file_id(&path),
            path,
            shared,
            requests,
            last: None,
            thread: Some(thread),
        })
    }

    /// Listens again where its socket is gone; `owned` says that the folder is surely this owner's, so that
    /// what is there in the place of the socket is nobody's. Those who have attached stay.
    pub fn stay_in_place(&mut self, owned: bool) {
        let there = file_id(&self.path);
        if there.is_some() && (!owned || there == self.listens_on) {
            return;
        }
        // Where that fails, the folder is gone, or something is there that is no file.
        if let Ok(listener) = bind(&self.path) {
            self.listens_on = file_id(&self.path);
            self.shared.act(|unsent| unsent.listener = Some(listener));
        }
    }

    /// What comes from them.
    #[must_use]
    pub const fn requests(&self) -> &Receiver<FromScreen> {
        &self.requests
    }

    /// Shows a view to all of them, and costs nothing where there are none.
    pub fn show(&mut self, view: impl FnOnce() -> View) {
        if self.shared.attached.load(Ordering::SeqCst) == 0 {
            self.last = None;
            return;
        }
        let view = view();
        if self.last.as_ref().is_some_and(|last| **last == view) {
            return;
        }
        let view = Arc::new(view);
        self.last = Some(Arc::clone(&view));
        self.shared.act(|unsent| unsent.view = Some(view));
    }

    /// One more is there: it gets the next view, also if that is the same.
    pub fn show_again(&mut self) {
        self.last = None;
    }

    /// Tells a screen what became of a request.
    pub fn reply(&self, screen: u64, reply: Reply) {
        self.shared.act(|unsent| unsent.replies.push((screen, reply)));
    }
}

impl Drop for Screens {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.wake.call();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if file_id(&self.path) == self.listens_on {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Shared {
    fn act(&self, what: impl FnOnce(&mut Unsent)) {
        what(&mut self.unsent.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.call();
    }

    fn take(&self) -> Unsent {
        std::mem::take(&mut *self.unsent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    // One that a crash has left.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, PermissionsExt::from_mode(MODE))?;
    if rustix::process::geteuid().is_root() {
        // One that root makes must not lock out the folder's owner.
        let folder = fs::metadata(access::folder(path))?;
        chown(path, Some(folder.uid()), Some(folder.gid()))?;
    }
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Tells a file from any other; `None` where there is none.
fn file_id(path: &Path) -> Option<(u64, u64)> {
    let file = fs::symlink_metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

struct Server {
    path: PathBuf,
    listener: UnixListener,
    hello: Arc<[u8]>,
    shared: Arc<Shared>,
    requests: Sender<FromScreen>,
    screens: Vec<ScreenLink>,
    last_line: LastLine,
    /// How many there have ever been: the number of the last one.
    attached: u64,
    /// Who waits to be taken in cannot be: most likely this process may open no more files.
    has_no_files: bool,
}

impl Server {
    fn serve(mut self) {
        loop {
            if self.wait().is_err() || self.shared.stop.load(Ordering::SeqCst) {
                return;
            }
            self.shared.wake.answer();
            let Unsent {
                listener,
                view,
                replies,
            } = self.shared.take();
            if let Some(listener) = listener {
                self.listener = listener;
            }
            for screen in &mut self.screens {
                for (_, reply) in replies.iter().filter(|(number, _)| *number == screen.number) {
                    screen.answers.extend(line(&FromOwner::Reply(*reply)));
                    if let Reply::Done(_) = reply {
                        screen.asked = screen.asked.saturating_sub(1);
                    }
                }
                screen.view = view.clone().or(screen.view.take());
            }
            let (requests, last_line) = (&self.requests, &mut self.last_line);
            self.screens
                .retain_mut(|screen| screen.serve(requests, last_line).is_ok());
            self.accept();
        }
    }

    /// Takes in who has come.
    fn accept(&mut self) {
        let mut news = false;
        self.has_no_files = false;
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.has_no_files = true;
                    break;
                }
            };
            if stream.set_nonblocking(true).is_err() || !peer::may_attach(&stream, &self.path) {
                continue;
            }
            if self.screens.len() == MOST {
                // A word of a few bytes; whoever does not take it learns the same from the end.
                let _ = (&stream).write(&line(&FromOwner::Full(MOST)));
                continue;
            }
            self.attached += 1;
            self.screens
                .push(ScreenLink::new(self.attached, stream, &self.hello));
            news = true;
        }
        self.shared.attached.store(self.screens.len(), Ordering::SeqCst);
        if news {
            // The main loop is gone at the end only.
            let _ = self.requests.send(FromScreen::Attached);
        }
    }

    fn wait(&self) -> io::Result<()> {
        let mut fds = vec![PollFd::new(&self.shared.wake, PollFlags::IN)];
        let pause = if self.has_no_files {
            Some(&ACCEPT_AGAIN)
        } else {
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
            None
        };
        fds.extend(self.screens.iter().filter_map(|screen| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, screen.may_ask());
            flags.set(PollFlags::OUT, screen.has_more());
            // One that waits for answers only is left out: its end would be told over and over.
            (!flags.is_empty()).then(|| PollFd::from_borrowed_fd(screen.stream.as_fd(), flags))
        }));
        loop {
            match poll(&mut fds, pause) {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(()),
            }
        }
    }
}
