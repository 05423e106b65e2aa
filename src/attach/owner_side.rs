//! The owner's end: a thread that serves the screens, and that alone has to do with how fast they read.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    FromOwner, Hello, LONGEST_REQUEST, MOST_ASKED, Reply, Request, VERSION, line, peer, socket_path,
};
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
    pub fn listen(folder: &Path, card: Card, place: &str, url: &str) -> Result<Self> {
        let path = socket_path(folder, card);
        let hello = Hello {
            version: VERSION.to_owned(),
            pid: std::process::id(),
            place: place.to_owned(),
            url: url.to_owned(),
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

/// A screen: what it is sent now, and what it is sent next.
struct ScreenLink {
    number: u64,
    stream: UnixStream,
    input: Vec<u8>,
    /// Requests of it that have not been answered.
    asked: usize,
    /// It takes nothing any more. What it asked for before is still read.
    is_deaf: bool,
    /// The message that is being written, and how much of it has been.
    sending: Option<(Arc<[u8]>, usize)>,
    /// Answers wait for each other, views replace each other.
    answers: Vec<u8>,
    view: Option<Arc<View>>,
    /// The last view that was sent, or is being sent.
    sent: Option<Arc<View>>,
}

/// The last view that was made a line, for screens that have had the same one before.
#[derive(Default)]
struct LastLine {
    /// What was sent before it.
    after: Option<Arc<View>>,
    view: Option<Arc<View>>,
    line: Arc<[u8]>,
}

impl LastLine {
    /// A view as a line to a screen that has had another one. Nearly all of it would be events that it has
    /// already: only the new ones are sent.
    fn of(&mut self, view: &Arc<View>, after: Option<&Arc<View>>) -> Arc<[u8]> {
        let is_same = |one: Option<&Arc<View>>, other: Option<&Arc<View>>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        if !is_same(self.view.as_ref(), Some(view)) || !is_same(self.after.as_ref(), after) {
            let mut new = (**view).clone();
            if let Some(after) = after {
                new.event_log = Arc::new(view.event_log.since(&after.event_log));
            }
            self.line = line(&FromOwner::View(Box::new(new))).into();
            self.view = Some(Arc::clone(view));
            self.after = after.cloned();
        }
        Arc::clone(&self.line)
    }
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

impl ScreenLink {
    fn new(number: u64, stream: UnixStream, hello: &Arc<[u8]>) -> Self {
        Self {
            number,
            stream,
            input: Vec::new(),
            asked: 0,
            is_deaf: false,
            sending: Some((Arc::clone(hello), 0)),
            answers: Vec::new(),
            view: None,
            sent: None,
        }
    }

    const fn may_ask(&self) -> bool {
        self.asked < MOST_ASKED
    }

    fn has_more(&self) -> bool {
        !self.is_deaf && (self.sending.is_some() || !self.answers.is_empty() || self.view.is_some())
    }

    /// Reads and writes as much as there is; an error is its end.
    fn serve(&mut self, requests: &Sender<FromScreen>, last_line: &mut LastLine) -> io::Result<()> {
        self.read(requests)?;
        self.write(last_line)
    }

    /// Reads once: the others have their turn before there is more.
    fn read(&mut self, requests: &Sender<FromScreen>) -> io::Result<()> {
        if !self.may_ask() {
            return Ok(());
        }
        let mut bytes = [0; LONGEST_REQUEST];
        match (&self.stream).read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.input.extend_from_slice(&bytes[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        while let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
            let request: Request = serde_json::from_slice(&self.input[..end])?;
            self.input.drain(..=end);
            self.asked += 1;
            // The main loop is gone at the end only.
            let _ = requests.send(FromScreen::Request(self.number, request));
        }
        if self.input.len() > LONGEST_REQUEST {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Answers and the view after them, at one go: a screen is woken once.
    fn next_message(&mut self, last_line: &mut LastLine) -> Option<Arc<[u8]>> {
        let mut answers = std::mem::take(&mut self.answers);
        let Some(view) = self.view.take() else {
            return (!answers.is_empty()).then(|| answers.into());
        };
        let line = last_line.of(&view, self.sent.as_ref());
        self.sent = Some(view);
        if answers.is_empty() {
            return Some(line);
        }
        answers.extend_from_slice(&line);
        Some(answers.into())
    }

    fn write(&mut self, last_line: &mut LastLine) -> io::Result<()> {
        if self.answers.len() > MOST_ANSWERS {
            // It asks and does not read.
            return Err(ErrorKind::OutOfMemory.into());
        }
        while !self.is_deaf {
            if self.sending.is_none() {
                self.sending = self.next_message(last_line).map(|bytes| (bytes, 0));
            }
            let Some((bytes, sent)) = &mut self.sending else {
                return Ok(());
            };
            match (&self.stream).write(&bytes[*sent..]) {
                Ok(count) => *sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.is_deaf = true,
            }
            if self
                .sending
                .as_ref()
                .is_some_and(|(bytes, sent)| *sent == bytes.len())
            {
                self.sending = None;
            }
        }
        Ok(())
    }
}
