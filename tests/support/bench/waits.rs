//! What tests wait for: screens, and what brokers hold.

use std::time::Instant;

use super::{BROKERS, Bench, Card2, DEADLINE, Node, PROGRAMS, States, flat, glance, is_ready, says, shows};

impl Bench {
    /// Waits until something holds.
    #[track_caller]
    pub fn wait(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !condition(self) {
            assert!(start.elapsed() < DEADLINE, "waited in vain for: {what}");
            glance();
        }
    }

    /// Waits until a program's screen says something.
    #[track_caller]
    pub fn wait_text(&self, node: Node, text: &str) {
        self.wait(&format!("{node:?} says '{text}'"), |bench| {
            flat(&bench.text(node)).contains(text)
        });
    }

    /// Waits until a program has read all that its broker had in store: what comes from now on is live.
    #[track_caller]
    pub fn wait_ready(&self, node: Node) {
        self.wait(&format!("{node:?} is ready"), |bench| is_ready(&bench.text(node)));
    }

    /// Waits until a screen shows a sensor's state, and this beside it.
    #[track_caller]
    pub fn wait_row(&self, node: Node, sensor: u8, state: &str, beside: &str) {
        self.wait(
            &format!("sensor {sensor} is {state} {beside} on {node:?}"),
            |bench| {
                bench
                    .row(node, sensor)
                    .is_some_and(|row| row.state == state && row.beside == beside)
            },
        );
    }

    /// Waits until every screen that is there shows these states as live or confirmed, and both brokers hold
    /// them.
    #[track_caller]
    pub fn wait_settled(&self, states: States) {
        self.wait_settled_as(states, &["LIVE", "CONFIRMED"]);
    }

    /// The same where the other owner is a plain program, which confirms nothing.
    #[track_caller]
    pub fn wait_settled_beside_plain(&self, states: States) {
        self.wait_settled_as(states, &["LIVE", "SAVED"]);
    }

    #[track_caller]
    fn wait_settled_as(&self, states: States, beside: &[&str]) {
        for node in PROGRAMS.into_iter().filter(|node| self.runs(*node)) {
            self.wait(&format!("{node:?} shows {states:?}, {beside:?}"), |bench| {
                shows(&bench.text(node), states, beside)
            });
        }
        // A plain card 2 says all that it knows on `sensors/all`.
        let ours = self.runs(Card2).then_some("sensors/card2");
        for broker in BROKERS {
            for topic in ["sensors/card1", "sensors/all"].into_iter().chain(ours) {
                self.wait_holds(broker, topic, states);
            }
        }
    }

    /// Waits until a broker holds these states on a topic.
    #[track_caller]
    pub fn wait_holds(&self, broker: Node, topic: &str, states: States) {
        self.wait(&format!("{broker:?} holds {states:?} on {topic}"), |bench| {
            bench
                .retained(broker, topic)
                .is_some_and(|payload| says(&payload, states, topic))
        });
    }

    /// Waits until this much time, counted in heartbeats, has gone by for a program that was heard at this
    /// broker.
    pub fn wait_heartbeats(&self, count: usize, owner: Node, broker: Node) {
        let topic = format!("sensors/{owner:?}/alive").to_lowercase();
        self.listener(broker).wait_for_more(count, &topic);
    }
}
