//! One sensor's line.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::acknowledged::Acknowledgement;
use crate::command::Name;
use crate::machine::{Freshness, Role};
use crate::sensor::{Card, SensorId};
use crate::stage::Stage;
use crate::text::words::{self, Times};
use crate::time::Wall;
use crate::ui::controls::{Absence, ToggleMode};
use crate::ui::view::Picture;
use crate::ui::view::sensors::Around;
use crate::ui::view::text::{cut, width as columns};

/// From this width on a row begins with the mark of what has happened to it.
const MARKED: usize = 26;

/// From this width on symbols stand beside the words.
const ROOMY: usize = 30;

/// From this width on it is said what a time means.
const TALKATIVE: usize = 56;

/// In which column begins what is said of a sensor's alarm, and names where they stand below each other:
/// behind the longest time. What a time means is not said beside names, but for HELD.
const NAMES: usize = 46;

/// So much of a name says something; with less room there is none.
const SHORTEST_NAME: usize = 6;

/// How long the line of what has been is at most, before which column it never begins, and behind which it
/// never ends.
const HISTORY: (usize, usize, usize) = (20, 50, 79);

/// Number and state, and of another card's sensor whether it is live or held. There is no room for a symbol
/// beside that word, and words go first.
pub(super) fn compact(
    picture: &Picture,
    sensor: SensorId,
    (width, around): (usize, Around),
) -> Line<'static> {
    let (view, theme) = (&picture.view, &picture.theme);
    let state = view.state(sensor);
    let word = words::state(state);
    let (mark, style) = mark(picture, sensor);
    let mut line = Line::from(vec![
        Span::raw(sensor.number().to_string()),
        Span::styled(mark, style),
    ]);
    let room = width.saturating_sub(line.width() + word.len() + 1);
    if let Some(toggle_mode) = toggle_mode(picture, sensor, room, around) {
        line.push_span(Span::styled(word, theme.chip(state)));
        line.push_span(Span::raw(" "));
        line.push_span(toggle_mode);
        return line;
    }
    if around == Around::Nothing && picture.controls.is_refused(sensor) {
        // Beside UNKNOWN there is no room for a word.
        line.spans[0].style = theme.waiting().add_modifier(Modifier::REVERSED);
    }
    match (state, view.sensors[sensor].and_then(|seen| seen.stage)) {
        (None, _) => line.push_span(Span::styled(word, theme.chip(state))),
        (_, Some(_)) => {
            let text = format!("{} {word}", theme.state_mark(state));
            line.push_span(Span::styled(text, theme.chip(state)));
        }
        (_, None) => {
            let (fresh, style) = match view.freshness[sensor.card()] {
                Freshness::Live => ("LIVE", theme.good()),
                Freshness::Held { .. } => ("HELD", theme.waiting()),
            };
            line.push_span(Span::styled(word, theme.chip(state)));
            line.push_span(Span::styled(format!(" {fresh}"), style));
        }
    }
    line
}

/// Why a press on this sensor toggles nothing, in at most `room` columns, if nothing around the rows says it:
/// where its owner is absent or its screen is locked always, set off after a press; of another board's sensor
/// after a press only.
fn toggle_mode(picture: &Picture, sensor: SensorId, room: usize, around: Around) -> Option<Span<'static>> {
    let refused = picture.controls.is_refused(sensor);
    let own = picture.view.role == Role::Monitor(sensor.card());
    if around == Around::All {
        return None;
    }
    let absence = picture.elsewhere.as_ref().and_then(|elsewhere| elsewhere.absence);
    let words = match (
        absence.filter(|_| own),
        picture.controls.toggle_mode(),
        sensor.card(),
    ) {
        (Some((absence, _)), ..) => absent(absence, sensor),
        _ if around == Around::Keys => return None,
        (_, ToggleMode::Locked, _) if own => ["locked", "lock"],
        (_, ToggleMode::ReadOnly, _) if own => ["read-only", "r/o"],
        (_, _, Card::One) if refused => ["on board 1", "bd 1"],
        (_, _, Card::Two) if refused => ["on board 2", "bd 2"],
        _ => return None,
    };
    let word = words.into_iter().find(|word| word.len() <= room)?;
    let style = picture.theme.waiting();
    let style = if refused {
        style.add_modifier(Modifier::REVERSED)
    } else {
        style
    };
    Some(Span::styled(word, style))
}

/// That the owner is absent, and what to do about it: in three rows, which are read one after the other.
const fn absent(absence: Absence, sensor: SensorId) -> [&'static str; 2] {
    match (absence, sensor.number()) {
        (Absence::Silent, _) => ["no answer", "hung"],
        (Absence::Ended { may_run: false }, _) | (Absence::Ended { .. }, 1 | 4) => ["owner ended", "gone"],
        (Absence::Ended { .. }, 2 | 5) => ["o runs it here", "o to"],
        (Absence::Ended { .. }, _) => ["o runs it here", "run"],
    }
}

