//! The help of a small window: every key and word in at most 20 columns.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{NARROW, beside};
use crate::alarms::BellMode;
use crate::machine::Role;
use crate::ui::controls::{ToggleMode, toggle_keys};
use crate::ui::view::{Picture, sensors};

/// Pairs of a key or word and what it means; several on a line where they are short.
type Row = Vec<(&'static str, &'static str)>;

/// How to come back.
const CLOSES: [(&str, &str); 1] = [("? Esc", "close help")];

pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let style = picture.theme.key();
    let row = |row: Row| {
        let spans = row.into_iter().flat_map(|(key, what)| {
            [
                Span::styled(format!(" {key}"), style),
                Span::raw(format!(" {what}")),
            ]
        });
        Line::from(spans.collect::<Vec<_>>())
    };
    let (mut keys, words) = (keys(picture), words(picture));
    if sensors::fill(picture, area) {
        // No line below says it.
        let closes = keys.iter().position(|row| row == &CLOSES).unwrap_or(0);
        keys[..=closes].rotate_right(1);
    }
    if area.width >= NARROW {
        beside(keys, words, area, row)
    } else {
        keys.into_iter().chain(words).map(row).collect()
    }
}

fn keys(picture: &Picture) -> Vec<Row> {
    let mut rows = Vec::new();
    // Beside other keys where these are there: each line counts.
    let mut silence = (picture.bell == BellMode::Repeat).then_some(("s", "silence"));
    let mut test = Some(("t", "test"));
    if let Some(keys) = toggle_keys(picture.view.role) {
        if picture.controls.toggle_mode() != ToggleMode::ReadOnly {
            rows.push(vec![(keys, "toggle")]);
            rows.push([("l", "lock")].into_iter().chain(silence.take()).collect());
        }
        rows.push([("p", "publish")].into_iter().chain(test.take()).collect());
    }
    if picture.elsewhere.is_some() {
        rows.push(vec![("o", "run it here")]);
    }
    rows.push(vec![("a", "acknowledge")]);
    if silence.is_some() || test.is_some() {
        rows.push(silence.into_iter().chain(test).collect());
    }
    rows.extend([
        vec![("Up PgUp Home", "newer")],
        vec![("Down PgDn End", "older")],
        CLOSES.to_vec(),
        vec![("q ^C", "quit"), ("^Z", "stop")],
    ]);
    if picture.mouse {
        if matches!(
            picture.controls.toggle_mode(),
            ToggleMode::Free | ToggleMode::Locked
        ) {
            rows.push(vec![("click", "toggle")]);
        }
        rows.push(vec![("wheel", "scroll")]);
    }
    rows
}

fn words(picture: &Picture) -> Vec<Row> {
    let theme = &picture.theme;
    let mut marks = vec![(theme.new_mark(), "new")];
    let mut rows = Vec::new();
    if picture.view.role != Role::Display {
        rows.push(vec![("SENDING", "on its way")]);
        rows.push(vec![("SAVED", "file, broker")]);
        rows.push(vec![("CONFIRMED", "by other")]);
        marks.push((theme.pressed_mark(), "taken"));
    }
    rows.extend([
        vec![("LIVE", "said now")],
        vec![("HELD", "last known")],
        vec![("UNKNOWN", "not said")],
        marks,
        vec![(theme.history_mark(), "OK, then KO")],
    ]);
    rows
}
