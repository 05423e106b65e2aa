//! The first line: which board and program this is, whether it can be toggled here, and the counts.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Picture, Theme};
use crate::machine::Role;
use crate::sensor::{SensorId, State};
use crate::text::words;
use crate::ui::controls::ToggleMode;

/// What does not fit is left out from the left: the counts stay.
pub(super) fn line(picture: &Picture, area: Rect) -> Line<'static> {
    let role = picture.view.role;
    let (long, short) = match role {
        Role::Monitor(card) => (
            format!(" BOARD {} ", card.number()),
            format!(" {} ", card.number()),
        ),
        Role::Display => (" ALL BOARDS ".to_owned(), " ALL ".to_owned()),
    };
    let [long, short] = [long, short].map(|text| Span::styled(text, Theme::title()));
    let program = Span::styled(format!("  {}", words::program(role)), Theme::strong());
    let toggle_mode = toggle_mode(picture);
    let place = picture.elsewhere.as_ref().map(|elsewhere| {
        let place = format!("  screen of {}", elsewhere.place);
        Span::styled(place, picture.theme.dim())
    });
    let counts = counts(picture, area);
    let room = usize::from(area.width).saturating_sub(width(&counts) + 1);
    let with = |span: Option<&Span<'static>>| {
        let all = [Some(&long), span, place.as_ref(), Some(&toggle_mode)];
        all.into_iter().flatten().cloned().collect::<Vec<_>>()
    };
    let left = [
        with(Some(&program)),
        with(None),
        vec![long.clone(), toggle_mode.clone()],
        vec![short.clone(), toggle_mode],
        vec![short],
    ];
    let mut spans = left
        .into_iter()
        .find(|spans| width(spans) < room)
        .unwrap_or_default();
    spans.push(Span::raw(" ".repeat(room.saturating_sub(width(&spans)))));
    spans.extend(counts);
    Line::from(spans)
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// Whether a press would toggle.
fn toggle_mode(picture: &Picture) -> Span<'static> {
    let theme = &picture.theme;
    let (word, style) = match picture.controls.toggle_mode() {
        ToggleMode::None => return Span::default(),
        ToggleMode::Free => ("unlocked", theme.dim()),
        ToggleMode::Locked => ("locked", theme.waiting()),
        ToggleMode::ReadOnly => ("read-only", theme.waiting()),
    };
    Span::styled(format!("  {word}"), style)
}

/// How many are OK, KO and UNKNOWN, of all six.
fn counts(picture: &Picture, area: Rect) -> Vec<Span<'static>> {
    let theme = &picture.theme;
    let of = |wanted: Option<State>| {
        SensorId::ALL
            .into_iter()
            .filter(|sensor| picture.view.state(*sensor) == wanted)
            .count()
    };
    let mut spans = Vec::new();
    for state in [Some(State::Ok), Some(State::Ko), None] {
        let count = of(state);
        if area.width < 30 && count == 0 {
            continue;
        }
        let style = if count == 0 {
            theme.dim()
        } else {
            theme.state(state)
        };
        let gap = if spans.is_empty() { "" } else { "  " };
        spans.push(Span::styled(
            format!("{gap}{count} {}", words::state(state)),
            style,
        ));
    }
    spans
}