/// What has happened to a sensor: its key has just been pressed, or it has changed since the last
/// acknowledgement.
fn mark(picture: &Picture, sensor: SensorId) -> (&'static str, Style) {
    let theme = &picture.theme;
    if picture.controls.is_pressed(sensor) {
        (theme.pressed_mark(), Style::new())
    } else if picture.alarms.is_new(sensor) {
        (theme.new_mark(), Style::new())
    } else {
        (" ", Style::new())
    }
}

/// Number, symbol and state, how far it has got or how fresh it is, since when, what people call it, and how
/// it got there. What does not fit is left out from the right, but the name before the time; number and state
/// always fit.
///
/// The name does not stand beside the number: other programs look there for the state, and a name may have
/// the word for one in it.
pub(super) fn line(picture: &Picture, sensor: SensorId, (width, around): (usize, Around)) -> Line<'static> {
    let mut line = head(picture, sensor, (width, around));
    let alarm = alarm(picture, sensor);
    // What is said of an alarm goes before the end of a long name.
    let kept = alarm.as_ref().map_or(0, |(texts, _)| shortest(texts) + 2);
    line.spans
        .extend(name(picture, sensor, width.saturating_sub(kept), line.width()));
    if let Some((texts, style)) = alarm {
        line.spans.extend(beside(texts, style, width, line.width()));
    }
    line.spans.extend(history(picture, sensor, width, line.width()));
    line
}

/// A row without the name, the alarm and what has been.
pub(super) fn head(picture: &Picture, sensor: SensorId, (width, around): (usize, Around)) -> Line<'static> {
    let theme = &picture.theme;
    let state = picture.view.state(sensor);
    let number = format!("Sensor {} ", sensor.number());
    let word = words::state(state);
    let mut line = Line::default();
    if width >= MARKED {
        let (mark, style) = mark(picture, sensor);
        line.push_span(Span::styled(mark, style));
    }
    line.push_span(Span::raw(number));
    if width < ROOMY {
        line.push_span(Span::styled(word, theme.chip(state)));
        line.push_span(Span::raw(" "));
    } else {
        // The state alone is set off; the gap after it is not.
        let chip = format!(" {} {word} ", theme.state_mark(state));
        let gap = 11_usize.saturating_sub(chip.chars().count());
        line.push_span(Span::styled(chip, theme.chip(state)));
        line.push_span(Span::raw(" ".repeat(gap)));
    }
    let mut left = width.saturating_sub(line.width());
    if let Some(toggle_mode) = toggle_mode(picture, sensor, left, around) {
        line.push_span(toggle_mode);
        line.push_span(Span::raw(" "));
        left = width.saturating_sub(line.width());
    }
    let talkative = width >= TALKATIVE && picture.view.names.is_empty();
    line.spans.extend(beside_state(picture, sensor, left, talkative));
    line
}

/// What stands beside a state, in at most `width` columns.
fn beside_state(picture: &Picture, sensor: SensorId, width: usize, talkative: bool) -> Vec<Span<'static>> {
    let (view, theme) = (&picture.view, &picture.theme);
    let Some(seen) = view.sensors[sensor] else {
        return Vec::new();
    };
    let changed = seen.changed.map(|wall| picture.times.at(wall));
    let (word, style, time) = match (seen.stage, view.freshness[sensor.card()]) {
        (Some(stage), _) => (stage.word(), theme.stage(stage), changed),
        (None, Freshness::Live) => ("LIVE", theme.good(), changed),
        (None, Freshness::Held { .. }) => {
            let since = view.held_since(sensor.card());
            let since = since.map_or_else(|| "start".to_owned(), |since| picture.times.at(since));
            ("HELD", theme.waiting(), Some(since))
        }
    };
    if width < word.len() {
        return Vec::new();
    }
    let mut spans = vec![Span::styled(word, style)];
    let Some(time) = time else { return spans };
    // The time of the last change; of what is held, since when. Below each other where there is room for
    // that.
    let held = word == "HELD";
    let style = if held { style } else { theme.dim() };
    let since = if held || talkative { "since " } else { "" };
    let gap = if held && !talkative { 1 } else { 10 - word.len() };
    let texts = [format!("{}{since}{time}", " ".repeat(gap)), format!(" {time}")];
    if let Some(text) = texts.into_iter().find(|text| word.len() + text.len() <= width) {
        spans.push(Span::styled(text, style));
    }
    spans
}

