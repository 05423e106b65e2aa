//! The links of the chain: own broker, bridge, the programs beyond.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Look, Picture};
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
    let look = picture.look;
    let width = usize::from(area.width);
    if area.height >= super::HIGH {
        let name = cells.iter().map(|cell| cell.name.len()).max().unwrap_or(0);
        let mut lines: Vec<Line<'a>> = cells.iter().map(|cell| below(cell, name, width, look)).collect();
        if area.height >= super::AIRY {
            lines.insert(0, Line::default());
        }
        return lines;
    }
    let mut line = Line::default();
    for cell in cells {
        let text = format!(" {} ", cell.name.replace("_monitor", ""));
        let state = format!("{} {} ", cell.mark, cell.word);
        if line.width() + text.len() + state.chars().count() > width {
            break;
        }
        line.push_span(Span::styled(text, look.dim()));
        line.push_span(Span::styled(state, cell.style));
    }
    vec![line]
}

/// One link on a line of its own, with its details if they fit.
fn below<'a>(cell: &Cell, name: usize, width: usize, look: Look) -> Line<'a> {
    let mut line = Line::from(vec![
        Span::raw(format!(" {:<name$}  ", cell.name)),
        Span::styled(format!("{} {:<4}", cell.mark, cell.word), cell.style),
    ]);
    let details = format!("  {}", cell.details);
    if line.width() + details.chars().count() <= width {
        line.push_span(Span::styled(details, look.dim()));
    }
    line
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
