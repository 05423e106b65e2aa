//! What board 1 knows of board 2's sensors lies in a place of its own at broker 1, where no older store of broker 2 overwrites it.

use std::time::Duration;

use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::sensor::{Card, SensorId, State};
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::wire::Topic;

const OLDER: &str = r#"{"sensor_4":true,"versions":{"sensor_4":[3,1,131074]}}"#;
const NEWER: &str = r#"{"sensor_4":false,"versions":{"sensor_4":[3,2,131074]}}"#;

fn at(seconds: u64) -> Now {
    Now {
        mono: Mono::from_start(Duration::from_secs(seconds)),
        wall: Wall(0),
    }
}

/// Of a card's monitor that has met `found` at its start.
struct Program(Machine);

impl Program {
    fn new(card: Card, found: &[(Topic, &str)]) -> Self {
        let machine = Machine::new(Setup {
            role: Role::Monitor(card),
            client_id: "me".to_owned(),
            life: Life(9),
            memory: Err(String::new()),
            started: at(0),
        });
        let mut program = Self(machine);
        let connected = program.0.handle(at(0), Event::Connected);
        for (topic, payload) in found {
            assert_eq!(program.hear(at(0), *topic, payload), Vec::<String>::new(), "gate");
        }
        for effect in connected {
            if let Effect::Publish { topic, payload, .. } = effect {
                let marker = String::from_utf8(payload).expect("digits");
                program.hear(at(0), topic, &marker);
            }
        }
        program
    }

    /// Gives what is put in the copy's place.
    fn handle(&mut self, now: Now, event: Event) -> Vec<String> {
        let copies = self
            .0
            .handle(now, event)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Publish {
                    topic: Topic::Copy,
                    payload,
                    ..
                } => Some(payload),
                _ => None,
            });
        copies
            .map(|payload| String::from_utf8(payload).expect("JSON"))
            .collect()
    }

    fn hear(&mut self, now: Now, topic: Topic, payload: &str) -> Vec<String> {
        let (topic, payload) = (topic.name("me"), payload.as_bytes().to_vec());
        self.handle(
            now,
            Event::Message {
                topic,
                payload,
                retained: false,
            },
        )
    }

    fn sensor_4(&self) -> Option<State> {
        let sensor = SensorId::new(4).expect("one of six");
        self.0.shown(sensor).map(|shown| shown.state())
    }
}

#[test]
fn card_1_puts_there_what_it_hears_of_card_2_once() {
    let mut card1 = Program::new(Card::One, &[]);
    let put = card1.hear(at(1), Topic::All, NEWER);
    let [put] = &put[..] else { panic!("{put:?}") };
    assert!(put.contains("\"sensor_4\":[3,2,131074]"), "{put}");
    assert_eq!(card1.hear(at(1), Topic::Copy, put), Vec::<String>::new());
    assert_eq!(card1.hear(at(2), Topic::All, NEWER), Vec::<String>::new());
    for second in 2..20 {
        assert_eq!(card1.handle(at(second), Event::Tick), Vec::<String>::new());
    }
}

#[test]
fn what_was_found_there_is_memory_and_is_not_replaced_by_less() {
    let mut card1 = Program::new(Card::One, &[(Topic::Copy, NEWER), (Topic::All, OLDER)]);
    assert_eq!(card1.sensor_4(), Some(State::Ko));
    assert_eq!(card1.handle(at(4), Event::Tick), Vec::<String>::new());
}

#[test]
fn what_is_behind_or_cannot_be_read_is_replaced_with_the_next_heartbeat() {
    for other in [OLDER, "", "hello", r#"{"sensor_1":true}"#] {
        let mut card1 = Program::new(Card::One, &[(Topic::Copy, NEWER)]);
        assert_eq!(
            card1.hear(at(1), Topic::Copy, other),
            Vec::<String>::new(),
            "no flood"
        );
        assert_eq!(card1.handle(at(4), Event::Tick).len(), 1, "{other}");
    }
}

#[test]
fn card_2_finds_its_memory_there_also_when_the_join_says_less() {
    let card2 = Program::new(Card::Two, &[(Topic::All, OLDER), (Topic::Copy, NEWER)]);
    assert_eq!(card2.sensor_4(), Some(State::Ko));
    let mut card2 = {
        let found = Program::new(Card::Two, &[(Topic::All, OLDER)]);
        assert_eq!(found.sensor_4(), Some(State::Ok));
        found
    };
    card2.hear(at(1), Topic::Copy, NEWER);
    assert_eq!(card2.sensor_4(), Some(State::Ko), "also after its start");
}

#[test]
fn what_broker_2_had_of_it_is_put_back_before_it_is_overwritten() {
    let mut card1 = Program::new(Card::One, &[]);
    assert_eq!(card1.hear(at(1), Topic::All, OLDER).len(), 1);
    let put = card1.hear(at(1), Topic::Board2Copy, NEWER);
    assert_eq!(put.len(), 1, "{put:?}");
    assert_eq!(card1.sensor_4(), Some(State::Ko));
    assert_eq!(card1.hear(at(1), Topic::Copy, &put[0]), Vec::<String>::new());
}

#[test]
fn an_older_one_at_broker_2_is_replaced_with_the_next_heartbeat() {
    let mut card1 = Program::new(Card::One, &[(Topic::Copy, NEWER)]);
    assert_eq!(card1.hear(at(1), Topic::Board2Copy, OLDER), Vec::<String>::new());
    assert_eq!(card1.handle(at(4), Event::Tick).len(), 1);
    let mut card1 = Program::new(Card::One, &[(Topic::Copy, NEWER)]);
    card1.hear(at(1), Topic::Board2Copy, NEWER);
    assert_eq!(card1.handle(at(4), Event::Tick), Vec::<String>::new());
}

#[test]
fn a_copy_does_not_end_a_plain_programs_word() {
    let mut card1 = Program::new(Card::One, &[(Topic::Copy, NEWER)]);
    card1.hear(at(1), Topic::All, r#"{"sensor_4":true}"#);
    assert_eq!(card1.sensor_4(), Some(State::Ok));
    card1.hear(at(2), Topic::Copy, NEWER);
    assert_eq!(card1.sensor_4(), Some(State::Ok));
}
