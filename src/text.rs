//! What is said to people: words, times, and text that can hide nothing.

pub mod plain_text;
pub mod words;
pub(crate) mod zone;
