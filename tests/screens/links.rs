//! Links that are broken: what is said of them, and of what is behind them.

use dualboard::wire::{Direction, Topic};

use super::net::{CARD1, CARD2, DISPLAY, Net};
use super::shot::{expect, shot};
use super::{ORDINARY, all, picture};

#[test]
fn held() {
    let mut net = Net::running();
    net.toggle(CARD1, 3);
    net.kill(CARD2);
    net.pass(14);
    expect(
        "held",
        &[CARD1, DISPLAY]
            .map(|program| shot(&picture(&net, program), ORDINARY))
            .concat(),
    );
}

#[test]
fn hung() {
    let mut net = Net::running();
    net.freeze(CARD2);
    net.pass(14);
    expect("hung", &shot(&picture(&net, DISPLAY), ORDINARY));
}

#[test]
fn broker_gone() {
    let mut net = Net::running();
    net.pass(120);
    net.stop_broker(1);
    net.toggle(CARD2, 5);
    net.pass(14);
    expect("broker_gone", &all(&net));
    let sizes = [(40, 10), (26, 8), (20, 5)];
    expect(
        "broker_gone_small",
        &sizes.map(|size| shot(&picture(&net, CARD2), size)).concat(),
    );
}

#[test]
fn bridge_gone() {
    let mut net = Net::running();
    net.cut();
    net.pass(14);
    expect("bridge_gone", &all(&net));
}

#[test]
fn behind_a_bridge_that_is_known_to_be_down_nothing_is_called_live() {
    let mut net = Net::running();
    net.cut();
    let down = |net: &mut Net| net.publish(0, &Topic::Bridge(Direction::Out).name(""), b"0");
    down(&mut net);
    net.pass(1);
    let at_once = shot(&picture(&net, CARD1), ORDINARY);
    assert!(!at_once.contains("● live"), "{at_once}");
    // A program that starts meanwhile is told so first of all, and by nobody since when.
    net.kill(CARD1);
    net.start(CARD1);
    net.connect(CARD1);
    down(&mut net);
    expect("bridge_down", &(at_once + &shot(&picture(&net, CARD1), ORDINARY)));
}
