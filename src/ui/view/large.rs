//! States in letters of three lines: what hangs on the wall is read from across the room. Narrow ones, since
//! each cell is three bytes.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{Picture, Theme};
use crate::sensor::{SensorId, State};

/// How many lines the letters take.
pub(super) const LINES: usize = 3;

const OK: [&str; LINES] = ["█▀█ █▄▀", "█ █ █▀▄", "█▄█ █ █"];
const KO: [&str; LINES] = ["█▄▀ █▀█", "█▀▄ █ █", "█ █ █▄█"];
const UNKNOWN: [&str; LINES] = [" █▀█   ", "  ▄▀   ", "  ▄    "];

/// The lines of one sensor's state, and beside them what people call it.
pub(super) fn lines(picture: &Picture, sensor: SensorId) -> [Line<'static>; LINES] {
    let theme = picture.theme;
    let state = picture.view.state(sensor);
    let letters = match state {
        Some(State::Ok) => OK,
        Some(State::Ko) => KO,
        None => UNKNOWN,
    };
    let style = theme.state(state).remove_modifier(Modifier::BOLD);
    let mut lines = letters.map(|line| Line::from(vec![Span::raw("     "), Span::styled(line, style)]));
    if let Some(name) = picture.view.names.get(sensor) {
        let name = theme.plain_text(name.as_str()).into_owned();
        lines[LINES / 2]
            .spans
            .extend([Span::raw("   "), Span::styled(name, Theme::strong())]);
    }
    lines
}