/// What became of the alarm when the sensor was KO last: that it is new, that somebody has acknowledged it,
/// or that it was over before anybody had seen it.
fn alarm(picture: &Picture, sensor: SensorId) -> Option<(Vec<String>, Style)> {
    let theme = &picture.theme;
    let alarm = picture.view.sensors[sensor]?.alarm?;
    let time = |wall: Option<Wall>| wall.map(|wall| picture.times.at(wall));
    match (alarm.ko.to, alarm.acknowledged) {
        (None, None) => Some((["new alarm", "new"].map(str::to_owned).to_vec(), theme.alarm())),
        (None, Some(stamp)) => {
            let under_way = alarm.stage.filter(|stage| *stage != Stage::Confirmed);
            let texts = match (under_way, alarm.stage, picture.view.role) {
                _ if alarm.is_here_only => here_only(),
                (Some(stage), ..) => acknowledged(stage),
                // The owner of the display's board has it, and the other one does not.
                (None, None, Role::Display) => on_board(picture.view.links.home),
                (None, ..) => by_whom(stamp, &picture.times),
            };
            Some((texts, theme.dim()))
        }
        (Some(_), Some(_)) => None,
        (Some(to), None) => {
            let to = picture.times.at(to);
            let was = time(alarm.ko.from).map(|from| format!("was KO {from} to {to}"));
            let texts = [format!("was KO to {to}"), "was KO".to_owned()];
            Some((was.into_iter().chain(texts).collect(), theme.waiting()))
        }
    }
}

fn shortest(texts: &[String]) -> usize {
    texts.last().map_or(0, String::len)
}

/// The longest of these texts for which there is room, below those of other rows where the window is wide
/// enough for that.
fn beside(texts: Vec<String>, style: Style, width: usize, used: usize) -> Vec<Span<'static>> {
    let column = if width < TALKATIVE { 0 } else { NAMES };
    let column = column.max(used + 2);
    let room = width.saturating_sub(column + 1);
    let Some(text) = texts.into_iter().find(|text| text.len() <= room) else {
        return Vec::new();
    };
    vec![Span::raw(" ".repeat(column - used)), Span::styled(text, style)]
}

/// How far it has got that an alarm is acknowledged: said until all have it.
fn acknowledged(stage: Stage) -> Vec<String> {
    let with_stage = ["acknowledged", "ack."].map(|word| format!("{word} {}", stage.word()));
    // Where there is no room for the stage the long word would say too much.
    with_stage.into_iter().chain(["ack.".to_owned()]).collect()
}

/// That it is told to nobody.
fn here_only() -> Vec<String> {
    ["acknowledged here only", "ack. here", "ack."]
        .map(str::to_owned)
        .to_vec()
}

/// Which board alone knows of it.
fn on_board(card: Card) -> Vec<String> {
    vec![
        format!("acknowledged on board {}", card.number()),
        "ack.".to_owned(),
    ]
}

/// That an alarm is acknowledged; when and by whom, where there is room for that.
fn by_whom(stamp: Acknowledgement, times: &Times) -> Vec<String> {
    let at = stamp.at.map(|at| times.at(at));
    let by = stamp.by.as_ref().map(Name::as_str);
    let texts = match (at, by) {
        (Some(at), Some(by)) => vec![
            format!("acknowledged {at} by {by}"),
            format!("acknowledged by {by}"),
            format!("acknowledged {at}"),
        ],
        (Some(at), None) => vec![format!("acknowledged {at}")],
        (None, Some(by)) => vec![format!("acknowledged by {by}")],
        (None, None) => Vec::new(),
    };
    let bare = ["acknowledged", "ack."].map(str::to_owned);
    texts.into_iter().chain(bare).collect()
}

/// What people call it, below the other names where the window is wide enough for that, else in the room that
/// is left.
fn name(picture: &Picture, sensor: SensorId, width: usize, used: usize) -> Vec<Span<'static>> {
    let theme = &picture.theme;
    let Some(name) = picture.view.names.get(sensor) else {
        return Vec::new();
    };
    let name = theme.plain_text(name.as_str());
    let from = if width >= TALKATIVE {
        NAMES.max(used + 1)
    } else {
        used + 2
    };
    let room = width.saturating_sub(from + 1);
    if room < SHORTEST_NAME.min(columns(&name)) {
        return Vec::new();
    }
    let name = cut(&name, room, theme.cut_mark());
    vec![Span::raw(" ".repeat(from - used)), Span::raw(name)]
}

/// The line of what has been, its end at the same place in each row, where there is room for some of it.
fn history(picture: &Picture, sensor: SensorId, width: usize, used: usize) -> Vec<Span<'static>> {
    let (most, from, to) = HISTORY;
    let end = to.min(width.saturating_sub(1));
    let columns = most.min(end.saturating_sub(from.max(used + 1)));
    if columns < 8 {
        return Vec::new();
    }
    let steps = picture.alarms.history(sensor).line(columns);
    let gap = end - used - steps.len();
    let line: String = steps.into_iter().map(|state| picture.theme.step(state)).collect();
    vec![Span::raw(" ".repeat(gap)), Span::raw(line)]
}
