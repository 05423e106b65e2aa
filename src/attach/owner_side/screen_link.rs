//! One screen at an owner's socket: what it asks, and what it is sent, never more than it takes.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::super::{FromOwner, LONGEST_REQUEST, MOST_ASKED, Request, line};
use super::{FromScreen, MOST_ANSWERS};
use crate::view::View;

/// A screen: what it is sent now, and what it is sent next.
pub(super) struct ScreenLink {
    pub(super) number: u64,
    pub(super) stream: UnixStream,
    input: Vec<u8>,
    /// Requests of it that have not been answered.
    pub(super) asked: usize,
    /// It takes nothing any more. What it asked for before is still read.
    is_deaf: bool,
    /// The message that is being written, and how much of it has been.
    sending: Option<(Arc<[u8]>, usize)>,
    /// Answers wait for each other, views replace each other.
    pub(super) answers: Vec<u8>,
    pub(super) view: Option<Arc<View>>,
    /// The last view that was sent, or is being sent.
    sent: Option<Arc<View>>,
}

/// The last view that was made a line, for screens that have had the same one before.
#[derive(Default)]
pub(super) struct LastLine {
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

impl ScreenLink {
    pub(super) fn new(number: u64, stream: UnixStream, hello: &Arc<[u8]>) -> Self {
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

    pub(super) const fn may_ask(&self) -> bool {
        self.asked < MOST_ASKED
    }

    pub(super) fn has_more(&self) -> bool {
        !self.is_deaf && (self.sending.is_some() || !self.answers.is_empty() || self.view.is_some())
    }

    /// Reads and writes as much as there is; an error is its end.
    pub(super) fn serve(
        &mut self,
        requests: &Sender<FromScreen>,
        last_line: &mut LastLine,
    ) -> io::Result<()> {
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
