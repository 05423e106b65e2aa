//! Where the connection stands; the picture of the ways is in [`super::session`].

use std::time::Instant;

use super::Problem;
use super::client::Operation;

/// One at a time; each has what it waits for, and until when.
pub(super) enum ConnectionState {
    Waiting {
        until: Instant,
    },
    Connecting {
        connect: Operation,
        until: Instant,
    },
    Explaining {
        attempt: u64,
        /// What is said if nothing more is found out.
        known: Problem,
        until: Instant,
    },
    Subscribing {
        subscribe: Operation,
        until: Instant,
    },
    Ready {
        since: Instant,
    },
    Leaving {
        why: Problem,
        until: Instant,
    },
    Gone,
}
