//! What the core must do, a file for each subject.

#[path = "../support/boards/mod.rs"]
mod boards;
#[path = "../support/hostile/mod.rs"]
mod hostile;
#[path = "../support/solo.rs"]
mod solo;

mod acknowledged;
mod alarms;
mod bell;
mod commands;
mod compatibility;
mod decoding;
mod disk;
mod event_log;
mod flood;
mod freshness;
mod hostile_corpus;
mod hostile_events;
mod hostile_findings;
mod names;
mod owner;
mod plain;
mod pulse;
mod quarantine;
mod republish;
mod restore;
mod rights;
mod topics;
mod twins;
mod versions;
mod view;
