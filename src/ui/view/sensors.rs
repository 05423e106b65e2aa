//! The sensors: one below the other, or the boards beside each other where the window is wide, with air where
//! it is high. All six are on the screen as long as it is at all possible: where there is no room for the
//! words `Sensor N`, the number stands for them.

mod row;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Picture, Theme, large};
use crate::machine::Role;
use crate::sensor::{Card, SensorId};

/// The lines of all sensors, and where each sensor stands in them.
pub(super) struct Sensors {
    pub(super) lines: Vec<Line<'static>>,
    pub(super) places: Vec<(SensorId, Rect)>,
}

/// How the six stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One below the other.
    Column,
    /// The cards beside each other.
    Beside,
    /// Beside each other, with large letters.
    Large,
    /// Beside each other, with numbers for names.
    Compact,
}

impl Shape {
    /// The best one for a window; `None` where none fits.
    fn of(picture: &Picture, area: Rect) -> Option<Self> {
        let wall = picture.view.role == Role::Display && picture.theme.has_blocks();
        match (area.width, area.height) {
            (80.., 30..) if wall => Some(Self::Large),
            (120.., 3..) => Some(Self::Beside),
            (60.., 22..) => Some(Self::Column),
            (80.., 3..) => Some(Self::Beside),
            (16.., 6..) => Some(Self::Column),
            (34.., 3..) => Some(Self::Beside),
            (19.., 3..) => Some(Self::Compact),
            _ => None,
        }
    }

    /// How many lines the sensors take alone.
    const fn rows(self) -> usize {
        match self {
            Self::Column => 6,
            Self::Beside | Self::Compact => 3,
            Self::Large => 3 * (large::LINES + 2),
        }
    }
}

/// How much of the row stands above large letters: all but the line of what has been, whose bytes the letters
/// have, and the name, which stands beside them.
const LARGE_ROW: usize = 55;

/// One card's sensors, with its heading where there is room.
struct Block {
    lines: Vec<Line<'static>>,
    /// The first line of each sensor.
    starts: Vec<(SensorId, usize)>,
    /// How many lines a sensor has.
    each: usize,
}

/// What a window has room for beside the sensors. Where there is no line for title or keys, the rows say what
/// these would: that a press toggles nothing, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    /// At least the title and the keys.
    All,
    /// The keys.
    Keys,
    Nothing,
}

impl Around {
    fn of(shape: Shape, area: Rect) -> Self {
        match usize::from(area.height).saturating_sub(shape.rows()) {
            0 => Self::Nothing,
            1 => Self::Keys,
            _ => Self::All,
        }
    }
}

/// Whether a window has room for the sensors and for nothing else.
pub(super) fn fill(picture: &Picture, area: Rect) -> bool {
    Shape::of(picture, area).is_none_or(|shape| Around::of(shape, area) == Around::Nothing)
}

/// Lays out all sensors, the own ones first. `None` where the window does not hold all six.
pub(super) fn arrange(picture: &Picture, area: Rect) -> Option<Sensors> {
    let cards = match picture.view.role {
        Role::Monitor(Card::Two) => [Card::Two, Card::One],
        Role::Monitor(Card::One) | Role::Display => Card::ALL,
    };
    let shape = Shape::of(picture, area)?;
    let air = usize::from(area.height >= super::HIGH);
    let around = Around::of(shape, area);
    let column = match shape {
        Shape::Column => area.width,
        Shape::Beside | Shape::Large => area.width / 2,
        Shape::Compact => area.width.div_ceil(2),
    };
    let blocks = cards.map(|card| block(picture, card, shape, (usize::from(column), air > 0, around)));
    let mut sensors = Sensors {
        lines: vec![Line::default(); air],
        places: Vec::new(),
    };
    let [first, second] = blocks;
    if shape == Shape::Column {
        sensors.below(first, (0, column));
        sensors.lines.extend(vec![Line::default(); air]);
        sensors.below(second, (0, column));
    } else {
        let top = sensors.lines.len();
        sensors.below(first, (0, column));
        sensors.beside(second, top, (column, area.width - column));
    }
    Some(sensors)
}

impl Sensors {
    fn place(&mut self, block: &Block, top: usize, (x, width): (u16, u16)) {
        let number = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        self.places.extend(block.starts.iter().map(|(sensor, start)| {
            (
                *sensor,
                Rect::new(x, number(top + start), width, number(block.each)),
            )
        }));
    }

    fn below(&mut self, block: Block, columns: (u16, u16)) {
        self.place(&block, self.lines.len(), columns);
        self.lines.extend(block.lines);
    }

    fn beside(&mut self, block: Block, top: usize, columns: (u16, u16)) {
        self.place(&block, top, columns);
        for (left, right) in self.lines.iter_mut().skip(top).zip(block.lines) {
            let gap = usize::from(columns.0).saturating_sub(left.width());
            left.push_span(Span::raw(" ".repeat(gap)));
            left.spans.extend(right.spans);
        }
    }
}

fn block(
    picture: &Picture,
    card: Card,
    shape: Shape,
    (width, heading, around): (usize, bool, Around),
) -> Block {
    let mut lines = Vec::new();
    if heading {
        let own = picture.view.role == Role::Monitor(card);
        let whose = if own { "  this board" } else { "" };
        lines.push(Line::from(vec![
            Span::raw(" "),
            Span::styled(format!("Board {}", card.number()), Theme::strong()),
            Span::styled(whose, picture.theme.dim()),
        ]));
    }
    let each = if shape == Shape::Large {
        large::LINES + 2
    } else {
        1
    };
    let mut starts = Vec::new();
    for sensor in card.sensors() {
        starts.push((sensor, lines.len()));
        lines.push(match shape {
            Shape::Compact => row::compact(picture, sensor, (width, around)),
            Shape::Column | Shape::Beside => row::line(picture, sensor, (width, around)),
            // The large letters have the bytes that the rest of a row would take.
            Shape::Large => row::head(picture, sensor, (width.min(LARGE_ROW), Around::All)),
        });
        if shape == Shape::Large {
            lines.extend(large::lines(picture, sensor));
            lines.push(Line::default());
        }
    }
    Block { lines, starts, each }
}
