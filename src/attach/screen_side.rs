//! A screen's end: a thread that reads what the owner says, for as long as there is one.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{FromOwner, Hello, MOST_ASKED, Reply, Request, VERSION, line, peer, socket_path};
use crate::event_log::EventLog;
use crate::sensor::Card;
use crate::system::threads;
use crate::view::View;

/// How long an owner may take for its first word. It has a thread of its own for this: one that takes longer
/// is stopped, or hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a process is no screen of an owner; in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAttached {
    /// Nobody listens there.
    #[error("nobody listens on {0}")]
    Nobody(String),
    /// The socket cannot be used.
    #[error("cannot use the socket {0}: {1}")]
    Unusable(String, String),
    /// This user may not.
    #[error("cannot use the socket {0}: {1}; run this as its owner, as root, or as somebody in its group")]
    Denied(String, String),
    /// It is not the user's to whom the state folder belongs.
    #[error("{0} is served by a process of another user than the one that the folder belongs to")]
    Stranger(String),
    /// It does not speak.
    #[error("it does not answer on {0}: it is stopped, or hangs")]
    Silent(String),
    /// It serves no more of them.
    #[error("it has {0} screens, and serves no more")]
    Full(usize),
    /// It is of another release, and speaks otherwise.
    #[error("it is of version {0} and this is {version}: they do not understand each other", version = VERSION)]
    OtherVersion(String),
}

impl NotAttached {
    /// Whether that may pass by itself: the owner begins, ends, is stopped, or has other screens to serve.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Nobody(_) | Self::Silent(_) | Self::Full(_))
    }
}

/// A connection to an owner.
pub struct OwnerLink {
    hello: Hello,
    stream: UnixStream,
    views: Receiver<Box<View>>,
    replies: Receiver<Reply>,
}

impl OwnerLink {
    /// Becomes a screen of the owner of a card that has this state folder.
    ///
    /// # Errors
    /// Says why not.
    pub fn to(folder: &Path, card: Card) -> Result<Self, NotAttached> {
        let path = socket_path(folder, card);
        let shown = || path.display().to_string();
        let stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => NotAttached::Nobody(shown()),
            ErrorKind::PermissionDenied => NotAttached::Denied(shown(), error.to_string()),
            _ => NotAttached::Unusable(shown(), error.to_string()),
        })?;
        if !peer::may_own(&stream, folder) {
            return Err(NotAttached::Stranger(shown()));
        }
        let unusable = |error: io::Error| NotAttached::Unusable(shown(), error.to_string());
        stream.set_read_timeout(Some(PATIENCE)).map_err(unusable)?;
        let mut reader = BufReader::new(stream.try_clone().map_err(unusable)?);
        let hello = greeting(&mut reader, &path)?;
        stream.set_read_timeout(None).map_err(unusable)?;
        // One is enough: a view that was not taken is replaced by the next one.
        let (views, newest) = bounded(1);
        let (reply_sender, replies) = bounded(8 * MOST_ASKED);
        let taken = newest.clone();
        threads::start("owner", move || read(reader, &(views, taken), &reply_sender)).map_err(unusable)?;
        Ok(Self {
            hello,
            stream,
            views: newest,
            replies,
        })
    }

    /// What the owner said first.
    #[must_use]
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// The newest view each time; closed when the owner has ended.
    #[must_use]
    pub const fn views(&self) -> &Receiver<Box<View>> {
        &self.views
    }

    /// What became of the requests; closed when the owner has ended.
    #[must_use]
    pub const fn replies(&self) -> &Receiver<Reply> {
        &self.replies
    }

    /// Asks for something.
    ///
    /// # Errors
    /// The owner has ended.
    pub fn ask(&self, request: Request) -> io::Result<()> {
        (&self.stream).write_all(&line(&request))
    }
}

impl Drop for OwnerLink {
    fn drop(&mut self) {
        // The thread that reads ends with it.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

fn greeting(reader: &mut BufReader<UnixStream>, path: &Path) -> Result<Hello, NotAttached> {
    let mut first = String::new();
    match reader.read_line(&mut first) {
        Ok(_) if first.ends_with('\n') => {}
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            return Err(NotAttached::Silent(path.display().to_string()));
        }
        // It has just ended.
        Ok(_) | Err(_) => return Err(NotAttached::Nobody(path.display().to_string())),
    }
    match serde_json::from_str(&first) {
        Ok(FromOwner::Hello(hello)) if hello.version == VERSION => Ok(hello),
        Ok(FromOwner::Hello(hello)) => Err(NotAttached::OtherVersion(hello.version)),
        Ok(FromOwner::Full(most)) => Err(NotAttached::Full(most)),
        Ok(_) | Err(_) => Err(NotAttached::OtherVersion("unknown".to_owned())),
    }
}

/// Until the owner ends, or says what cannot be understood.
fn read(
    reader: BufReader<UnixStream>,
    (views, taken): &(Sender<Box<View>>, Receiver<Box<View>>),
    replies: &Sender<Reply>,
) {
    let mut event_log = Arc::<EventLog>::default();
    for line in reader.lines() {
        let Ok(message) = line
            .map_err(drop)
            .and_then(|line| serde_json::from_str(&line).map_err(drop))
        else {
            return;
        };
        match message {
            FromOwner::View(mut view) => {
                // Of the events it says only what is new since the last view.
                event_log = Arc::new(Arc::unwrap_or_clone(view.event_log).after(&event_log));
                view.event_log = Arc::clone(&event_log);
                let _ = taken.try_recv();
                if views.send(view).is_err() {
                    return;
                }
            }
            // There is room for more than may wait for answers.
            FromOwner::Reply(reply) => drop(replies.try_send(reply)),
            FromOwner::Hello(_) | FromOwner::Full(_) => {}
        }
    }
}
