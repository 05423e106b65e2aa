//! Well-formed messages that nobody honest sends: each was found by an attack, and ended or misled a program.

#[path = "support/hostile.rs"]
mod hostile;

use std::time::Duration;

use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::reading::{Reading, Snapshot, Versions};
use dualboard::sensor::{Card, SensorId};
use dualboard::time::Now;
use dualboard::version::Life;
use dualboard::wire::{Entry, Heartbeat, Report, Topic, encode_heartbeat, encode_marker, encode_report};
use hostile::trial::{BEGIN, CLIENT, LIFE};
use hostile::words::reading;

/// Card 1's owner, restored.
fn restored() -> Machine {
    let mut machine = Machine::new(Setup {
        role: Role::Monitor(Card::One),
        client_id: CLIENT.to_owned(),
        life: LIFE,
        memory: Err("no state file".to_owned()),
        started: BEGIN,
    });
    let effects = machine.handle(BEGIN, Event::Connected);
    let marker = effects.into_iter().find_map(|effect| match effect {
        Effect::Publish { payload, .. } => Some(payload),
        _ => None,
    });
    hear(
        &mut machine,
        Topic::Marker,
        marker.unwrap_or_else(|| encode_marker(0)),
    );
    assert!(machine.is_restored());
    machine
}

fn hear(machine: &mut Machine, topic: Topic, payload: Vec<u8>) -> Vec<Effect> {
    machine.handle(
        BEGIN,
        Event::Message {
            topic: topic.name(CLIENT),
            payload,
            retained: false,
        },
    )
}

/// Hears a heartbeat of another owner of card 1, sent and heard this long after the first; gives how often the program says that it ends.
fn hear_a_twin(machine: &mut Machine, sent: Duration, heard: Duration) -> usize {
    let payload = encode_heartbeat(&Heartbeat {
        life: Life(5),
        uptime: Duration::from_secs(3_600) + sent,
        has: Versions::default(),
        heard: Versions::default(),
        refused: Snapshot::default(),
        other_live: false,
        other_plain: false,
    });
    let now = Now {
        mono: BEGIN.mono.after(heard),
        ..BEGIN
    };
    let topic = Topic::Alive(Card::One).name(CLIENT);
    let effects = machine.handle(
        now,
        Event::Message {
            topic,
            payload,
            retained: false,
        },
    );
    let ends = effects.iter().filter(|effect| **effect == Effect::StopForTwin);
    ends.count()
}

#[test]
fn a_flood_of_a_twins_heartbeats_ends_nothing_but_in_order() {
    let mut machine = restored();
    let (none, interval) = (Duration::ZERO, Duration::from_secs(2));
    let flood = |machine: &mut Machine, at| (0..1_000).map(|_| hear_a_twin(machine, at, at)).sum::<usize>();
    assert_eq!(flood(&mut machine, none), 0, "one that was sent a thousand times");
    assert_eq!(flood(&mut machine, interval), 1, "said once");
}

#[test]
fn heartbeats_of_a_twin_that_were_stuck_prove_nothing_of_it() {
    let mut machine = restored();
    for sent in (0..20).step_by(2).map(Duration::from_secs) {
        let ends = hear_a_twin(&mut machine, sent, Duration::from_secs(30));
        assert_eq!(ends, 0, "it may have ended since");
    }
}

#[test]
fn above_the_highest_version_there_is_nothing_is_toggled() {
    let mut machine = restored();
    let top = br#"{"sensor_1":true,"versions":{"sensor_1":[9007199254740991,9007199254740991,4294967295]}}"#;
    hear(&mut machine, Topic::Card1, top.to_vec());
    let sensor = SensorId::ALL[0];
    let before = reading(&machine, sensor).expect("restored");
    let _ = machine.handle(BEGIN, Event::Toggle(sensor));
    let after = reading(&machine, sensor).expect("restored");
    assert!(
        after.version > before.version || after == before,
        "shown in a state that nobody will believe: {after:?}"
    );
}

/// A report in the broker's store, with the present version and the other state.
fn forged(machine: &Machine, sensor: SensorId) -> Vec<u8> {
    let Reading {
        state,
        version,
        changed,
    } = reading(machine, sensor).expect("restored");
    let reading = Reading {
        state: state.toggled(),
        version,
        changed,
    };
    let mut report = Report::default();
    report.put(sensor, Entry::Reading(reading));
    encode_report(&report, Topic::Card1.carries())
}

#[test]
fn another_state_under_the_present_version_is_overruled_wherever_it_turns_up() {
    for topic in [Topic::Card1, Topic::All, Topic::Board2Card1] {
        let mut machine = restored();
        let sensor = SensorId::ALL[1];
        let _ = machine.handle(BEGIN, Event::Toggle(sensor));
        let before = reading(&machine, sensor).expect("restored");
        let message = forged(&machine, sensor);
        hear(&mut machine, topic, message);
        let after = reading(&machine, sensor).expect("restored");
        assert_eq!(after.state, before.state);
        assert!(
            after.version > before.version,
            "whoever believed it believes nothing else under {:?}",
            before.version
        );
    }
}

#[test]
fn a_first_state_stays_provisional_though_somebody_contradicts_it() {
    let mut machine = restored();
    let sensor = SensorId::ALL[1];
    let before = reading(&machine, sensor);
    let message = forged(&machine, sensor);
    hear(&mut machine, Topic::Card1, message);
    assert_eq!(reading(&machine, sensor), before);
}
