//! A view is a plain value: what another process gets of it is the same.

use dualboard_core::machine::Machine;
use dualboard_core::view::View;

use crate::net::{CARD1, CARD2, DISPLAY, Net};

fn text(view: &View) -> String {
    serde_json::to_string(view).expect("a view can be written")
}

#[test]
fn a_view_that_was_sent_to_another_process_is_the_same() {
    let mut net = Net::new();
    let views = |net: &Net| {
        let programs = [CARD1, CARD2, DISPLAY].map(|program| net.machines[program].as_ref());
        programs
            .into_iter()
            .flatten()
            .map(Machine::view)
            .collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for program in [CARD1, CARD2, DISPLAY] {
        net.start(program);
        all.extend(views(&net));
    }
    for program in [CARD1, CARD2, DISPLAY] {
        net.connect(program);
    }
    net.pass(14);
    net.toggle(CARD1, 2);
    net.publish(0, "sensors/card1", b"{");
    all.extend(views(&net));
    net.cut();
    net.toggle(CARD2, 5);
    net.pass(14);
    all.extend(views(&net));
    net.stop_broker(1);
    all.extend(views(&net));
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
