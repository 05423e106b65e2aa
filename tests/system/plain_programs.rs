//! Programs that speak the plain payload alone, on either side: MQTT 3.1.1, no versions, no heartbeats. The
//! tests say when they speak; real ones are in `python.rs`.

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{Bench, INITIAL, Node, States, says, shows};

/// Somebody else's `card1_monitor`.
struct PlainCard1(PlainClient);

impl PlainCard1 {
    fn start(bench: &Bench) -> Self {
        Self(PlainClient::named(&bench.url(Broker1), "card1_monitor").listen("sensors/all"))
    }

    fn say(&self, states: [bool; 3]) {
        let [one, two, three] = states;
        let payload = format!("{{\"sensor_1\": {one}, \"sensor_2\": {two}, \"sensor_3\": {three}}}");
        self.0.say("sensors/card1", payload, true);
    }

    /// Waits until the join that it was sent says these states.
    fn wait_for(&self, states: States) {
        self.0.wait_for(&format!("{states:?} on sensors/all"), |heard| {
            let last = heard.iter().rfind(|heard| heard.topic == "sensors/all");
            last.is_some_and(|last| says(&last.payload, states, "sensors/all"))
        });
    }
}

/// Somebody else's `card2_monitor`: joins each message of card 1 with its own states.
struct PlainCard2 {
    plain: PlainClient,
    own: [bool; 3],
    joined: usize,
}

impl PlainCard2 {
    fn start(bench: &Bench) -> Self {
        let plain = PlainClient::named(&bench.url(Broker2), "card2_monitor").listen("sensors/card1");
        Self {
            plain,
            own: [true; 3],
            joined: 0,
        }
    }

    /// Joins what has come since it was last here; gives whether there was something.
    fn join(&mut self) -> bool {
        let news = self.plain.count("sensors/card1");
        let any = news > self.joined;
        if any {
            self.joined = news;
            self.say();
        }
        any
    }

    fn say(&self) {
        let heard = self.plain.heard();
        let card1 = heard.iter().rfind(|heard| heard.topic == "sensors/card1");
        let card1: serde_json::Value = card1.map_or(serde_json::Value::Null, |heard| {
            serde_json::from_slice(&heard.payload).expect("card 1 sends JSON")
        });
        let of = |sensor: usize| card1.get(format!("sensor_{sensor}")).cloned().unwrap_or_default();
        let [four, five, six] = self.own;
        let all = serde_json::json!({
            "sensor_1": of(1), "sensor_2": of(2), "sensor_3": of(3),
            "sensor_4": four, "sensor_5": five, "sensor_6": six,
        });
        self.plain.say("sensors/all", all.to_string(), true);
    }
}

/// Our display and one of our cards, which have read all that the brokers had in store.
fn with(card: Node) -> Bench {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2, card, Display]);
    for node in [card, Display] {
        bench.wait_ready(node);
    }
    bench
}

/// Waits until a screen shows these states, and this beside the sensors of a card.
fn wait_shows(bench: &Bench, node: Node, states: States, card: u8, beside: &str) {
    let sensors = if card == 1 { 1..=3 } else { 4..=6 };
    bench.wait(
        &format!("{node:?} shows {states:?}, card {card} {beside}"),
        |bench| {
            shows(&bench.text(node), states, &["LIVE", "HELD", "SAVED", "CONFIRMED"])
                && sensors.clone().all(|sensor| bench.beside(node, sensor) == beside)
        },
    );
}

