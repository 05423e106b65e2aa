//! A view is a plain value: what another process gets of it is the same.

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::boards::world::{BOARD1, BOARD2};
use dualboard_core::machine::Machine;
use dualboard_core::names::{Names, SensorName};
use dualboard_core::view::View;

/// A view in which sensor 2 is called so.
fn named(boards: &mut Boards, name: &str) -> View {
    let mut names = Names::default();
    let sensor = crate::solo::sensor(2);
    names.set(sensor, Some(SensorName::new(name).expect("a name")));
    boards.programs[CARD1].names = Some(names);
    boards.kill(CARD1);
    boards.start(CARD1);
    boards.machine(CARD1).view()
}

#[test]
fn a_view_with_names_is_the_same_elsewhere_and_one_with_what_is_no_name_is_refused() {
    let view = named(&mut Boards::running(), "東京 \"2\"");
    let sent = text(&view);
    let received: View = serde_json::from_str(&sent).expect("it can be read");
    assert_eq!(received, view);
    assert!(sent.contains("東京"), "{sent}");
    let hiding = sent.replace("東京", "a\u{202e}b");
    assert!(serde_json::from_str::<View>(&hiding).is_err());
}

fn text(view: &View) -> String {
    serde_json::to_string(view).expect("a view can be written")
}

#[test]
fn a_view_that_was_sent_to_another_process_is_the_same() {
    let mut boards = Boards::idle();
    let mut all = Vec::new();
    let mut look = |boards: &Boards| {
        let running = boards
            .programs
            .iter()
            .filter_map(|program| program.machine.as_ref());
        all.extend(running.map(Machine::view));
    };
    for program in [CARD1, CARD2, DISPLAY] {
        boards.start(program);
        look(&boards);
    }
    boards.advance(14);
    boards.press(CARD1, 2);
    boards.publish(BOARD1, "sensors/card1", b"{");
    look(&boards);
    boards.cut();
    boards.press(CARD2, 5);
    boards.advance(14);
    look(&boards);
    boards.stop(BOARD2);
    look(&boards);
    assert_eq!(all.len(), 1 + 2 + 3 + 3 * 3);
    for view in &all {
        let sent = text(view);
        let received: View = serde_json::from_str(&sent).expect("it can be read");
        assert_eq!(text(&received), sent);
        assert_eq!(received.sensors, view.sensors);
        assert_eq!(received.links, view.links);
    }
    let last = all.last().expect("there are views");
    assert!(last.event_log.newest_first().count() > 3, "{last:?}");
}
