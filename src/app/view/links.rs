//! The links of the chain: own broker, bridge, the programs beyond.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Picture;
use crate::app::words;
use crate::chain::{Connection, Status};
use crate::machine::Role;
use crate::sensor::Card;

/// A link: its name, whether it is up, and the details where there is room.
struct Cell {
    name: String,
    mark: &'static str,
    style: Style,
    word: &'static str,
    details: String,
}

/// The lines of the links: one below the other where the window is high, else all in one.
pub(super) fn lines<'a>(picture: &Picture, area: Rect) -> Vec<Line<'a>> {
    let cells = cells(picture);
    if area.height >= 16 && area.width >= 40 {
        let name = cells.iter().map(|cell| cell.name.len()).max().unwrap_or(0);
        return cells
            .into_iter()
            .map(|cell| {
                Line::from(vec![
                    Span::raw(format!(" {:<name$}  ", cell.name)),
                    Span::styled(format!("{} {:<4}", cell.mark, cell.word), cell.style),
                    Span::styled(format!("  {}", cell.details), picture.look.dim()),
                ])
            })
            .collect();
    }
    let mut line = Line::default();
    for cell in cells {
        let name = cell.name.replace("_monitor", "");
        let text = format!(" {name} ");
        let state = format!("{} {} ", cell.mark, cell.word);
        if line.width() + text.len() + state.chars().count() > usize::from(area.width) {
            break;
        }
        line.push_span(Span::styled(text, picture.look.dim()));
        line.push_span(Span::styled(state, cell.style));
    }
    vec![line]
}

fn cells(picture: &Picture) -> Vec<Cell> {
    let machine = &picture.machine;
    let home = machine.chain().home;
    let mut cells = vec![broker(picture, home)];
    let own = match machine.role() {
        Role::Monitor(card) => Some(card),
        Role::Display => None,
    };
    if own.is_none() {
        cells.push(owner(picture, home));
    }
    let (mark, style, word, since) = status(picture, machine.chain().bridge.status(), "up");
    cells.push(Cell {
        name: "bridge".to_owned(),
        mark,
        style,
        word,
        details: format!("to board {}{since}", home.other().number()),
    });
    cells.push(owner(picture, home.other()));
    cells
}

fn broker(picture: &Picture, home: Card) -> Cell {
    let look = &picture.look;
    let (mark, style, word, details) = match &picture.machine.chain().connection {
        Connection::Trying => (look.down_mark(), look.waiting(), "…", String::new()),
        Connection::Up { since } => {
            let since = format!(", since {}", picture.times.at(*since));
            (look.up_mark(), look.good(), "up", since)
        }
        Connection::Down { since, .. } => {
            let since = format!(", since {}", picture.times.at(*since));
            (look.down_mark(), look.alarm(), "down", since)
        }
    };
    let word = if word == "…" { "wait" } else { word };
    Cell {
        name: format!("broker {}", home.number()),
        mark,
        style,
        word,
        details: format!("{}{details}", look.plain_text(&picture.url)),
    }
}

fn owner(picture: &Picture, card: Card) -> Cell {
    let watched = picture.machine.chain().owner(card);
    let (mark, style, word, since) = status(picture, watched.status(), "live");
    Cell {
        name: words::owner(card).to_owned(),
        mark,
        style,
        word,
        details: format!("board {}{since}", card.number()),
    }
}

fn status(
    picture: &Picture,
    status: Status,
    up: &'static str,
) -> (&'static str, Style, &'static str, String) {
    let look = &picture.look;
    let since = |wall| format!(", since {}", picture.times.at(wall));
    match status {
        Status::Waiting => (look.down_mark(), look.dim(), "wait", String::new()),
        Status::Up(wall) => (look.up_mark(), look.good(), up, since(wall)),
        Status::Down(wall) => (look.down_mark(), look.alarm(), "gone", since(wall)),
    }
}
