//! Desktop notifications: the terminal shows them, wherever the program runs, also over SSH.
//!
//! There are three forms, and no way to ask a terminal which of them it knows. One that knows none drops
//! them; so does tmux unless its `allow-passthrough` is on.

use crate::settings::Notify;
use crate::text::plain_text::plain_text;

/// The most letters of a text. GNU screen takes 256 bytes at a time in its older releases, and drops the rest
/// with the end of the sequence.
const LONGEST: usize = 150;

/// How a terminal is told of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscapeForm {
    /// iTerm2's: a text.
    Osc9,
    /// rxvt-unicode's: a title and a text.
    Osc777,
    /// kitty's.
    Osc99,
}

/// What stands between this program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Multiplexer {
    None,
    Tmux,
    Screen,
}

/// Whether and how this terminal is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notifications {
    /// Nobody asked for it.
    Off,
    /// Nothing says which form this terminal knows.
    UnknownTerminal,
    /// In this way.
    By(Notifier),
}

/// A way that is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notifier {
    form: EscapeForm,
    through: Multiplexer,
}

/// By what a terminal is known: a variable that begins with this value. First what describes the terminal
/// itself, also over SSH; inside of tmux and GNU screen only what they have inherited is left.
const KNOWN: [(&str, &str, EscapeForm); 12] = [
    ("TERM", "xterm-kitty", EscapeForm::Osc99),
    ("TERM", "xterm-ghostty", EscapeForm::Osc777),
    ("TERM", "foot", EscapeForm::Osc777),
    ("TERM", "rxvt-unicode", EscapeForm::Osc777),
    ("TERM_PROGRAM", "iTerm.app", EscapeForm::Osc9),
    ("TERM_PROGRAM", "WezTerm", EscapeForm::Osc777),
    ("TERM_PROGRAM", "ghostty", EscapeForm::Osc777),
    ("TERM_PROGRAM", "WarpTerminal", EscapeForm::Osc9),
    ("LC_TERMINAL", "iTerm2", EscapeForm::Osc9),
    ("KITTY_WINDOW_ID", "", EscapeForm::Osc99),
    ("WEZTERM_PANE", "", EscapeForm::Osc777),
    ("GHOSTTY_RESOURCES_DIR", "", EscapeForm::Osc777),
];

impl Notifications {
    /// What the user wants, on the terminal that the environment describes.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the terminal is described in the environment"
    )]
    pub fn from_environment(wanted: Notify) -> Self {
        Self::of(wanted, |name| std::env::var(name).ok())
    }

    fn of(wanted: Notify, variable: impl Fn(&str) -> Option<String>) -> Self {
        let begins = |name: &str, value: &str| {
            let found = variable(name).filter(|found| !found.is_empty());
            found.is_some_and(|found| found.starts_with(value))
        };
        let form = match wanted {
            Notify::Off => return Self::Off,
            Notify::Osc9 => EscapeForm::Osc9,
            Notify::Osc777 => EscapeForm::Osc777,
            Notify::Osc99 => EscapeForm::Osc99,
            Notify::Auto => match KNOWN.iter().find(|(name, value, _)| begins(name, value)) {
                Some((_, _, form)) => *form,
                None => return Self::UnknownTerminal,
            },
        };
        let through = if begins("TMUX", "") || begins("TERM", "tmux") {
            Multiplexer::Tmux
        } else if begins("STY", "") || begins("TERM", "screen") {
            // It may also be a tmux at the other end of an SSH connection: that drops this form, and screen
            // would print that of tmux.
            Multiplexer::Screen
        } else {
            Multiplexer::None
        };
        Self::By(Notifier { form, through })
    }
}

