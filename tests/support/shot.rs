//! What a screen looks like, as text: its characters, and below them its colours, a letter a cell.

use std::fmt::Write as _;
use std::path::PathBuf;

use dualboard::alarms::BellMode;
use dualboard::mqtt::Exposure;
use dualboard::terminal::keys::{KeyCode, KeyEvent, KeyModifiers};
use dualboard::terminal::notification::Notifications;
use dualboard::text::words::Times;
use dualboard::time::Mono;
use dualboard::ui::controls::Controls;
use dualboard::ui::view::{self, Picture, Theme};
use jiff::tz::TimeZone;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};
use ratatui::widgets::Widget as _;
use unicode_width::UnicodeWidthStr as _;

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};

/// The size of an ordinary window.
pub const ORDINARY: (u16, u16) = (80, 24);

/// What a program shows now.
pub fn picture(boards: &Boards, program: usize) -> Picture {
    let view = boards.machine(program).view();
    Picture {
        controls: Controls::new(view.role, false),
        view,
        alarms: boards.hooks.alarms[program].clone(),
        elsewhere: None,
        mouse: false,
        bell: BellMode::Repeat,
        notifications: Notifications::Off,
        url: format!("mqtt://localhost:{}", [1883, 1884, 1884][program]),
        exposure: Exposure::default(),
        times: Times::new(TimeZone::UTC, boards.time().wall),
        theme: Theme::new(true, true),
    }
}

/// The programs one after the other, in the ordinary size.
pub fn all(boards: &Boards) -> String {
    [CARD1, CARD2, DISPLAY]
        .map(|program| shot(&picture(boards, program), ORDINARY))
        .concat()
}

/// A key as the loop takes it, but for what it asks of the machine.
pub fn press(picture: &mut Picture, key: KeyCode, (width, height): (u16, u16)) {
    let extent = view::extent(picture, Size::new(width, height));
    let key = KeyEvent::new(key, KeyModifiers::NONE);
    let _ = picture.controls.key(Mono::ZERO, key, extent);
}

/// The screen as it would be drawn in a window of this size.
pub fn shot(picture: &Picture, (width, height): (u16, u16)) -> String {
    let mut drawn = Buffer::empty(Rect::new(0, 0, width, height));
    for (row, line) in drawn
        .area
        .rows()
        .zip(view::draw(picture, Size::new(width, height)))
    {
        line.render(row, &mut drawn);
    }
    let mut text = format!("{width}x{height}\n");
    for show in [symbols, colours] {
        for line in drawn.content.chunks(usize::from(width)) {
            let line = show(line);
            let _ = writeln!(text, "|{}", line.trim_end());
        }
        text.push('\n');
    }
    text
}

/// The characters; a wide one stands for two cells.
fn symbols(mut line: &[Cell]) -> String {
    let mut text = String::new();
    while let [cell, ..] = line {
        text.push(cell.symbol().chars().next().unwrap_or(' '));
        let (_, rest) = line.split_at(cell.symbol().width().clamp(1, line.len()));
        line = rest;
    }
    text
}

fn colours(line: &[Cell]) -> String {
    line.iter().map(colour).collect()
}

/// A letter for the colour; a capital one is reversed. What is bold and has no colour is `b`, or `#`
/// reversed.
fn colour(cell: &Cell) -> char {
    let reversed = cell.modifier.contains(Modifier::REVERSED);
    if cell.symbol() == " " && !reversed {
        return ' ';
    }
    let letter = match cell.fg {
        Color::Red => 'r',
        Color::Green => 'g',
        Color::Yellow => 'y',
        Color::Cyan => 'c',
        _ if reversed => return '#',
        _ if cell.modifier.contains(Modifier::DIM) => 'd',
        _ if cell.modifier.contains(Modifier::BOLD) => 'b',
        _ => '.',
    };
    if reversed {
        letter.to_ascii_uppercase()
    } else {
        letter
    }
}

/// Holds a picture against the one that is kept in `tests/snapshots`. With `BLESS=1` it is kept from now on.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
pub fn expect(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.txt"));
    if std::env::var("BLESS").is_ok_and(|bless| !bless.is_empty()) {
        std::fs::write(&path, text).expect("tests/snapshots can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let (mut kept_lines, mut lines) = (kept.lines(), text.lines());
    let mut differences = String::new();
    loop {
        match (kept_lines.next(), lines.next()) {
            (None, None) => break,
            (kept, new) if kept == new => {}
            (kept, new) => {
                let _ = writeln!(
                    differences,
                    "- {}\n+ {}",
                    kept.unwrap_or_default(),
                    new.unwrap_or_default()
                );
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{name} is not drawn as in {} (BLESS=1 keeps the new picture):\n{differences}\nall of it:\n{text}",
        path.display()
    );
}
