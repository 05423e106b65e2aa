//! The state file: nothing waits for it but the word SAVED, and its own era.

use crate::solo::{CARD1, KO, OK, Solo};
use dualboard_core::machine::Event;
use dualboard_core::owner::Memory;
use dualboard_core::sensor::Card;
use dualboard_core::stage::Stage;
use dualboard_core::wire::Topic;

const REPORT: Topic = Topic::Card(Card::One);

/// An owner without any memory that has been toggled, and all of it is in its file.
fn toggled() -> Solo {
    let mut owner = Solo::open(CARD1, 77, None);
    owner.toggle(1);
    owner.run();
    assert_eq!(owner.stage(1), Some(Stage::Saved));
    owner
}

/// Its next run, restored; its disk has not answered yet.
fn next() -> (Solo, Memory) {
    let file = toggled().file.expect("a file");
    let mut owner = Solo::new(CARD1, 78, Some(&file));
    owner.feed(Event::Connected);
    owner.restore();
    owner.deliver();
    (owner, file)
}

#[test]
fn with_a_disk_that_never_works_every_toggle_goes_out_and_is_never_called_saved() {
    let kept = toggled().file;
    assert!(kept.is_some_and(|file| file.era.is_some()));
    for file in [None, kept] {
        let mut owner = Solo::new(CARD1, 78, file.as_ref());
        owner.feed(Event::Connected);
        owner.restore();
        let first = owner.state(1);
        for presses in 1..10 {
            let before = owner.count(REPORT);
            owner.toggle(1);
            owner.deliver();
            if owner.writing.take().is_some() {
                owner.feed(Event::NotSaved("read-only file system".to_owned()));
            }
            owner.deliver();
            owner.confirm(Card::Two);
            owner.pass(6);
            assert_eq!(owner.state(1) == first, presses % 2 == 0);
            assert!(owner.count(REPORT) > before, "it goes out");
            assert_eq!(owner.stage(1), Some(Stage::Sending));
            assert_eq!(owner.machine.disk_failure(), Some("read-only file system"));
        }
        let beat = owner.last_beat().expect("it beats");
        if let Some(file) = file.and_then(|file| file.era) {
            assert!(beat.is_in(file), "its readings are this owner's");
            assert!(beat.run_era.is_some(), "the next run will count in the file's");
        }
    }
}

#[test]
fn once_the_file_has_taken_its_reservation_the_owner_counts_in_the_files_era() {
    let (mut owner, file) = next();
    owner.toggle(2);
    let early = [1, 2].map(|number| owner.reading(number).expect("known"));
    assert_ne!(Some(early[1].version.era()), file.era);
    owner.run();
    for (number, early) in (1..).zip(early) {
        let after = owner.reading(number).expect("known");
        assert_eq!(after.state, early.state);
        assert_eq!(owner.stage(number), Some(Stage::Saved));
        assert!(after.version.covers(early.version.dot));
        assert_eq!(Some(after.version.era()), file.era);
    }
    owner.pass(2);
    assert_eq!(owner.last_beat().map(|beat| beat.era), file.era);
}

#[test]
fn a_disk_that_does_not_answer_is_told_and_holds_nothing_up() {
    let (mut owner, _) = next();
    let before = owner.count(REPORT);
    owner.toggle(1);
    assert_eq!(owner.count(REPORT), before + 1);
    assert!(owner.writing.is_some());
    owner.pass(4);
    assert_eq!(owner.machine.disk_failure(), None);
    owner.pass(1);
    let why = owner.machine.disk_failure().expect("it is told");
    assert!(why.contains("has not answered"), "{why}");
    assert_eq!((owner.state(1), owner.stage(1)), (OK, Some(Stage::Sending)));
    owner.run();
    assert_eq!(owner.machine.disk_failure(), None);
    assert_eq!(owner.stage(1), Some(Stage::Saved));
}

#[test]
fn a_file_that_somebody_took_away_is_written_again_and_nothing_is_called_saved_until_it_is() {
    let mut owner = toggled();
    assert!(owner.machine.is_on_disk());
    owner.feed(Event::FileGone("state folder deleted".to_owned()));
    assert!(owner.writing.is_some(), "at once");
    assert_eq!(owner.stage(1), Some(Stage::Sending));
    assert_eq!(owner.machine.disk_failure(), Some("state folder deleted"));
    assert!(!owner.machine.is_on_disk());
    owner.run();
    assert_eq!((owner.state(1), owner.stage(1)), (KO, Some(Stage::Saved)));
    assert_eq!(owner.machine.disk_failure(), None);
}

#[test]
fn the_number_in_the_client_id_is_kept_in_the_file() {
    let file = toggled().file.expect("a file");
    assert_eq!(file.client, Some(7));
    assert_eq!(toggled().machine.client_id(), "card1_monitor-00000007");
}
