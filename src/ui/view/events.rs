//! The last events, the newest on top; scrolled back, those from the one that the operator has stopped at.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Picture;
use super::text::{fit, width as columns, wrap};
use crate::event_log::LogEntry;
use crate::text::words;

/// How many lines an area holds under its rule; a single line is an event without one.
fn rows(area: Rect) -> usize {
    usize::from(area.height).saturating_sub(rules(area))
}

fn rules(area: Rect) -> usize {
    usize::from(area.height > 1)
}

/// From this many lines on a text that is wider than the window goes on in the next one; with fewer, each
/// event has a line.
const BREAKS: usize = 4;

/// How far a text that goes on stands in.
const INDENT: usize = 2;

/// How many events an area holds: from the one that is on top, and of the oldest ones.
pub(super) fn held(picture: &Picture, area: Rect) -> (usize, usize) {
    let rows = rows(area);
    let height = |(entry, _): (&LogEntry, u64)| texts(picture, entry, area).len();
    let held = |heights: &mut dyn Iterator<Item = usize>| {
        let ends = heights.scan(0, |used, height| {
            *used += height;
            Some(*used)
        });
        ends.take_while(|used| *used <= rows).count()
    };
    let all: Vec<_> = from_top(picture).collect();
    let oldest: Vec<_> = picture.view.event_log.newest_first().collect();
    (
        held(&mut all.into_iter().map(height)),
        held(&mut oldest.into_iter().rev().map(|entry| height((entry, 0)))),
    )
}

/// The events from the one on top, with their numbers.
fn from_top(picture: &Picture) -> impl Iterator<Item = (&LogEntry, u64)> {
    let event_log = &picture.view.event_log;
    let newest = event_log.noted();
    let oldest = newest + 1 - event_log.newest_first().count() as u64;
    // A page that has been forgotten meanwhile is followed by the oldest that is known.
    let top = picture.controls.log().unwrap_or(newest).max(oldest).min(newest);
    let numbered = event_log.newest_first().zip((oldest..=newest).rev());
    numbered.filter(move |(_, number)| *number <= top)
}

/// An event's text, in lines that fit beside its time.
fn texts(picture: &Picture, entry: &LogEntry, area: Rect) -> Vec<String> {
    let (view, theme) = (&picture.view, &picture.theme);
    let text = words::event(entry, &view.names, view.role, view.links.home);
    let text = theme.plain_text(&text).into_owned();
    let width = usize::from(area.width).saturating_sub(picture.times.at(entry.wall).len() + 3);
    if rows(area) < BREAKS || columns(&text) <= width {
        return vec![fit(&text, width)];
    }
    let parts = wrap(&text, width.saturating_sub(INDENT));
    let indented = |(number, part): (usize, String)| match number {
        0 => part,
        _ => format!("{:INDENT$}{part}", ""),
    };
    parts.into_iter().enumerate().map(indented).collect()
}

/// As many as the area holds, under a rule.
pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    if rows(area) == 0 {
        return Vec::new();
    }
    let (theme, alarms) = (&picture.theme, &picture.alarms);
    let width = usize::from(area.width);
    let newest = picture.view.event_log.noted();
    let top = from_top(picture).next().map_or(newest, |(_, number)| number);
    let events = from_top(picture).flat_map(|(entry, number)| {
        let time = picture.times.at(entry.wall);
        let mark = if number > alarms.acknowledged() {
            theme.new_mark()
        } else {
            " "
        };
        let beside = format!("{:1$}", "", time.len() + 3);
        let texts = texts(picture, entry, area);
        (0..texts.len()).map(move |place| {
            let before = match place {
                0 => Span::styled(format!("{mark}{time}  "), theme.dim()),
                _ => Span::raw(beside.clone()),
            };
            (before, texts[place..].to_vec())
        })
    });
    let rows = rows(area);
    let lines = events.take(rows).enumerate().map(|(row, (before, mut texts))| {
        // What has no room any more is not dropped without a word.
        let text = if row + 1 == rows && texts.len() > 1 {
            fit(&texts.join(" "), width.saturating_sub(before.width()))
        } else {
            texts.swap_remove(0)
        };
        Line::from(vec![before, Span::raw(text)])
    });
    std::iter::repeat_n(rule(picture, newest - top, width), rules(area))
        .chain(lines)
        .collect()
}

/// The line above, which says how many newer events there are.
fn rule(picture: &Picture, newer: u64, width: usize) -> Line<'static> {
    let theme = &picture.theme;
    if newer == 0 {
        return Line::styled(theme.rule().repeat(width), theme.dim());
    }
    let text = format!(" {newer} newer: Home ");
    let lead = width.saturating_sub(text.len()).min(2);
    Line::from(vec![
        Span::styled(theme.rule().repeat(lead), theme.dim()),
        Span::styled(text.clone(), theme.waiting()),
        Span::styled(
            theme.rule().repeat(width.saturating_sub(lead + text.len())),
            theme.dim(),
        ),
    ])
}
