//! What a program's screen says of the sensors, picture by picture.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use crate::support::bench::told::row;

/// By sensor: its state, the word beside it, and what is said of its alarm.
pub type Rows = BTreeMap<u8, (String, String, String)>;

/// Wide enough for one column, in which there is room for what is said of alarms.
pub const SIZE: (u16, u16) = (80, 24);
/// Longer ones first: one may begin as another does.
const ALARMS: [&str; 5] = [
    "new alarm",
    "was KO",
    "acknowledged SENDING",
    "acknowledged SAVED",
    "acknowledged",
];
const STAGES: [&str; 5] = ["SENDING", "SAVED", "CONFIRMED", "LIVE", "HELD"];

/// A screen that is drawn again from the bytes.
pub struct DrawnScreen {
    parser: vt100::Parser,
    /// How many bytes have been drawn.
    pub drawn: usize,
    /// Something was drawn since the last look.
    fresh: bool,
    /// Empty until the screen has shown all six.
    pub rows: Rows,
}

impl DrawnScreen {
    pub fn new() -> Self {
        let [columns, rows] = [SIZE.0, SIZE.1].map(|size| NonZeroU16::new(size).expect("a size"));
        Self {
            parser: vt100::Parser::new(rows, columns, 0),
            drawn: 0,
            fresh: false,
            rows: Rows::new(),
        }
    }

    /// Draws what has come, and returns every picture that differs from the one before: also one that lasted
    /// for a moment only, and whose bytes were read together with those of the next. A line is drawn from
    /// left to right; when the cursor goes elsewhere, the line is whole. The line that it is still in is
    /// looked at when nothing more has come, or nothing more will.
    pub fn draw(&mut self, bytes: &[u8], over: bool) -> Vec<Rows> {
        let mut pictures = Vec::new();
        for byte in bytes {
            let before = self.parser.screen().cursor_position();
            self.parser.process(&[*byte]);
            let after = self.parser.screen().cursor_position();
            if after.0 != before.0 || after.1 < before.1 {
                self.look(&mut pictures);
            }
            self.fresh |= after != before;
        }
        self.drawn += bytes.len();
        if bytes.is_empty() || over {
            self.look(&mut pictures);
        }
        pictures
    }

    fn look(&mut self, pictures: &mut Vec<Rows>) {
        if !std::mem::take(&mut self.fresh) {
            return;
        }
        let text = self.parser.screen().contents();
        let said = |sensor| {
            let row = row(&text, sensor)?;
            let stage = STAGES.contains(&row.beside.as_str()).then_some(row.beside);
            let alarm = ALARMS.into_iter().find(|alarm| row.time.contains(alarm));
            let alarm = alarm.unwrap_or_default().to_owned();
            Some((sensor, (row.state, stage.unwrap_or_default(), alarm)))
        };
        let rows: Rows = (1..=6).filter_map(said).collect();
        if rows.len() == 6 && rows != self.rows {
            self.rows.clone_from(&rows);
            pictures.push(rows);
        }
    }
}

#[test]
fn every_picture_is_seen_and_none_that_is_drawn_in_part() {
    let mut screen = DrawnScreen::new();
    let rows = (1..=6).map(|sensor| format!("\x1b[{sensor};1HSensor {sensor}  OK  LIVE"));
    let whole = rows
        .chain(["\x1b[1;11HKO  SENDING  \x1b[1;15HSAVED  ".into()])
        .collect::<String>();
    let mut first = |bytes: &[u8]| -> Vec<String> {
        let pictures = screen.draw(bytes, false);
        pictures
            .iter()
            .map(|rows| format!("{} {}", rows[&1].0, rows[&1].1))
            .collect()
    };
    assert_eq!(first(whole.as_bytes()), ["OK LIVE", "KO SENDING"], "in one read");
    assert_eq!(first(b""), ["KO SAVED"]);
    assert_eq!(first(b"\x1b[1;11HOK"), [""; 0], "in two reads");
    assert_eq!(first(b"  SENDING"), [""; 0]);
    assert_eq!(first(b""), ["OK SENDING"]);
    first(b"\x1b[1;22Hsince 12:00:00  acknowledged SENDING");
    first(b"");
    assert_eq!(screen.rows[&1].2, "acknowledged SENDING");
}