impl Notifier {
    /// Its name, as the option has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.form {
            EscapeForm::Osc9 => "osc9",
            EscapeForm::Osc777 => "osc777",
            EscapeForm::Osc99 => "osc99",
        }
    }

    /// The bytes that make the terminal show this text.
    ///
    /// BEL ends the sequence: the other possible end, `ESC \`, would also end GNU screen's wrapper.
    #[must_use]
    pub fn bytes(self, title: &str, text: &str) -> Vec<u8> {
        let [title, text] = [title, text].map(harmless);
        let sequence = match self.form {
            // The title first: ConEmu takes a text that begins with a number for a command.
            EscapeForm::Osc9 => format!("\x1b]9;{title}: {text}\x07"),
            EscapeForm::Osc777 => format!("\x1b]777;notify;{title};{text}\x07"),
            EscapeForm::Osc99 => format!("\x1b]99;;{title}: {text}\x07"),
        };
        match self.through {
            Multiplexer::None => sequence,
            Multiplexer::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Multiplexer::Screen => format!("\x1bP{sequence}\x1b\\"),
        }
        .into_bytes()
    }
}

/// Without what would end the sequence or divide it.
fn harmless(text: &str) -> String {
    let plain = plain_text(text).replace(';', ",");
    plain.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wanted: Notify, variables: &[(&str, &str)]) -> Notifications {
        let variable = |name: &str| {
            let found = variables.iter().find(|(its, _)| *its == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Notifications::of(wanted, variable)
    }

    fn bytes(wanted: Notify, variables: &[(&str, &str)], text: &str) -> String {
        let Notifications::By(notifier) = of(wanted, variables) else {
            panic!("{wanted:?} {variables:?}");
        };
        String::from_utf8(notifier.bytes("card1_monitor", text)).expect("UTF-8")
    }

    #[test]
    fn a_terminal_is_known_by_its_variables() {
        for (variables, form) in [
            (&[("TERM", "xterm-kitty")][..], Some("osc99")),
            (&[("TERM", "foot-extra")], Some("osc777")),
            (
                &[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")],
                Some("osc9"),
            ),
            (
                &[
                    ("TERM", "tmux-256color"),
                    ("TERM_PROGRAM", "tmux"),
                    ("KITTY_WINDOW_ID", "1"),
                ],
                Some("osc99"),
            ),
            (&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "")], None),
            (&[("TERM", "linux")], None),
            (&[], None),
        ] {
            let name = match of(Notify::Auto, variables) {
                Notifications::By(notifier) => Some(notifier.name()),
                Notifications::UnknownTerminal => None,
                Notifications::Off => panic!("{variables:?}"),
            };
            assert_eq!(name, form, "{variables:?}");
        }
        assert_eq!(of(Notify::Off, &[("TERM", "xterm-kitty")]), Notifications::Off);
    }

    #[test]
    fn each_terminal_of_the_list_is_told_in_its_form() {
        for (name, value, form) in KNOWN {
            let value = if value.is_empty() { "1" } else { value };
            let Notifications::By(notifier) = of(Notify::Auto, &[(name, value)]) else {
                panic!("{name}={value}");
            };
            assert_eq!(notifier.form, form, "{name}={value}");
        }
    }

    #[test]
    fn each_form_is_wrapped_for_what_stands_between() {
        let (none, tmux) = (&[("TERM", "xterm")][..], &[("TMUX", "/tmp/s,1,0")][..]);
        let screen = &[("TERM", "screen.xterm"), ("STY", "1.pts")][..];
        for (wanted, variables, expected) in [
            (Notify::Osc9, none, "\x1b]9;card1_monitor: KO\x07"),
            (Notify::Osc777, none, "\x1b]777;notify;card1_monitor;KO\x07"),
            (Notify::Osc99, none, "\x1b]99;;card1_monitor: KO\x07"),
            (
                Notify::Osc9,
                tmux,
                "\x1bPtmux;\x1b\x1b]9;card1_monitor: KO\x07\x1b\\",
            ),
            (Notify::Osc9, screen, "\x1bP\x1b]9;card1_monitor: KO\x07\x1b\\"),
        ] {
            assert_eq!(bytes(wanted, variables, "KO"), expected);
        }
    }

    #[test]
    fn no_text_ends_the_sequence_or_divides_it() {
        let sent = bytes(Notify::Osc777, &[], "a;b\x07\x1b\\\u{9c}c\nd\u{202e}");
        assert_eq!(sent, "\x1b]777;notify;card1_monitor;a,b\\c d\x07");
        let sent = bytes(Notify::Osc9, &[], &"long ".repeat(100));
        assert!(sent.len() < 200 && sent.ends_with('\x07'), "{sent:?}");
    }
}
