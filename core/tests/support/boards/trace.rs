//! What happened, as a hash always and as lines when asked for.

use std::fmt::Display;

#[derive(Default)]
pub struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub fn new(recording: bool) -> Self {
        Self {
            hash: 0xCBF2_9CE4_8422_2325,
            lines: recording.then(Vec::new),
        }
    }

    /// Mixes what happened into the hash. The words are made only if somebody will read them.
    pub fn note<W: Display>(&mut self, now: u64, code: u64, bytes: &[u8], words: impl FnOnce() -> W) {
        let chunks = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        for word in [now, code, bytes.len() as u64].into_iter().chain(chunks) {
            let mixed = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01B3);
            self.hash = mixed.rotate_left(17);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>7}.{:03} {}", now / 1000, now % 1000, words()));
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
