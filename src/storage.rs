//! What is kept on disk: a card's state file, and the lock that keeps its owner alone.

pub mod lock;
pub mod state_file;
