//! What an owner is asked to do by a message: done once, after the gate, and answered until the other board has shown it.

use std::time::Duration;

use dualboard::chronicle::Fact;
use dualboard::command::{Answer, Command, Name, Order, Orders};
use dualboard::machine::{Effect, Event, Machine, Role, Setup, Ticket};
use dualboard::owner::Memory;
use dualboard::sensor::{Card, SensorId, State};
use dualboard::stage::Stage;
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::wire::{Malformed, Message, Topic, decode, encode_command};
use proptest::prelude::*;

const NOW: Now = Now {
    mono: Mono::from_start(Duration::from_secs(5)),
    wall: Wall(0),
};

const SET: &str = "sensors/card1/set";

/// An owner of card 1, its disk and its broker.
struct Bench {
    machine: Machine,
    memory: Option<Memory>,
    writing: Option<Memory>,
    flying: Vec<(Ticket, Topic, Vec<u8>)>,
    answers: Vec<Answer>,
    /// What has been published on the owner's own topic.
    reports: Vec<Vec<u8>>,
}

impl Bench {
    fn new(memory: Option<&Memory>) -> Self {
        let machine = Machine::new(Setup {
            role: Role::Monitor(Card::One),
            client_id: "me".to_owned(),
            life: Life(77),
            memory: memory.copied().ok_or_else(|| "no state file".to_owned()),
            started: NOW,
        });
        Self {
            machine,
            memory: memory.copied(),
            writing: None,
            flying: Vec::new(),
            answers: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// Past its gate, with everything written and delivered.
    fn open() -> Self {
        let mut bench = Self::new(None);
        bench.connect();
        bench.open_gate();
        bench.run();
        bench
    }

    fn feed(&mut self, event: Event) {
        for effect in self.machine.handle(NOW, event) {
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    match decode(topic, &payload) {
                        Ok(Message::Answer(answer)) => self.answers.push(answer),
                        Ok(Message::Report(_)) => self.reports.push(payload.clone()),
                        _ => {}
                    }
                    self.flying.push((ticket, topic, payload));
                }
                Effect::Save(memory) => self.writing = Some(*memory),
                Effect::StopForTwin | Effect::StopTakenOver => panic!("no twin here"),
            }
        }
    }

    fn connect(&mut self) {
        self.feed(Event::Connected);
    }

    fn open_gate(&mut self) {
        let marker = self.flying.iter().rfind(|(_, topic, _)| *topic == Topic::Marker);
        let payload = marker.expect("a marker").2.clone();
        self.hear("sensors/marker/me", &payload, false);
    }

    fn hear(&mut self, topic: &str, payload: &[u8], retained: bool) {
        self.feed(Event::Message {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            retained,
        });
    }

    fn ask(&mut self, payload: &str) {
        self.hear(SET, payload.as_bytes(), false);
    }

    fn saves(&mut self) {
        if let Some(memory) = self.writing.take() {
            self.memory = Some(memory);
            self.feed(Event::Saved);
        }
    }

    /// Disk and broker do their work.
    fn run(&mut self) {
        while self.writing.is_some() || !self.flying.is_empty() {
            self.saves();
            for (ticket, _, _) in std::mem::take(&mut self.flying) {
                self.feed(Event::Delivered(ticket));
            }
        }
    }

    /// The other board shows what this owner says.
    fn confirm(&mut self) {
        let last = self.reports.last().expect("a report").clone();
        self.hear("sensors/all", &last, false);
    }

    fn states(&self) -> [Option<State>; 3] {
        Card::One
            .sensors()
            .map(|sensor| self.machine.shown(sensor).map(|shown| shown.state()))
    }

    fn stages(&self) -> Vec<Stage> {
        let stage = |answer: &Answer| answer.reached.iter().flatten().map(|(_, stage)| *stage).min();
        self.answers.iter().filter_map(stage).collect()
    }
}

const OK: Option<State> = Some(State::Ok);
const KO: Option<State> = Some(State::Ko);

fn sensor(number: u8) -> SensorId {
    SensorId::new(number).expect("1 to 6")
}

