//! The links of the chain: own broker, bridge, the programs beyond.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Picture, Theme};
use crate::chain::{Connection, Link, Status};
use crate::machine::{Freshness, Role};
use crate::sensor::Card;
use crate::text::words;
use crate::view::LinkState;

/// A link: its name, whether it is up, and the details where there is room.
struct Cell {
    name: String,
    mark: &'static str,
    style: Style,
    word: &'static str,
    /// What is wrong with it though it is up, in words, and in one word.
    lacks: Option<[&'static str; 2]>,
    details: String,
}

/// From this width on two links stand on a line.
const WIDE: u16 = 130;

/// The lines of the links, in at most `most` lines: one below the other where the window is high, two on a
/// line where it is wide as well, else as many on a line as it holds. In a low window there may be more
/// lines.
pub(super) fn lines(picture: &Picture, area: Rect, most: u16) -> Vec<Line<'static>> {
    let cells = cells(picture);
    let theme = picture.theme;
    let width = usize::from(area.width);
    let name = cells.iter().map(|cell| cell.name.len()).max().unwrap_or(0);
    if area.height >= super::HIGH && area.width >= WIDE {
        let column = width / 2;
        return cells
            .chunks(2)
            .map(|pair| {
                let mut line = Line::default();
                for cell in pair {
                    let gap = (column * usize::from(line.width() > 0)).saturating_sub(line.width());
                    line.push_span(Span::raw(" ".repeat(gap)));
                    line.spans.extend(below(cell, name, column, theme).spans);
                }
                line
            })
            .collect();
    }
    let high = area.height >= super::HIGH;
    if high && cells.len() <= usize::from(most) {
        return cells.iter().map(|cell| below(cell, name, width, theme)).collect();
    }
    let mut lines = vec![Line::default()];
    for cell in cells {
        let text = format!(" {} ", cell.name.replace("_monitor", ""));
        let state = format!("{} {} ", cell.mark, cell.word);
        let lacks = cell.lacks.map(|[_, short]| format!("{short} "));
        let needed = text.len() + state.chars().count() + lacks.as_ref().map_or(0, String::len);
        if lines
            .last()
            .is_some_and(|line| line.width() > 0 && line.width() + needed > width)
        {
            lines.push(Line::default());
        }
        if let Some(line) = lines.last_mut() {
            line.push_span(Span::styled(text, theme.dim()));
            line.push_span(Span::styled(state, cell.style));
            line.extend(lacks.map(|lacks| Span::styled(lacks, theme.waiting())));
        }
    }
    if high {
        lines.truncate(usize::from(most.max(1)));
    }
    lines
}

/// One link on a line of its own, with its details if they fit.
fn below(cell: &Cell, name: usize, width: usize, theme: Theme) -> Line<'static> {
    let mut line = Line::from(vec![
        Span::raw(format!(" {:<name$}  ", cell.name)),
        Span::styled(format!("{} {:<6}", cell.mark, cell.word), cell.style),
    ]);
    if let Some([long, _]) = cell.lacks {
        line.push_span(Span::styled(format!("  {long}"), theme.waiting()));
    }
    // With less room the address alone, without the time.
    let shorter = cell.details.rsplit_once(", since ").map(|(shorter, _)| shorter);
    let details = [
        Some(cell.details.as_str()),
        shorter.filter(|_| cell.lacks.is_some()),
    ];
    let room = width.saturating_sub(line.width() + 2);
    let details = details
        .into_iter()
        .flatten()
        .find(|details| details.chars().count() <= room);
    line.extend(details.map(|details| Span::styled(format!("  {details}"), theme.dim())));
    line
}

fn cells(picture: &Picture) -> Vec<Cell> {
    let (view, links) = (&picture.view, &picture.view.links);
    let home = links.home;
    let mut cells = vec![broker(picture, home)];
    let own = match view.role {
        Role::Monitor(card) => Some(card),
        Role::Display => None,
    };
    if own.is_none() {
        cells.push(owner(picture, home));
    }
    let (mark, style, word, since) = status(picture, links.bridge, false, ["up", "down"]);
    cells.push(Cell {
        name: "bridge".to_owned(),
        mark,
        style,
        word,
        lacks: None,
        details: format!("to board {}{since}", home.other().number()),
    });
    cells.push(owner(picture, home.other()));
    cells
}

fn broker(picture: &Picture, home: Card) -> Cell {
    let theme = &picture.theme;
    let (mark, style, word, details) = match &picture.view.links.connection {
        Connection::Trying => (theme.down_mark(), theme.waiting(), "…", String::new()),
        Connection::Up { since } => {
            let since = format!(", since {}", picture.times.at(*since));
            (theme.up_mark(), theme.good(), "up", since)
        }
        Connection::Down { since, .. } => {
            let since = format!(", since {}", picture.times.at(*since));
            (theme.down_mark(), theme.alarm(), "down", since)
        }
    };
    let word = if word == "…" { "wait" } else { word };
    Cell {
        name: format!("broker {}", home.number()),
        mark,
        style,
        word,
        lacks: picture.exposure.words().map(|words| [words, "insecure"]),
        details: format!("{}{details}", theme.plain_text(&picture.url)),
    }
}

fn owner(picture: &Picture, card: Card) -> Cell {
    let links = &picture.view.links;
    let is_down = links.bridge.is_ended || matches!(links.bridge.status, Status::Down(_));
    let behind = card != links.home && is_down;
    let (mark, style, mut word, since) = status(picture, links.owners[card], behind, ["live", "gone"]);
    let is_returning = |of| {
        let fresh = picture.view.freshness[of];
        matches!(fresh, Freshness::Held { broken: Link::Returning(returning), .. } if returning == card)
    };
    if Card::ALL.into_iter().any(is_returning) {
        word = "wait";
    }
    Cell {
        name: words::owner(card).to_owned(),
        mark,
        style,
        word,
        lacks: None,
        details: format!("board {}{since}", card.number()),
    }
}

/// What is at a link's other end: its words are for what is up and for what a broker has said to be down.
/// Silent is what is not heard of, for whatever reason; unseen what stands behind a link that is down itself.
fn status(
    picture: &Picture,
    of: LinkState,
    behind: bool,
    [up, down]: [&'static str; 2],
) -> (&'static str, Style, &'static str, String) {
    let theme = &picture.theme;
    let since = |wall| format!(", since {}", picture.times.at(wall));
    let is_ended = of.is_ended;
    let broker_down = matches!(picture.view.links.connection, Connection::Down { .. });
    match of.status {
        _ if behind || broker_down => (theme.down_mark(), theme.dim(), "unseen", String::new()),
        Status::Up(wall) => (theme.up_mark(), theme.good(), up, since(wall)),
        Status::Down(wall) if is_ended => (theme.down_mark(), theme.alarm(), down, since(wall)),
        Status::Down(wall) => (theme.down_mark(), theme.alarm(), "silent", since(wall)),
        // Its end is what was heard first, so nobody knows since when.
        Status::Waiting if is_ended => (theme.down_mark(), theme.alarm(), down, String::new()),
        Status::Waiting => (theme.down_mark(), theme.dim(), "wait", String::new()),
    }
}
