//! Links that are broken: what is said of them, and of what is behind them.

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::shot::{ORDINARY, all, expect, picture, shot};

#[test]
fn held() {
    let mut boards = Boards::running();
    boards.press(CARD1, 3);
    boards.kill(CARD2);
    boards.advance(14);
    expect(
        "held",
        &[CARD1, DISPLAY]
            .map(|program| shot(&picture(&boards, program), ORDINARY))
            .concat(),
    );
}

#[test]
fn hung() {
    let mut boards = Boards::running();
    boards.hang(CARD2);
    boards.advance(14);
    expect("hung", &shot(&picture(&boards, DISPLAY), ORDINARY));
}

#[test]
fn broker_gone() {
    let mut boards = Boards::running();
    boards.advance(120);
    boards.stop(1);
    boards.press(CARD2, 5);
    boards.advance(14);
    expect("broker_gone", &all(&boards));
    let sizes = [(40, 10), (26, 8), (20, 5)];
    expect(
        "broker_gone_small",
        &sizes.map(|size| shot(&picture(&boards, CARD2), size)).concat(),
    );
}

#[test]
fn bridge_gone() {
    let mut boards = Boards::running();
    boards.mute_bridge();
    boards.cut();
    boards.advance(14);
    expect("bridge_gone", &all(&boards));
}

#[test]
fn behind_a_bridge_that_is_known_to_be_down_nothing_is_called_live() {
    let mut boards = Boards::running();
    boards.refuse();
    boards.advance(1);
    let at_once = shot(&picture(&boards, CARD1), ORDINARY);
    assert!(!at_once.contains("● live"), "{at_once}");
    // A program that starts meanwhile is told so first of all, and by nobody since when.
    boards.kill(CARD1);
    boards.start(CARD1);
    boards.advance(1);
    expect(
        "bridge_down",
        &(at_once + &shot(&picture(&boards, CARD1), ORDINARY)),
    );
}
