//! Colours and symbols: the terminal's own sixteen colours, on top of the words, and only where they are
//! wanted.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};

use crate::sensor::State;
use crate::stage::Stage;

/// Whether the terminal says that it can do nothing but lines.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the terminal is described in the environment"
)]
pub fn is_dumb() -> bool {
    std::env::var("TERM").map_or(true, |term| term.is_empty() || term == "dumb")
}

/// What the terminal can show, and what its owner wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
    unicode: bool,
}

impl Theme {
    /// With or without colours, with Unicode symbols or ASCII ones.
    #[must_use]
    pub const fn new(colour: bool, unicode: bool) -> Self {
        Self { colour, unicode }
    }

    /// After the environment: `NO_COLOR` (<https://no-color.org>), `TERM`, and the locale's character set.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the terminal is described in the environment"
    )]
    pub fn from_environment() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(set)
            .unwrap_or_default()
            .to_ascii_uppercase();
        let utf8 = locale.contains("UTF-8") || locale.contains("UTF8");
        // The fonts of the Linux console have 256 or 512 characters, and none of our symbols.
        let console = set("TERM").is_some_and(|term| term == "linux");
        Self::new(set("NO_COLOR").is_none() && !is_dumb(), utf8 && !console)
    }

    fn coloured(self, colour: Color) -> Style {
        if self.colour {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }

    pub(super) fn title() -> Style {
        Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    pub(super) const fn strong() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Dim, and not dark grey: in some themes that is the background.
    pub(super) fn dim(self) -> Style {
        if self.colour {
            Style::new().add_modifier(Modifier::DIM)
        } else {
            Style::new()
        }
    }

    pub(super) const fn new_mark(self) -> &'static str {
        if self.unicode { "•" } else { "*" }
    }

    pub(super) const fn pressed_mark(self) -> &'static str {
        if self.unicode { "›" } else { ">" }
    }

    pub(super) fn banner(self) -> Style {
        self.alarm().add_modifier(Modifier::REVERSED)
    }

    /// A step of the line that shows how a sensor got where it is.
    pub(super) const fn step(self, state: Option<State>) -> &'static str {
        match (state, self.unicode) {
            (Some(State::Ok), true) => "─",
            (Some(State::Ko), true) => "▄",
            (Some(State::Ok), false) => "-",
            (Some(State::Ko), false) => "_",
            (None, _) => "?",
        }
    }

    pub(super) const fn history_mark(self) -> &'static str {
        if self.unicode { "──▄▄" } else { "--__" }
    }

    pub(super) const fn has_blocks(self) -> bool {
        self.unicode
    }

    pub(super) const fn cut_mark(self) -> &'static str {
        if self.unicode { "…" } else { ".." }
    }

    pub(super) fn key(self) -> Style {
        self.coloured(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    pub(super) fn waiting(self) -> Style {
        self.coloured(Color::Yellow)
    }

    pub(super) fn alarm(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn state(self, state: Option<State>) -> Style {
        match state {
            Some(State::Ok) => self.good(),
            Some(State::Ko) => self.alarm(),
            None => self.waiting(),
        }
    }

    /// A state, set off so that one that is not OK is seen from afar.
    pub(super) fn chip(self, state: Option<State>) -> Style {
        match state {
            Some(State::Ok) => self.state(state),
            Some(State::Ko) | None => self.state(state).add_modifier(Modifier::REVERSED),
        }
    }

    pub(super) fn stage(self, stage: Stage) -> Style {
        match stage {
            Stage::Sending => self.waiting(),
            Stage::Saved => self.coloured(Color::Cyan),
            Stage::Confirmed => self.dim(),
        }
    }

    pub(super) const fn state_mark(self, state: Option<State>) -> &'static str {
        match (state, self.unicode) {
            (Some(State::Ok), true) => "✓",
            (Some(State::Ok), false) => "+",
            (Some(State::Ko), true) => "✗",
            (Some(State::Ko), false) => "x",
            (None, _) => "?",
        }
    }

    pub(super) const fn up_mark(self) -> &'static str {
        if self.unicode { "●" } else { "*" }
    }

    pub(super) const fn down_mark(self) -> &'static str {
        if self.unicode { "○" } else { "o" }
    }

    pub(super) const fn alarm_mark() -> &'static str {
        "!"
    }

    pub(super) const fn rule(self) -> &'static str {
        if self.unicode { "─" } else { "-" }
    }

    /// Text as this terminal can show it.
    pub(super) fn plain_text(self, text: &str) -> Cow<'_, str> {
        if self.unicode {
            return Cow::Borrowed(text);
        }
        let ascii = text.replace('→', "->");
        Cow::Owned(
            ascii
                .chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect(),
        )
    }
}
