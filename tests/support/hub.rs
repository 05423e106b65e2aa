//! A broker with one place: all machines here have one client id, and who connects throws out whoever is connected.

use std::collections::BTreeMap;
use std::time::Duration;

use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::owner::Memory;
use dualboard::sensor::{Card, SensorId, State};
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::wire::{Entry, Message, Topic, decode};

const CLIENT: &str = "card1_monitor";
/// Where the owners' claims lie.
pub const OWNER: &str = "sensors/card1/owner";

#[derive(Default)]
pub struct Hub {
    programs: Vec<Program>,
    connected: Option<usize>,
    retained: BTreeMap<String, Vec<u8>>,
    /// What was retained after each connect: a broker that was killed finds one of these.
    stores: Vec<BTreeMap<String, Vec<u8>>>,
    seconds: u64,
}

struct Program {
    machine: Option<Machine>,
    file: Option<Memory>,
    end: Option<Effect>,
}

impl Hub {
    pub fn start(&mut self, life: u32, takes_over: bool) -> usize {
        let machine = Machine::new(Setup {
            role: Role::Monitor(Card::One),
            client_id: CLIENT.to_owned(),
            life: Life(life),
            memory: Err("no state file".to_owned()),
            started: self.now(),
        });
        let machine = if takes_over {
            machine.taking_over()
        } else {
            machine
        };
        self.programs.push(Program {
            machine: Some(machine),
            file: None,
            end: None,
        });
        self.programs.len() - 1
    }

    pub fn connect(&mut self, who: usize) {
        self.connect_for(who, usize::MAX);
    }

    /// Connects, and stays for so many of its messages.
    pub fn connect_for(&mut self, who: usize, messages: usize) {
        self.seconds += 1;
        if let Some(before) = self.connected.take() {
            self.lose(before);
        }
        self.connected = Some(who);
        let mut left = messages;
        self.feed(who, Event::Connected, &mut left);
        if left == 0 {
            self.connected = None;
            self.lose(who);
        }
        self.stores.push(self.retained.clone());
    }

    fn lose(&mut self, who: usize) {
        let lost = Event::Disconnected {
            why: "connection lost".to_owned(),
            retry_in: Duration::from_secs(1),
        };
        self.feed(who, lost, &mut 0);
    }

    /// Carries out what follows from an event; of what is published so much arrives.
    fn feed(&mut self, who: usize, event: Event, left: &mut usize) {
        let connects = matches!(event, Event::Connected);
        let now = self.now();
        let Some(machine) = self.programs[who].machine.as_mut() else {
            return;
        };
        let effects = machine.handle(now, event);
        if connects {
            let topics = machine.subscriptions();
            let stored: Vec<_> = topics
                .into_iter()
                .filter_map(|(topic, _)| Some((topic.clone(), self.retained.get(&topic)?.clone())))
                .collect();
            for (topic, payload) in stored {
                self.hear(who, topic, payload, true, left);
            }
        }
        for effect in effects {
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    if *left == 0 {
                        continue;
                    }
                    *left -= 1;
                    let name = topic.name(CLIENT);
                    if topic.is_retained() {
                        self.retained.insert(name.clone(), payload.clone());
                    }
                    self.hear(who, name, payload, false, left);
                    self.feed(who, Event::Delivered(ticket), left);
                }
                Effect::Save(memory) => {
                    self.programs[who].file = Some(*memory);
                    self.feed(who, Event::Saved, left);
                }
                end @ (Effect::StopForTwin | Effect::StopTakenOver) => {
                    assert!(self.programs[who].end.replace(end).is_none(), "ends twice");
                }
            }
        }
    }

    fn hear(&mut self, who: usize, topic: String, payload: Vec<u8>, retained: bool, left: &mut usize) {
        self.feed(
            who,
            Event::Message {
                topic,
                payload,
                retained,
            },
            left,
        );
    }

    /// Somebody else publishes a retained message.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) {
        self.retained.insert(topic.to_owned(), payload.to_vec());
        if let Some(who) = self.connected {
            self.hear(
                who,
                topic.to_owned(),
                payload.to_vec(),
                false,
                &mut usize::MAX.clone(),
            );
        }
    }

    /// Nobody hears anything for a while.
    pub fn wait(&mut self, seconds: u64) {
        self.seconds += seconds;
    }

    pub fn wait_a_heartbeat(&mut self, who: usize) {
        self.seconds += 3;
        self.feed(who, Event::Tick, &mut usize::MAX.clone());
    }

    /// Presses a sensor's key; gives its state then.
    pub fn toggle(&mut self, who: usize, sensor: u8) -> State {
        let sensor = SensorId::new(sensor).expect("1 to 6");
        let mut left = if self.connected == Some(who) {
            usize::MAX
        } else {
            0
        };
        self.feed(who, Event::Toggle(sensor), &mut left);
        let machine = self.programs[who].machine.as_ref().expect("it runs");
        machine.shown(sensor).expect("toggled").state()
    }

    /// A program that was told to end has sent what it had to send.
    pub fn leave(&mut self, who: usize) {
        let mut left = if self.connected == Some(who) {
            usize::MAX
        } else {
            0
        };
        self.feed(who, Event::Leave, &mut left);
        self.kill(who);
    }

    /// A program is gone without a word.
    pub fn kill(&mut self, who: usize) {
        self.programs[who].machine = None;
        self.connected = self.connected.filter(|connected| *connected != who);
    }

    /// The broker's store is lost.
    pub fn wipe(&mut self) {
        self.retained.clear();
        if let Some(who) = self.connected.take() {
            self.lose(who);
        }
    }

    /// The broker starts again, from an older store or from none.
    pub fn roll_back(&mut self, connects: usize) {
        self.wipe();
        let old = self.stores.len().checked_sub(connects + 1);
        self.retained = old.map(|at| self.stores[at].clone()).unwrap_or_default();
    }

    /// The programs that have been told to end.
    pub fn ended(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.programs.len()).filter(|who| self.end_of(*who).is_some())
    }

    pub fn end_of(&self, who: usize) -> Option<&Effect> {
        self.programs[who].end.as_ref()
    }

    pub fn is_connected(&self, who: usize) -> bool {
        self.connected == Some(who)
    }

    pub fn claim(&self) -> Option<Vec<u8>> {
        self.retained.get(OWNER).cloned()
    }

    /// Card 1's states as the broker holds them.
    pub fn held(&self) -> [State; 3] {
        let payload = self.retained.get("sensors/card1").expect("card 1's report");
        let Ok(Message::Report(report)) = decode(Topic::Card1, payload) else {
            panic!("no report: {}", payload.escape_ascii());
        };
        Card::One.sensors().map(|sensor| match report.get(sensor) {
            Some(Entry::Reading(reading)) => reading.state,
            other => panic!("{sensor}: {other:?}"),
        })
    }

    /// Card 1's states as a program's file has them.
    pub fn in_file(&self, who: usize) -> [Option<State>; 3] {
        let file = self.programs[who].file.as_ref();
        Card::One
            .sensors()
            .map(|sensor| Some(file?.readings.get(sensor)?.state))
    }

    pub fn shown(&self, who: usize) -> [State; 3] {
        let machine = self.programs[who].machine.as_ref().expect("it runs");
        Card::One
            .sensors()
            .map(|sensor| machine.shown(sensor).expect("restored").state())
    }

    fn now(&self) -> Now {
        Now {
            mono: Mono::from_start(Duration::from_secs(100 + self.seconds)),
            wall: Wall(1_764_930_243),
        }
    }
}
