//! The state file: what waits for it, and for how long.

use std::time::Duration;

use dualboard::global::Shown;
use dualboard::machine::{Effect, Event, Machine, Role, Setup, Ticket};
use dualboard::owner::Memory;
use dualboard::sensor::{Card, SensorId};
use dualboard::stage::Stage;
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::wire::Topic;

fn at(seconds: u64) -> Now {
    Now {
        mono: Mono::from_start(Duration::from_secs(seconds)),
        wall: Wall(0),
    }
}

/// An owner without any memory that has just closed its start gate, writes its first file, and has been toggled meanwhile.
fn toggled() -> (Machine, Vec<Effect>) {
    let mut machine = restored(Life(77), Err("no state file".to_owned()));
    let effects = machine.handle(at(0), Event::Toggle(SensorId::ALL[0]));
    (machine, effects)
}

/// An owner that has just closed its start gate, and writes its first file.
fn restored(life: Life, memory: Result<Memory, String>) -> Machine {
    let mut machine = Machine::new(Setup {
        role: Role::Monitor(Card::One),
        client_id: "me".to_owned(),
        life,
        memory,
        started: at(0),
    });
    let effects = machine.handle(at(0), Event::Connected);
    let marker = effects.iter().find_map(|effect| match effect {
        Effect::Publish {
            topic: Topic::Marker,
            payload,
            ..
        } => Some(payload.clone()),
        _ => None,
    });
    let topic = Topic::Marker.name("me");
    let payload = marker.expect("a marker");
    let came_back = Event::Message {
        topic,
        payload,
        retained: false,
    };
    for ticket in tickets(&machine.handle(at(0), came_back)) {
        let _ = machine.handle(at(0), Event::Delivered(ticket));
    }
    machine
}

fn tickets(effects: &[Effect]) -> Vec<Ticket> {
    let ticket = |effect: &Effect| match effect {
        Effect::Publish { ticket, .. } => Some(*ticket),
        _ => None,
    };
    effects.iter().filter_map(ticket).collect()
}

fn reports(effects: &[Effect]) -> usize {
    let report = |effect: &&Effect| matches!(effect, Effect::Publish { topic, .. } if *topic == Topic::Card1);
    effects.iter().filter(report).count()
}

#[test]
fn the_first_toggle_of_a_life_goes_out_once_the_file_knows_of_it() {
    let (mut machine, effects) = toggled();
    assert_eq!(reports(&effects), 0);
    assert_eq!(reports(&machine.handle(at(1), Event::Saved)), 1);
}

#[test]
fn a_life_whose_disk_is_full_publishes_in_an_era_that_its_file_does_not_know() {
    let mut file = None;
    let (mut first, effects) = toggled();
    for effect in effects.into_iter().chain(first.handle(at(1), Event::Saved)) {
        if let Effect::Save(memory) = effect {
            file = Some(*memory);
        }
    }
    let file = file.expect("a write");
    let mut second = restored(Life(90 << 16), Ok(file));
    let waits = second.handle(at(2), Event::Toggle(SensorId::ALL[0]));
    assert_eq!(reports(&waits), 0);
    let told = second.handle(at(3), Event::NotSaved("no space left".to_owned()));
    assert_eq!(reports(&told), 1);
    let Some(Shown::Reading(reading)) = second.shown(SensorId::ALL[0]) else {
        panic!("a reading");
    };
    let version = reading.version;
    assert_ne!(Some(version.era()), file.era);
    assert!(version.is_of_branch() && version.after == file.era.unwrap_or_default());
    assert_eq!(second.stage(SensorId::ALL[0]), Some(Stage::Sending));
}

#[test]
fn a_disk_that_does_not_answer_is_told_and_does_not_hold_the_toggle_up_for_ever() {
    let (mut machine, _) = toggled();
    assert_eq!(
        machine.deadline(at(0).mono).map(|due| due <= at(5).mono),
        Some(true)
    );
    let early = machine.handle(at(4), Event::Tick);
    assert_eq!((reports(&early), machine.disk_failure()), (0, None));
    let late = machine.handle(at(5), Event::Tick);
    assert_eq!(reports(&late), 1);
    let why = machine.disk_failure().expect("it is told");
    assert!(why.contains("has not answered"), "{why}");
    assert_eq!(machine.stage(SensorId::ALL[0]), Some(Stage::Sending));
    let _ = machine.handle(at(9), Event::Saved);
    assert_eq!(machine.disk_failure(), None);
}

#[test]
fn a_file_that_somebody_took_away_is_written_again_and_nothing_is_called_saved_until_it_is() {
    let (mut machine, effects) = toggled();
    for ticket in tickets(&effects) {
        let _ = machine.handle(at(1), Event::Delivered(ticket));
    }
    // The memory from before the toggle, then the toggle's own.
    let effects = machine.handle(at(1), Event::Saved);
    for ticket in tickets(&effects) {
        let _ = machine.handle(at(1), Event::Delivered(ticket));
    }
    let _ = machine.handle(at(1), Event::Saved);
    assert_eq!(machine.stage(SensorId::ALL[0]), Some(Stage::Saved));
    assert!(machine.is_on_disk());
    let gone = machine.handle(at(2), Event::FileGone("state folder deleted".to_owned()));
    assert!(
        gone.iter().any(|effect| matches!(effect, Effect::Save(_))),
        "at once"
    );
    assert_eq!(machine.stage(SensorId::ALL[0]), Some(Stage::Sending));
    assert_eq!(machine.disk_failure(), Some("state folder deleted"));
    assert!(!machine.is_on_disk());
    let _ = machine.handle(at(2), Event::Saved);
    assert_eq!(machine.stage(SensorId::ALL[0]), Some(Stage::Saved));
    assert_eq!(machine.disk_failure(), None);
}
