//! The help: every key, and what the words mean.

mod short;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::overlay::room;
use super::{HIGH, Picture, sensors};
use crate::alarms::BellMode;
use crate::machine::Role;
use crate::ui::controls::{ToggleMode, toggle_keys};

/// From this width on keys and words stand beside each other.
const WIDE: u16 = 80;

/// From this width on short keys and words stand beside each other; below it, below each other.
const NARROW: u16 = 40;

/// All of its lines: in full where there is room for them, else in a few words, so that keys and words are
/// still seen together.
pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let theme = picture.theme;
    let full = |(key, what): (&'static str, &'static str)| {
        Line::from(vec![
            Span::styled(format!(" {key:<10} "), theme.key()),
            Span::raw(what),
        ])
    };
    let (mut all_keys, mut all_words) = (keys(picture), words(picture));
    if sensors::fill(picture, area) {
        // No line below says how to come back.
        let closes = all_keys.iter().position(|(key, _)| *key == "?").unwrap_or(0);
        all_keys[..=closes].rotate_right(1);
    }
    let below_each_other = all_keys.len() + all_words.len();
    let mut lines = if area.width >= WIDE {
        // As low as it can be: the last keys stand below the words.
        let rows = below_each_other.div_ceil(2).min(all_keys.len());
        all_words.extend(all_keys.split_off(rows));
        beside(all_keys, all_words, area, full)
    } else if area.width > NARROW && below_each_other <= usize::from(room(picture, area)) {
        all_keys.into_iter().chain(all_words).map(full).collect()
    } else {
        short::lines(picture, area)
    };
    if area.height >= HIGH {
        // Where each line counts there is no rule.
        let rule = theme.rule().repeat(usize::from(area.width));
        lines.insert(0, Line::styled(rule, theme.dim()));
    }
    lines
}

/// Keys in the left half, words in the right one.
fn beside<R>(
    keys: Vec<R>,
    words: Vec<R>,
    area: Rect,
    row: impl Fn(R) -> Line<'static>,
) -> Vec<Line<'static>> {
    let column = usize::from(area.width) / 2;
    let mut lines: Vec<_> = keys.into_iter().map(&row).collect();
    for (place, word) in words.into_iter().enumerate() {
        if place == lines.len() {
            lines.push(Line::default());
        }
        let line = &mut lines[place];
        let gap = column.saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(gap)));
        line.spans.extend(row(word).spans);
    }
    lines
}

/// Every key that does something here.
fn keys(picture: &Picture) -> Vec<(&'static str, &'static str)> {
    let mut rows = Vec::new();
    if let Some(keys) = toggle_keys(picture.view.role) {
        if picture.controls.toggle_mode() != ToggleMode::ReadOnly {
            rows.push((keys, "toggle the sensor"));
            rows.push(("l", "lock and unlock toggling"));
        }
        rows.push(("p", "publish the state again"));
    }
    if picture.elsewhere.is_some() {
        rows.push(("o", "run it here, if it has ended"));
    }
    rows.extend([("a", "acknowledge alarms and news")]);
    if picture.bell == BellMode::Repeat {
        rows.push(("s", "silence the bell"));
    }
    rows.extend([
        ("t", "test colours and bell"),
        ("Up Down", "newer and older events"),
        ("PgUp PgDn", "the same, by a page"),
        ("Home End", "newest and oldest event"),
        ("?", "open and close this help"),
        ("Esc", "close this help"),
        ("q Ctrl-C", "close this help, or quit"),
        ("Ctrl-Z", "stop; `fg` goes on"),
    ]);
    if picture.mouse {
        if matches!(
            picture.controls.toggle_mode(),
            ToggleMode::Free | ToggleMode::Locked
        ) {
            rows.push(("click", "toggle the sensor"));
        }
        rows.push(("wheel", "newer and older events"));
    }
    rows
}

/// The words and signs of this screen.
fn words(picture: &Picture) -> Vec<(&'static str, &'static str)> {
    let theme = &picture.theme;
    let mut rows = Vec::new();
    if picture.view.role != Role::Display {
        rows.push(("SENDING", "on its way to file, broker"));
        rows.push(("SAVED", "in this board's file, broker"));
        rows.push(("CONFIRMED", "the other board has it"));
    }
    rows.extend([
        ("LIVE", "what its owner says now"),
        ("HELD", "last known: a link is broken"),
        ("UNKNOWN", "nobody has said it yet"),
        (theme.new_mark(), "new since you acknowledged"),
        (theme.history_mark(), "OK, then KO; wider: longer"),
    ]);
    if picture.view.role != Role::Display {
        rows.push((theme.pressed_mark(), "your press was taken"));
    }
    rows
}
