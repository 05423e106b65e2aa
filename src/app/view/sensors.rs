//! The sensors: in two columns where the window is wide and low, one below the other where it is narrow, with air where it is high. All six
//! are on the screen as long as it is at all possible: where there is no room for the words `Sensor N`, the number stands for them.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Look, Picture};
use crate::app::words;
use crate::machine::{Freshness, Role};
use crate::sensor::{Card, SensorId};

/// From this width on there are two columns.
const TWO_COLUMNS: u16 = 80;

/// How the six stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One below the other.
    Column,
    /// The cards beside each other.
    Beside,
    /// The cards beside each other, with numbers for names.
    Compact,
}

impl Shape {
    /// The best one for a window; `None` where none fits.
    const fn of(area: Rect) -> Option<Self> {
        match (area.width, area.height) {
            (TWO_COLUMNS.., 3..) => Some(Self::Beside),
            (16.., 6..) => Some(Self::Column),
            (34.., 3..) => Some(Self::Beside),
            (19.., 3..) => Some(Self::Compact),
            _ => None,
        }
    }
}

/// The lines of all sensors; the own ones first. `None` where the window does not hold all six.
pub(super) fn lines<'a>(picture: &Picture, area: Rect) -> Option<Vec<Line<'a>>> {
    let cards = match picture.machine.role() {
        Role::Monitor(Card::Two) => [Card::Two, Card::One],
        Role::Monitor(Card::One) | Role::Display => Card::ALL,
    };
    let high = area.height >= super::HIGH;
    let air = high.then(Line::default);
    let mut lines = Vec::new();
    match Shape::of(area)? {
        Shape::Column => {
            for card in cards {
                lines.extend(air.clone());
                lines.extend(block(picture, card, usize::from(area.width), high));
            }
        }
        Shape::Beside => {
            let column = usize::from(area.width) / 2;
            let [left, right] = cards.map(|card| block(picture, card, column, high));
            lines.extend(air.clone());
            lines.extend(
                left.into_iter()
                    .zip(right)
                    .map(|(left, right)| beside(left, right, column)),
            );
        }
        Shape::Compact => {
            let column = usize::from(area.width).div_ceil(2);
            let [left, right] = cards.map(|card| card.sensors().map(|sensor| compact(picture, sensor)));
            lines.extend(
                left.into_iter()
                    .zip(right)
                    .map(|(left, right)| beside(left, right, column)),
            );
        }
    }
    lines.extend(air);
    Some(lines)
}

/// Number and state.
fn compact<'a>(picture: &Picture, sensor: SensorId) -> Line<'a> {
    let look = &picture.look;
    let state = picture.machine.shown(sensor).map(|shown| shown.state());
    let mark = state.map_or_else(String::new, |_| format!("{} ", look.state_mark(state)));
    Line::from(vec![
        Span::raw(format!("{} ", sensor.number())),
        Span::styled(format!("{mark}{}", words::state(state)), look.chip(state)),
    ])
}

fn beside<'a>(mut left: Line<'a>, right: Line<'a>, column: usize) -> Line<'a> {
    let gap = column.saturating_sub(left.width());
    left.push_span(Span::raw(" ".repeat(gap)));
    left.spans.extend(right.spans);
    left
}

/// One card's sensors, with its heading where there is room.
fn block<'a>(picture: &Picture, card: Card, width: usize, high: bool) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    if high {
        let own = picture.machine.role() == Role::Monitor(card);
        let whose = if own { "  this board" } else { "" };
        lines.push(Line::from(vec![
            Span::raw(" "),
            Span::styled(format!("Board {}", card.number()), Look::strong()),
            Span::styled(whose, picture.look.dim()),
        ]));
    }
    lines.extend(card.sensors().map(|sensor| row(picture, sensor, width)));
    lines
}

/// One sensor: name, symbol and state, how far it has got or how fresh it is, and since when. What does not fit is left out from the
/// right; name and state always fit.
fn row<'a>(picture: &Picture, sensor: SensorId, width: usize) -> Line<'a> {
    let look = &picture.look;
    let shown = picture.machine.shown(sensor);
    let state = shown.map(|shown| shown.state());
    let name = format!("Sensor {}", sensor.number());
    let word = words::state(state);
    let mut line = Line::default();
    if width < 30 {
        line.push_span(Span::raw(format!("{name} ")));
        line.push_span(Span::styled(word, look.chip(state)));
        line.push_span(Span::raw(" "));
    } else {
        // The state alone is set off; the gap after it is not.
        let chip = format!(" {} {word} ", look.state_mark(state));
        let gap = 11_usize.saturating_sub(chip.chars().count());
        line.push_span(Span::raw(format!(" {name} ")));
        line.push_span(Span::styled(chip, look.chip(state)));
        line.push_span(Span::raw(" ".repeat(gap)));
    }
    let left = width.saturating_sub(line.width());
    line.spans.extend(beside_state(picture, sensor, left));
    line
}

/// What stands beside a state, in at most `width` columns.
fn beside_state<'a>(picture: &Picture, sensor: SensorId, width: usize) -> Vec<Span<'a>> {
    let (machine, look) = (&picture.machine, &picture.look);
    let Some(shown) = machine.shown(sensor) else {
        return Vec::new();
    };
    let changed = shown.changed().map(|wall| picture.times.at(wall));
    let (word, style, time) = match (machine.stage(sensor), machine.freshness(sensor.card())) {
        (Some(stage), _) => (stage.word(), look.stage(stage), changed),
        (None, Freshness::Live) => ("LIVE", look.good(), changed),
        (None, Freshness::Held { since, .. }) => ("HELD", look.waiting(), Some(picture.times.at(since))),
    };
    if width < word.len() {
        return Vec::new();
    }
    let mut spans = vec![Span::styled(word, style)];
    let Some(time) = time else { return spans };
    // The time of the last change; of what is held, since when.
    let (lead, style) = match word {
        "HELD" => (" since ", style),
        _ => ("", look.dim()),
    };
    // Below each other where there is room for that.
    let gap = if lead.is_empty() { 10 - word.len() } else { 0 };
    let short = [format!("{}{lead}{time}", " ".repeat(gap)), format!(" {time}")];
    if let Some(text) = short.into_iter().find(|text| word.len() + text.len() <= width) {
        spans.push(Span::styled(text, style));
    }
    spans
}