#[test]
fn states_and_toggles_are_done_and_the_log_says_who_asked() {
    let mut bench = Bench::open();
    bench.ask(r#"{"sensor_1":"ko","sensor_2":true,"toggle":[3],"by":"a script"}"#);
    assert_eq!(bench.states(), [KO, OK, KO]);
    bench.ask(r#"{"sensor_1":false,"toggle":[3]}"#);
    assert_eq!(bench.states(), [KO, OK, OK]);
    let names: Vec<_> = bench
        .machine
        .chronicle()
        .newest_first()
        .filter_map(|entry| match &entry.fact {
            Fact::Commanded { by, .. } => Some(by.as_ref().map(Name::as_str)),
            _ => None,
        })
        .collect();
    assert_eq!(names, [None, Some("a script")]);
}

#[test]
fn the_state_that_is_there_already_makes_no_version_and_is_answered() {
    let mut bench = Bench::open();
    bench.feed(Event::Toggle(sensor(1)));
    bench.feed(Event::Toggle(sensor(1)));
    bench.run();
    bench.confirm();
    let before = bench.reports.len();
    bench.ask(r#"{"sensor_1":true,"id":7}"#);
    bench.run();
    assert_eq!(bench.reports.len(), before, "nothing new to publish");
    assert_eq!(bench.stages(), [Stage::Confirmed]);
}

#[test]
fn the_initial_state_asked_for_is_vouched_for() {
    let mut bench = Bench::open();
    bench.ask(r#"{"sensor_1":true}"#);
    bench.hear(
        "sensors/all",
        br#"{"sensor_1":false,"sensor_2":false,"versions":{"sensor_1":[3,3,3],"sensor_2":[3,3,3]}}"#,
        false,
    );
    assert_eq!(
        bench.states(),
        [OK, KO, OK],
        "memory that turns up wins where nobody asked"
    );
}

#[test]
fn what_comes_before_the_gate_is_done_after_it_and_in_order() {
    let mut bench = Bench::new(None);
    bench.connect();
    bench.ask(r#"{"toggle":[1,2],"id":1}"#);
    bench.ask(r#"{"toggle":[2]}"#);
    bench.ask(r#"{"sensor_3":"KO"}"#);
    bench.ask(r#"{"toggle":[3],"id":2}"#);
    bench.hear(
        "sensors/card1",
        br#"{"sensor_1":false,"versions":{"sensor_1":[4,2,1]}}"#,
        true,
    );
    assert_eq!(bench.states(), [KO, None, None]);
    assert!(bench.reports.is_empty() && bench.answers.is_empty() && bench.writing.is_none());
    bench.open_gate();
    assert_eq!(bench.states(), [OK, OK, OK]);
    bench.run();
    assert_eq!(bench.answers.iter().map(|answer| answer.id).max(), Some(2));
}

#[test]
fn a_retained_command_is_ignored_and_said_so() {
    let mut bench = Bench::new(None);
    bench.connect();
    bench.hear(SET, br#"{"sensor_1":"KO"}"#, true);
    bench.open_gate();
    bench.hear(SET, br#"{"sensor_2":"KO"}"#, true);
    assert_eq!(bench.states(), [OK, OK, OK]);
    let fact = &bench
        .machine
        .chronicle()
        .newest_first()
        .next()
        .expect("a fact")
        .fact;
    assert_eq!(*fact, Fact::RetainedCommand(Topic::Set(Card::One)));
}

#[test]
fn bad_commands_are_counted_and_change_nothing() {
    let bad = [
        "",
        "1=ko",
        "{}",
        "[1]",
        r#"{"sensor_1":null}"#,
        r#"{"sensor_1":"no"}"#,
        r#"{"sensor_1":0}"#,
        r#"{"sensor_1":"KO","sensor_1":"OK"}"#,
        r#"{"sensor_1":"KO","sensor_4":"KO"}"#,
        r#"{"sensor_1":"KO","toggle":[1]}"#,
        r#"{"toggle":[1,1]}"#,
        r#"{"toggle":[0]}"#,
        r#"{"toggle":[7,1]}"#,
        r#"{"toggle":1}"#,
        r#"{"toggle":[]}"#,
        r#"{"sensor_1":"KO","id":-1}"#,
        r#"{"sensor_1":"KO","id":"x"}"#,
        r#"{"sensor_1":"KO","by":"a\u001b[2J"}"#,
        r#"{"sensor_1":"KO","by":"a very long name that does not fit into a line"}"#,
    ];
    let mut bench = Bench::open();
    for (count, payload) in bad.iter().enumerate() {
        bench.ask(payload);
        assert_eq!(bench.machine.counters().malformed, count as u64 + 1, "{payload}");
        assert_eq!(bench.states(), [OK, OK, OK], "{payload}");
    }
    assert_eq!(
        decode(Topic::Set(Card::Two), br#"{"toggle":[1]}"#),
        Err(Malformed::OtherCard)
    );
    assert!(bench.answers.is_empty());
}

#[test]
fn the_same_command_again_is_done_once_and_answered_each_time() {
    let mut bench = Bench::open();
    for _ in 0..3 {
        bench.ask(r#"{"toggle":[2],"id":99}"#);
        bench.run();
        assert_eq!(bench.states(), [OK, KO, OK]);
    }
    assert_eq!(
        bench
            .stages()
            .iter()
            .filter(|stage| **stage == Stage::Saved)
            .count(),
        3
    );
    bench.ask(r#"{"toggle":[2],"id":100}"#);
    assert_eq!(bench.states(), [OK, OK, OK]);
}

#[test]
fn a_command_that_comes_twice_before_the_gate_is_done_once() {
    let mut bench = Bench::new(None);
    bench.connect();
    bench.ask(r#"{"toggle":[1],"id":5}"#);
    bench.ask(r#"{"toggle":[1],"id":5}"#);
    bench.open_gate();
    assert_eq!(bench.states(), [KO, OK, OK]);
}

#[test]
fn a_later_life_does_not_do_it_again() {
    let mut bench = Bench::open();
    bench.ask(r#"{"toggle":[1],"id":5}"#);
    bench.run();
    let mut later = Bench::new(bench.memory.as_ref());
    later.connect();
    later.ask(r#"{"toggle":[1],"id":5}"#);
    later.open_gate();
    later.run();
    assert_eq!(later.states(), [KO, OK, OK]);
    later.confirm();
    assert_eq!(
        later.stages().last(),
        Some(&Stage::Confirmed),
        "it is answered all the same"
    );
}

#[test]
fn nobody_hears_of_it_before_a_later_life_would_know_that_it_is_done() {
    let mut bench = Bench::open();
    let before = bench.reports.len();
    bench.ask(r#"{"toggle":[1],"id":5}"#);
    for (ticket, _, _) in std::mem::take(&mut bench.flying) {
        bench.feed(Event::Delivered(ticket));
    }
    assert_eq!(bench.reports.len(), before, "it is not on disk yet");
    bench.feed(Event::NotSaved("disk full".to_owned()));
    assert_eq!(bench.reports.len(), before + 1, "a full disk holds nothing up");
}

#[test]
fn answers_say_each_stage_once_and_end_with_confirmed() {
    let mut bench = Bench::open();
    bench.ask(r#"{"sensor_1":"KO","id":8}"#);
    bench.run();
    bench.feed(Event::Tick);
    bench.confirm();
    bench.feed(Event::Toggle(sensor(1)));
    bench.run();
    assert_eq!(bench.stages(), [Stage::Sending, Stage::Saved, Stage::Confirmed]);
    let last = bench.answers.last().expect("an answer");
    assert_eq!(
        (last.id, last.get(sensor(1))),
        (8, Some((State::Ko, Stage::Confirmed)))
    );
    assert_eq!(last.get(sensor(2)), None, "nobody asked for it");
}

#[test]
fn on_the_command_line_it_is_done_at_once_as_a_key_is() {
    let mut bench = Bench::new(None);
    let mut orders = Orders::default();
    orders.put(sensor(2), Some(Order::Set(State::Ko)));
    let command = Command {
        id: Some(1),
        by: None,
        orders,
    };
    bench.feed(Event::Command(Box::new(command)));
    let answer = bench.machine.answer(1).expect("it is known");
    assert_eq!(answer.get(sensor(2)), Some((State::Ko, Stage::Sending)));
    bench.saves();
    let memory = bench.memory.expect("it is in the file");
    assert_eq!(memory.readings.get(sensor(2)).map(|reading| reading.state), KO);
    assert!(memory.done.contains(1));
    bench.connect();
    bench.hear(
        "sensors/card1",
        br#"{"sensor_2":true,"versions":{"sensor_2":[9,9,9]}}"#,
        true,
    );
    bench.open_gate();
    assert_eq!(
        bench.states()[1],
        KO,
        "what turns up does not overrule the operator"
    );
}

#[test]
fn after_the_last_word_nothing_is_taken_any_more() {
    let mut bench = Bench::open();
    bench.feed(Event::Leave);
    bench.ask(r#"{"sensor_1":"KO","id":8}"#);
    assert_eq!(bench.states(), [OK, OK, OK]);
    assert!(bench.answers.is_empty());
}

#[test]
fn only_the_owner_listens_and_only_to_its_own_card() {
    let listens = |role| {
        let machine = Machine::new(Setup {
            role,
            client_id: "me".to_owned(),
            life: Life(1),
            memory: Err(String::new()),
            started: NOW,
        });
        let topics = machine
            .subscriptions()
            .into_iter()
            .map(|(topic, qos)| format!("{topic} {qos}"));
        topics.filter(|topic| topic.contains("/set")).collect::<Vec<_>>()
    };
    assert_eq!(listens(Role::Monitor(Card::One)), ["sensors/card1/set 2"]);
    assert_eq!(listens(Role::Monitor(Card::Two)), ["sensors/card2/set 2"]);
    assert_eq!(listens(Role::Display), [""; 0]);
}

#[test]
fn the_bridge_carries_no_command() {
    let text = include_str!("../mosquitto_bridge.conf");
    let topics: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("topic ")?.split_whitespace().next())
        .collect();
    assert!(topics.len() > 5);
    for topic in topics {
        assert!(!topic.contains(['#', '+']) && !topic.contains("set"), "{topic}");
    }
}

fn orders() -> impl Strategy<Value = Orders> {
    let order = prop_oneof![
        Just(None),
        Just(Some(Order::Toggle)),
        any::<bool>().prop_map(|ok| Some(Order::Set(State::from(ok)))),
    ];
    prop::collection::vec(order, 3).prop_map(|drawn| {
        let mut orders = Orders::default();
        for (sensor, order) in Card::One.sensors().into_iter().zip(drawn) {
            orders.put(sensor, order);
        }
        orders
    })
}

proptest! {
    #[test]
    fn a_command_comes_back_as_it_was(orders in orders(), id in any::<Option<u64>>(), by in prop::option::of("[ -~]{1,40}")) {
        prop_assume!(!orders.sensors().is_empty());
        let by = by.and_then(|by| Name::new(&by));
        let command = Command { id, by, orders };
        prop_assert_eq!(decode(Topic::Set(Card::One), &encode_command(&command)), Ok(Message::Command(command)));
    }

    #[test]
    fn commands_that_wait_come_to_the_same_as_one_after_the_other(many in prop::collection::vec(orders(), 0..6)) {
        let many: Vec<_> = many.into_iter().filter(|orders| !orders.sensors().is_empty()).collect();
        let mut ends = Vec::new();
        for wait in [false, true] {
            let mut bench = Bench::new(None);
            bench.connect();
            if !wait {
                bench.open_gate();
            }
            for orders in &many {
                let command = Command { id: None, by: None, orders: *orders };
                bench.hear(SET, &encode_command(&command), false);
            }
            if wait {
                bench.open_gate();
            }
            ends.push(bench.states());
        }
        prop_assert_eq!(ends[0], ends[1]);
    }
}