#[test]
fn a_plain_card_1_that_falls_silent_is_held_and_stays_held() {
    let mut bench = with(Card2);
    let states = ["OK", "OK", "KO", "OK", "OK", "OK"];
    let card1 = PlainCard1::start(&bench);
    card1.say([true, true, true]);
    bench.wait_settled_beside_plain(INITIAL);
    // The whole way of this word is up: also the one on which card 2 hears its own words again.
    card1.say([true, true, false]);
    bench.wait_settled_beside_plain(states);
    for node in [Card2, Display] {
        wait_shows(&bench, node, states, 1, "HELD");
        wait_shows(
            &bench,
            node,
            states,
            2,
            if node == Card2 { "SAVED" } else { "LIVE" },
        );
    }
    let marks = [Card2, Display].map(|node| (node, bench.pty(node).mark()));
    bench.wait_heartbeats(3, Card2, Broker2);
    for (node, mark) in marks {
        assert!(
            !bench.ever_showed(node, mark, 1, "LIVE"),
            "{node:?} heard an echo and called it live"
        );
    }
    card1.say([true, true, true]);
    bench.wait_settled_beside_plain(INITIAL);
}

#[test]
fn a_plain_card_1s_word_outlives_card_2_and_the_newest_one_counts() {
    let mut bench = with(Card2);
    let card1 = PlainCard1::start(&bench);
    card1.say([true, true, false]);
    bench.wait_settled_beside_plain(["OK", "OK", "KO", "OK", "OK", "OK"]);
    for (said, signal) in [
        ([false, true, true], Signal::KILL),
        ([true, false, true], Signal::TERM),
    ] {
        bench.end(Card2, signal);
        card1.say(said);
        bench.start(Card2);
        let [one, two, three] = said.map(|ok| if ok { "OK" } else { "KO" });
        let states = [one, two, three, "OK", "OK", "OK"];
        bench.wait(&format!("{states:?} everywhere"), |bench| {
            [Card2, Display]
                .iter()
                .all(|node| shows(&bench.text(*node), states, &["LIVE", "HELD", "SAVED"]))
        });
        card1.wait_for(states);
    }
}

#[test]
fn our_card_1_keeps_its_toggles_against_a_plain_card_2_that_holds_old_ones() {
    let mut bench = with(Card1);
    let mut card2 = PlainCard2::start(&bench);
    bench.wait("card 1 speaks", |_| card2.join());
    wait_shows(&bench, Card1, INITIAL, 2, "LIVE");
    // The plain join is not there while this happens, and says the old states when it is back.
    bench.press(Card1, "13");
    bench.wait_row(Card1, 3, "KO", "SAVED");
    bench.end(Card1, Signal::KILL);
    bench.start(Card1);
    bench.wait_row(Card1, 1, "KO", "SAVED");
    bench.wait_row(Card1, 3, "KO", "SAVED");
    card2.joined = card2.plain.count("sensors/card1");
    card2.plain.say("sensors/all", "{\"sensor_1\": true, \"sensor_2\": true, \"sensor_3\": true, \"sensor_4\": true, \"sensor_5\": true, \"sensor_6\": true}", true);
    // It hears the toggles again, without a key.
    bench.wait("card 1 says it again", |_| card2.join());
    let states = ["KO", "OK", "KO", "OK", "OK", "OK"];
    wait_shows(&bench, Display, states, 1, "LIVE");
    bench.wait_row(Card1, 1, "KO", "SAVED");
    bench.wait_row(Card1, 3, "KO", "SAVED");
}

#[test]
fn our_card_2_takes_over_from_a_plain_one_and_gives_back_to_it() {
    let mut bench = with(Card1);
    let mut card2 = PlainCard2::start(&bench);
    card2.own = [true, false, true];
    bench.wait("card 1 speaks", |_| card2.join());
    let states = ["OK", "OK", "OK", "OK", "KO", "OK"];
    wait_shows(&bench, Display, states, 2, "LIVE");
    drop(card2);
    bench.start(Card2);
    bench.wait_settled(states);
    bench.press(Card2, "4");
    bench.wait_settled(["OK", "OK", "OK", "KO", "KO", "OK"]);
    bench.end(Card2, Signal::TERM);
    let mut card2 = PlainCard2::start(&bench);
    card2.own = [false, false, false];
    bench.wait("card 1 speaks", |_| card2.join());
    let states = ["OK", "OK", "OK", "KO", "KO", "KO"];
    wait_shows(&bench, Display, states, 2, "LIVE");
    wait_shows(&bench, Card1, states, 2, "LIVE");
}
