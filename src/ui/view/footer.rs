//! The last line: the keys of the moment, or why a press was not taken.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Picture;
use super::text::fit;
use crate::alarms::BellMode;
use crate::ui::controls::{self, ToggleMode};

/// A key, and what it does.
type Key = (&'static str, &'static str);

/// Below this width there would be no room for the help beside the way to run the owner here.
const SHORT: usize = 32;

/// Where the window is too narrow for all, those stay that lead on: how to leave, and the help, which lists
/// every key.
pub(super) fn line(picture: &Picture, area: Rect) -> Line<'static> {
    let (controls, theme) = (&picture.controls, &picture.theme);
    let width = usize::from(area.width);
    if let Some(why) = controls.said() {
        return Line::styled(format!(" {}", fit(why, width.saturating_sub(1))), theme.waiting());
    }
    if controls.is_test() {
        return Line::styled(fit(" any key ends it", width), theme.waiting());
    }
    let open = controls.help().is_some();
    let scrolled = controls.log().is_some() && !open;
    let toggle = controls::toggle_keys(picture.view.role).map(|keys| (keys, "toggle"));
    let lock = match controls.toggle_mode() {
        ToggleMode::Free => Some(("l", "lock")),
        ToggleMode::Locked => Some(("l", "unlock")),
        ToggleMode::None | ToggleMode::ReadOnly => None,
    };
    // A screen that is locked must not look like one that is not, however small it is.
    let (lock_rank, acknowledge_rank) = if controls.toggle_mode() == ToggleMode::Locked {
        (3, 5)
    } else {
        (5, 3)
    };
    let silence = (picture.bell == BellMode::Repeat).then_some(("s", "silence"));
    // Without an owner the way to have one again leads on further than the help.
    let help_rank = if controls.can_own() { 2 } else { 1 };
    let own = if width < SHORT { "run" } else { "run it here" };
    // In the order in which they stand, with their rank. `a` and `s` are there from the start: to bring them
    // up with the alarm would be more bytes than the alarm.
    let keys: [(Option<Key>, u8); 10] = [
        (controls.can_own().then_some(("o", own)), 1),
        (
            toggle.filter(|_| controls.toggle_mode() == ToggleMode::Free && controls.reaches_owner()),
            4,
        ),
        (
            toggle
                .filter(|_| controls.reaches_owner())
                .map(|_| ("p", "publish")),
            7,
        ),
        (lock, lock_rank),
        (Some(("a", "acknowledge")), acknowledge_rank),
        (silence, 6),
        (Some(("t", "test")), 8),
        (scrolled.then_some(("Home", "newest event")), 2),
        (Some(("?", if open { "close help" } else { "help" })), help_rank),
        ((!open).then_some(("q", "quit")), 0),
    ];
    let mut room = width;
    let mut chosen = [None; 10];
    for rank in 0..9 {
        for (place, (key, _)) in keys.iter().enumerate().filter(|(_, (_, its))| *its == rank) {
            // Between two of them are three columns; after the last none are needed.
            let needed = key.map_or(0, |(key, what)| key.len() + what.len() + 2);
            if needed <= room {
                chosen[place] = *key;
                room = room.saturating_sub(if needed > 0 { needed + 2 } else { 0 });
            }
        }
    }
    let mut line = Line::default();
    for (key, what) in chosen.into_iter().flatten() {
        line.push_span(Span::styled(format!(" {key} "), theme.key()));
        line.push_span(Span::styled(format!("{what}  "), theme.dim()));
    }
    line
}
