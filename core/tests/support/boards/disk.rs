//! An owner's state file: replaced as a whole, durable when the write has come to its end, and sometimes
//! not there any more.

use std::rc::Rc;

use dualboard_core::owner::Memory;
use dualboard_core::wire::decode_memory;

use super::payload::{Image, image_of};

#[derive(Clone)]
pub struct File {
    pub bytes: Rc<[u8]>,
    pub image: Image,
    /// The client id of the program that wrote it.
    pub client: Rc<str>,
    /// Which write it came of; 0 if it is torn.
    pub number: u64,
}

#[derive(Default)]
pub struct VirtualDisk {
    /// What a restart will find.
    pub durable: Option<File>,
    /// Written, but not known to be durable: after a crash it may be there or not.
    pub writing: Option<File>,
    pub failing: bool,
    /// Read-only until the program ends.
    pub read_only: bool,
}

impl VirtualDisk {
    pub fn write(&mut self, number: u64, bytes: &[u8], client: &Rc<str>) {
        self.writing = Some(File {
            image: image_of(bytes),
            bytes: Rc::from(bytes),
            client: Rc::clone(client),
            number,
        });
    }

    /// The write has come to its end.
    pub fn sync(&mut self) -> Result<(), String> {
        let written = self.writing.take();
        if self.failing || self.read_only {
            return Err("no space left".to_owned());
        }
        self.durable = written.or_else(|| self.durable.take());
        Ok(())
    }

    /// The process or the board is gone while a write may be under way.
    pub fn crash(&mut self, kept: bool) {
        let whole = kept && !self.failing && !self.read_only;
        if let Some(written) = self.writing.take().filter(|_| whole) {
            self.durable = Some(written);
        }
        self.read_only = false;
    }

    pub fn wipe(&mut self) {
        *self = Self::default();
    }

    /// The file's end is torn off.
    pub fn tear(&mut self, at: usize) {
        if let Some(file) = &mut self.durable {
            file.bytes = Rc::from(&file.bytes[..at % file.bytes.len().max(1)]);
            (file.image, file.client, file.number) = ([None; 6], Rc::from(""), 0);
        }
    }

    pub fn read(&self) -> Result<Memory, String> {
        let file = self.durable.as_ref().ok_or_else(|| "no state file".to_owned())?;
        decode_memory(&file.bytes).map_err(|malformed| malformed.to_string())
    }
}
