//! Each program in each situation, as it is drawn: one picture a situation in `tests/snapshots`. `BLESS=1` keeps new ones.
#![cfg(feature = "app")]

#[path = "screens/net.rs"]
mod net;
#[path = "screens/shot.rs"]
mod shot;

use dualboard::app::view::{Look, Picture};
use dualboard::app::words::Times;
use jiff::tz::TimeZone;
use net::{CARD1, CARD2, DISPLAY, Net};
use shot::{expect, shot};

const ORDINARY: (u16, u16) = (80, 24);

fn picture(net: &Net, program: usize) -> Picture {
    Picture {
        machine: net.machines[program].clone().expect("it runs"),
        url: format!("mqtt://localhost:{}", [1883, 1884, 1884][program]),
        times: Times::new(TimeZone::UTC, net.now().wall),
        look: Look::new(true, true),
        help: false,
    }
}

/// The programs one after the other, in the ordinary size.
fn all(net: &Net) -> String {
    [CARD1, CARD2, DISPLAY]
        .map(|program| shot(&picture(net, program), ORDINARY))
        .concat()
}

#[test]
fn live() {
    let mut net = Net::running();
    net.toggle(CARD1, 2);
    net.pass(3);
    expect("live", &all(&net));
}

#[test]
fn all_six_states_are_on_the_smallest_screens() {
    let mut net = Net::running();
    net.toggle(CARD1, 2);
    net.toggle(CARD2, 4);
    net.pass(3);
    let sizes = [
        (19, 3),
        (20, 5),
        (16, 6),
        (26, 8),
        (34, 5),
        (40, 10),
        (80, 3),
        (60, 7),
    ];
    let small = sizes.map(|size| shot(&picture(&net, DISPLAY), size)).concat();
    expect("tiny", &(small + &shot(&picture(&net, CARD2), (20, 5))));
    let mut help = picture(&net, CARD1);
    help.help = true;
    let sizes = [(20, 5), (26, 8), (40, 10), ORDINARY];
    expect("help", &sizes.map(|size| shot(&help, size)).concat());
}
