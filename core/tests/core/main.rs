//! What the core must do, a file for each subject.

#[path = "../support/hostile.rs"]
mod hostile;
#[path = "../support/net.rs"]
mod net;
#[path = "../support/solo.rs"]
mod solo;

mod again;
mod alarms;
mod commands;
mod compatibility;
mod decoding;
mod disk;
mod flood;
mod hostile_corpus;
mod hostile_events;
mod hostile_findings;
mod live;
mod owner;
mod plain;
mod pulse;
mod quarantine;
mod restore;
mod rights;
mod twins;
mod versions;
mod view;
