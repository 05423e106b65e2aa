//! The screens. Drawing is a function of a [`Picture`]: no clock, no lock, no change.

mod banner;
mod events;
mod footer;
mod help;
mod large;
mod links;
mod overlay;
mod plan;
mod problems;
mod self_test;
mod sensors;
mod text;
mod theme;
mod title;

use std::iter;

use ratatui::layout::{Position, Rect, Size};
use ratatui::text::Line;

use crate::alarms::{Alarms, BellMode};
use crate::mqtt::Exposure;
use crate::sensor::SensorId;
use crate::terminal::notification::Notifications;
use crate::text::words::Times;
use crate::time::Wall;
use crate::ui::controls::{Absence, Controls, Extent};
use crate::view::View;

use overlay::Overlay;
use plan::Plan;
pub use theme::{Theme, is_dumb};

/// Everything that is on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What there is to see of the program.
    pub view: View,
    /// What is new, and what has raised an alarm.
    pub alarms: Alarms,
    /// What the operator has set.
    pub controls: Controls,
    /// Whether clicks come.
    pub mouse: bool,
    /// How alarms ring.
    pub bell: BellMode,
    /// Whether and how the terminal is told of alarms.
    pub notifications: Notifications,
    /// Where it runs, if that is another process.
    pub elsewhere: Option<Elsewhere>,
    /// Its broker's address, as people write it.
    pub url: String,
    /// What the connection to it lacks.
    pub exposure: Exposure,
    /// Clock times in the machine's zone.
    pub times: Times,
    /// Colours and symbols.
    pub theme: Theme,
}

/// The process that a screen belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its process, and where that runs; in words.
    pub place: String,
    /// Why there is no such program now, and since when, if so.
    pub absence: Option<(Absence, Wall)>,
}

/// From this height on there is room for headings, and for a line for each link.
const HIGH: u16 = 16;

/// The screen in a window of this size, a line for each of its rows: sensors first, and of the rest as much
/// as there is room for.
#[must_use]
pub fn draw(picture: &Picture, size: Size) -> Vec<Line<'static>> {
    let area = Rect::from((Position::ORIGIN, size));
    let mut rows = vec![Line::default(); usize::from(area.height)];
    let Some(plan) = Plan::of(picture, area) else {
        let words = if area.width < 28 {
            "needs 19x3"
        } else {
            "window too small: needs 19x3"
        };
        put(&mut rows, area, [Line::raw(words)]);
        return rows;
    };
    put(&mut rows, plan.title, [title::line(picture, plan.title)]);
    put(&mut rows, plan.links_at, plan.links);
    put(&mut rows, plan.sensors_at, plan.sensors.lines);
    put(&mut rows, plan.problems_at, plan.problems);
    put(&mut rows, plan.log, events::lines(picture, plan.log));
    put(&mut rows, plan.footer, [footer::line(picture, plan.footer)]);
    if let Some(over) = Overlay::of(picture, area) {
        over.put(picture, area, &mut rows);
    }
    if let Some(banner) = banner::line(picture, plan.banner, plan.problems_at.height > 0) {
        put(&mut rows, plan.banner, [banner]);
    }
    rows
}

/// Puts lines at a place, over what stands there; what they do not fill is blank.
fn put(rows: &mut [Line<'static>], at: Rect, lines: impl IntoIterator<Item = Line<'static>>) {
    let lines = lines.into_iter().chain(iter::repeat_with(Line::default));
    let place = rows.iter_mut().skip(at.y.into()).take(at.height.into());
    for (row, line) in place.zip(lines) {
        *row = line;
    }
}

/// How much of what can be scrolled is on a screen of this size.
#[must_use]
pub fn extent(picture: &Picture, size: Size) -> Extent {
    let area = Rect::from((Position::ORIGIN, size));
    let help = help::lines(picture, area);
    let event_log = &picture.view.event_log;
    let (log_rows, last_rows) =
        Plan::of(picture, area).map_or((0, 0), |plan| events::held(picture, plan.log));
    Extent {
        log_rows,
        last_rows,
        events: event_log.newest_first().count(),
        newest: event_log.noted(),
        help_rows: usize::from(overlay::place(picture, area, help.len()).height),
        help_lines: help.len(),
    }
}

/// The sensor that is drawn at this place of a screen of this size.
#[must_use]
pub fn sensor_at(picture: &Picture, size: Size, at: Position) -> Option<SensorId> {
    let area = Rect::from((Position::ORIGIN, size));
    let plan = Plan::of(picture, area)?;
    let covered = Overlay::of(picture, area)
        .is_some_and(|over| over.place().contains(at) || sensors::fill(picture, area));
    let place = plan.sensors.places.iter().find(|(_, place)| {
        let place = Rect {
            y: place.y + plan.sensors_at.y,
            ..*place
        };
        place.contains(at)
    });
    place.filter(|_| !covered).map(|(sensor, _)| *sensor)
}
