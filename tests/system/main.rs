//! The three programs as people meet them: real brokers, real terminals, real keys.
//!
//! They wait for brokers and time-outs most of the time. As one binary they share one pool of threads, so
//! that `RUST_TEST_THREADS` can be larger than the number of cores.

#[path = "../support/mod.rs"]
mod support;

mod acknowledged;
mod addresses;
mod alarms;
mod attached;
mod attached_rights;
mod attached_socket;
mod bad_payloads;
mod bad_stores;
mod bell;
mod check;
mod command_line;
mod command_topic;
mod displays;
mod exposure;
mod job_control;
mod keys;
mod lines;
mod log;
mod machine_bytes;
mod moved_folder;
mod names;
mod on_alarm;
mod once;
mod one_owner;
mod outage;
mod plain_programs;
mod python;
mod remote_screens;
mod restart;
mod rights;
mod service;
mod set;
mod set_faults;
mod settings_files;
mod state_access;
mod state_file;
mod take_over;
mod terminal;
mod terminal_shell;
mod toggle_mode;
mod two_owners;
