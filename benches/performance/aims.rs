//! What was aimed at, and whether it was met in this run.

use crate::page::table;
use crate::times::two_digits;

#[derive(Default)]
pub struct Aims(Vec<Vec<String>>);

impl Aims {
    /// A figure that should be no more than this. The unit stands behind both.
    pub fn at_most(&mut self, what: &str, seen: f64, aim: f64, unit: &str) {
        let verdict = if seen <= aim { "met" } else { "**missed**" };
        self.0.push(vec![
            what.to_owned(),
            format!("at most {aim}{unit}"),
            format!("{}{unit}", two_digits(seen)),
            verdict.to_owned(),
        ]);
    }

    /// Something that should be so.
    pub fn holds(&mut self, what: &str, seen: &str, is_so: bool) {
        let verdict = if is_so { "met" } else { "**missed**" };
        self.0.push(vec![
            what.to_owned(),
            "yes".to_owned(),
            seen.to_owned(),
            verdict.to_owned(),
        ]);
    }

    pub fn table(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let missed = self.0.iter().filter(|row| row[3] != "met").count();
        let words = match missed {
            0 => "All of them were met in this run.".to_owned(),
            _ => format!(
                "{missed} of {} were missed in this run. [Figures](figures.md#why-aims-are-missed) says why, by traces.",
                self.0.len()
            ),
        };
        format!(
            "\n## Aims\n\n{words}\n{}",
            table(&["", "aim", "seen", "verdict"], &self.0)
        )
    }
}
