//! The screens. Drawing is a function of a [`Picture`]: no clock, no lock, no change.

mod events;
mod help;
mod links;
mod look;
mod sensors;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::words::{self, Times};
use crate::machine::{Machine, Role};
use crate::sensor::{Card, SensorId, State};

pub use look::Look;

/// Everything that is on the screen.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The program.
    pub machine: Machine,
    /// Its broker's address, as people write it.
    pub url: String,
    /// Clock times in the machine's zone.
    pub times: Times,
    /// Colours and symbols.
    pub look: Look,
    /// Whether help lies over the screen.
    pub help: bool,
}

/// From this height on there is room for headings, and for a line for each link.
const HIGH: u16 = 16;

/// From this height on there is room for air.
const AIRY: u16 = 22;

/// Draws the screen, as much of it as the window holds: sensors first.
pub fn draw(picture: &Picture, frame: &mut Frame<'_>) {
    let area = frame.area();
    let Some(sensors) = sensors::lines(picture, area) else {
        frame.render_widget(Paragraph::new("needs 19x3"), area);
        return;
    };
    // What there is no room for goes in this order: events, links, troubles, title, keys. The sensors stay.
    let room = usize::from(area.height).saturating_sub(sensors.len());
    let (footer, title_lines) = (room.min(1), room.saturating_sub(1).min(1));
    let mut free = room - footer - title_lines;
    let mut troubles = troubles(picture, area);
    troubles.truncate(free);
    free -= troubles.len();
    let mut links = links::lines(picture, area);
    if links.len() > free {
        links.clear();
    }
    let [header, links_at, troubles_at, sensors_at, events_at, footer] = Layout::vertical([
        length(title_lines),
        length(links.len()),
        length(troubles.len()),
        length(sensors.len()),
        Constraint::Min(0),
        length(footer),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(title(picture, area)), header);
    frame.render_widget(Paragraph::new(links), links_at);
    frame.render_widget(Paragraph::new(troubles), troubles_at);
    frame.render_widget(Paragraph::new(sensors), sensors_at);
    events::draw(picture, frame, events_at);
    frame.render_widget(Paragraph::new(keys(picture, area)), footer);
    if picture.help {
        help::draw(picture, frame, area);
    }
}

fn length(lines: usize) -> Constraint {
    Constraint::Length(u16::try_from(lines).unwrap_or(u16::MAX))
}

/// Which board and program this is, and the counts. What does not fit is left out from the left: the counts stay.
fn title<'a>(picture: &Picture, area: Rect) -> Line<'a> {
    let role = picture.machine.role();
    let (board, short) = match role {
        Role::Monitor(card) => (
            format!(" BOARD {} ", card.number()),
            format!(" {} ", card.number()),
        ),
        Role::Display => (" ALL BOARDS ".to_owned(), " ALL ".to_owned()),
    };
    let program = format!("  {}", words::program(role));
    let counts = counts(picture, area);
    let room = usize::from(area.width).saturating_sub(counts.iter().map(Span::width).sum::<usize>() + 1);
    let left = [
        (board.clone(), program),
        (board, String::new()),
        (short, String::new()),
    ]
    .into_iter()
    .find(|(board, program)| board.len() + program.len() < room);
    let mut spans = Vec::new();
    if let Some((board, program)) = left {
        let gap = room - board.len() - program.len();
        spans.push(Span::styled(board, Look::title()));
        spans.push(Span::styled(program, Look::strong()));
        spans.push(Span::raw(" ".repeat(gap)));
    }
    spans.extend(counts);
    Line::from(spans)
}

/// How many are OK, KO and UNKNOWN, of all six.
fn counts<'a>(picture: &Picture, area: Rect) -> Vec<Span<'a>> {
    let look = &picture.look;
    let of = |wanted: Option<State>| {
        SensorId::ALL
            .into_iter()
            .filter(|sensor| picture.machine.shown(*sensor).map(|shown| shown.state()) == wanted)
            .count()
    };
    let mut spans = Vec::new();
    for state in [Some(State::Ok), Some(State::Ko), None] {
        let count = of(state);
        if area.width < 30 && count == 0 {
            continue;
        }
        let style = if count == 0 { look.dim() } else { look.state(state) };
        let gap = if spans.is_empty() { "" } else { "  " };
        spans.push(Span::styled(
            format!("{gap}{count} {}", words::state(state)),
            style,
        ));
    }
    spans
}

/// What is wrong, since when, and what happens next: one line each, cut at a word to what the window is wide.
fn troubles<'a>(picture: &Picture, area: Rect) -> Vec<Line<'a>> {
    let look = &picture.look;
    let width = usize::from(area.width).saturating_sub(4);
    let mut lines = Vec::new();
    for trouble in words::troubles(&picture.machine, &picture.url, &picture.times) {
        for (number, part) in wrap(&look.plain_text(&trouble), width).into_iter().enumerate() {
            let mark = if number == 0 { Look::alarm_mark() } else { " " };
            lines.push(Line::styled(format!(" {mark} {part}"), look.alarm()));
        }
    }
    lines
}

/// Breaks a text at spaces into lines of at most `width` columns; a longer word is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let line = lines.last_mut().expect("there is always a line");
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + rest.len() <= width {
                line.extend(std::iter::repeat_n(' ', gap));
                line.extend(rest.drain(..));
            } else if used > 0 {
                lines.push(String::new());
            } else {
                line.extend(rest.drain(..width));
            }
        }
    }
    lines
}

/// The keys of the moment. Where the window is too narrow for all, those stay that lead on: how to leave, and the help, which lists
/// every key.
fn keys<'a>(picture: &Picture, area: Rect) -> Line<'a> {
    let look = &picture.look;
    let toggle = match picture.machine.role() {
        Role::Monitor(Card::One) => Some(("1 2 3", "toggle")),
        Role::Monitor(Card::Two) => Some(("4 5 6", "toggle")),
        Role::Display => None,
    };
    let publish = toggle.map(|_| ("p", "publish again"));
    let help = Some(("?", if picture.help { "close help" } else { "help" }));
    let mut room = usize::from(area.width);
    let mut fits = |key: Option<(&'static str, &'static str)>| {
        let (key, what) = key?;
        // Between two of them are three columns; after the last none are needed.
        let width = key.len() + what.len() + 2;
        let fits = width <= room;
        room = room.saturating_sub(if fits { width + 2 } else { 0 });
        fits.then_some((key, what))
    };
    let (quit, help, toggle, publish) = (fits(Some(("q", "quit"))), fits(help), fits(toggle), fits(publish));
    let mut line = Line::default();
    for (key, what) in [toggle, publish, help, quit].into_iter().flatten() {
        line.push_span(Span::styled(format!(" {key} "), look.key()));
        line.push_span(Span::styled(format!("{what}  "), look.dim()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn a_long_text_is_broken_at_spaces() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    }

    #[test]
    fn a_word_wider_than_the_window_is_cut() {
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    }

    #[test]
    fn no_width_at_all_is_taken_as_one_column() {
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }
}
