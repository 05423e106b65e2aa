//! The events of two places as one list.

use dualboard_core::event_log::{EventLog, Fact, KEPT};
use dualboard_core::time::Wall;

/// A log of these events, each with its time.
fn log(events: &[(i64, &str)]) -> EventLog {
    let mut log = EventLog::default();
    for (wall, text) in events {
        log.note(Wall(*wall), Fact::NotSaved((*text).to_owned()));
    }
    log
}

/// Its events, the oldest first.
fn texts(log: &EventLog) -> Vec<&str> {
    let texts = log.newest_first().map(|entry| match &entry.fact {
        Fact::NotSaved(text) => text.as_str(),
        _ => panic!("{entry:?}"),
    });
    let mut texts: Vec<&str> = texts.collect();
    texts.reverse();
    texts
}

#[test]
fn two_logs_are_one_by_their_times_and_each_keeps_its_own_order() {
    // The clock of the first was set back.
    let first = log(&[(10, "a"), (30, "b"), (20, "c"), (40, "d")]);
    let second = log(&[(15, "1"), (25, "2"), (50, "3")]);
    let joined = first.joined(&second);
    assert_eq!(texts(&joined), ["a", "1", "2", "b", "c", "d", "3"]);
    assert_eq!(joined.noted(), 7);
    assert_eq!(first.joined(&EventLog::default()), first);
    assert_eq!(EventLog::default().joined(&second), second);
}

#[test]
fn of_two_long_logs_the_newest_events_stay() {
    let of = |name: &str, times: std::ops::Range<i64>| {
        let mut log = EventLog::default();
        for wall in times {
            log.note(Wall(wall), Fact::NotSaved(format!("{name}{wall}")));
        }
        log
    };
    let joined = of("a", 0..300).joined(&of("b", 200..300));
    assert_eq!((joined.newest_first().count(), joined.noted()), (KEPT, 400));
    assert_eq!(texts(&joined)[..2], ["a200", "b200"]);
}
