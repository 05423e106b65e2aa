//! The test of colours and bell: every word, colour and sign that the screen has, and none of them a state.
//! It lies over the lowest lines as the help does, and names no sensor.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{HIGH, Picture, Theme};
use crate::alarms::BellMode;
use crate::sensor::State;
use crate::stage::Stage;
use crate::terminal::notification::Notifications;
use crate::text::words;

/// From this width on each kind has a line of its own.
const WIDE: u16 = 60;

/// The states, in the order in which they are counted.
const STATES: [Option<State>; 3] = [Some(State::Ok), Some(State::Ko), None];

/// All of its lines.
pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    if area.width < WIDE {
        return short(picture);
    }
    let theme = &picture.theme;
    let mut lines = Vec::new();
    if area.height >= HIGH {
        let rule = theme.rule().repeat(usize::from(area.width));
        lines.push(Line::styled(rule, theme.dim()));
    }
    lines.push(Line::from(vec![
        Span::styled(" TEST ", Theme::title()),
        Span::raw("  No state is shown; nothing changes. Any key ends it."),
    ]));
    let chips = STATES.map(|state| {
        let text = format!(" {} {} ", theme.state_mark(state), words::state(state));
        (text, theme.chip(state))
    });
    lines.push(row("states", chips));
    let stages = [Stage::Sending, Stage::Saved, Stage::Confirmed]
        .map(|stage| (stage.word().to_owned(), theme.stage(stage)));
    let fresh =
        [("LIVE", theme.good()), ("HELD", theme.waiting())].map(|(word, style)| (word.to_owned(), style));
    lines.push(row("beside", stages.into_iter().chain(fresh)));
    let links = [
        (format!("{} up", theme.up_mark()), theme.good()),
        (format!("{} down", theme.down_mark()), theme.alarm()),
    ];
    let signs = [theme.new_mark(), theme.pressed_mark(), theme.history_mark()]
        .map(|sign| (sign.to_owned(), Style::new()));
    lines.push(row("signs", links.into_iter().chain(signs)));
    let alarm = format!(" {} TEST of the banner ", Theme::alarm_mark());
    lines.push(row("alarm", [(alarm, theme.banner())]));
    lines.push(row("bell", [(bell(picture).to_owned(), Style::new())]));
    lines.push(row("desktop", [(notification(picture), Style::new())]));
    lines
}

/// A name, and what it stands for.
fn row(name: &str, parts: impl IntoIterator<Item = (String, Style)>) -> Line<'static> {
    let mut line = Line::from(format!(" {name:<9}"));
    for (text, style) in parts {
        line.push_span(Span::styled(text, style));
        line.push_span(Span::raw("  "));
    }
    line
}

fn bell(picture: &Picture) -> &'static str {
    match picture.bell {
        BellMode::Off => "off, as it was started",
        BellMode::Once => "rung now; once at each alarm",
        BellMode::Repeat => "rung now; at alarms every 10 s until a or s",
    }
}

fn notification(picture: &Picture) -> String {
    match picture.notifications {
        Notifications::Off => "no notification: --notify asks for it".to_owned(),
        Notifications::UnknownTerminal => {
            "no notification: this terminal is not known, --notify can name a form".to_owned()
        }
        Notifications::By(notifier) => format!("notification sent now, as {}", notifier.name()),
    }
}

/// In at most 19 columns, what matters most first: the smallest window has two lines for it.
fn short(picture: &Picture) -> Vec<Line<'static>> {
    let theme = &picture.theme;
    let mut states = Line::default();
    for state in STATES {
        let gap = if states.spans.is_empty() { "" } else { " " };
        states.push_span(Span::raw(gap));
        let text = format!("{} {}", theme.state_mark(state), words::state(state));
        states.push_span(Span::styled(text, theme.chip(state)));
    }
    let bell = if picture.bell == BellMode::Off {
        "bell off"
    } else {
        "bell rung"
    };
    vec![
        Line::from(vec![
            Span::styled("TEST", Theme::title()),
            Span::raw(" any key ends"),
        ]),
        states,
        Line::from(vec![
            Span::styled(format!(" {} TEST ", Theme::alarm_mark()), theme.banner()),
            Span::raw(format!(" {bell}")),
        ]),
        Line::from(vec![
            Span::styled("LIVE", theme.good()),
            Span::raw(" "),
            Span::styled("HELD", theme.waiting()),
            Span::raw(" "),
            Span::styled("SAVED", theme.stage(Stage::Saved)),
        ]),
    ]
}
