//! Durations by what they are of, and what is printed of them.

use std::time::Duration;

use crate::support::figures::{median, milliseconds, part};

/// Durations, each under the name of what took so long.
#[derive(Default)]
pub struct NamedDurations(Vec<(String, Vec<Duration>)>);

impl NamedDurations {
    pub fn add(&mut self, name: &str, time: Duration) {
        if let Some((_, times)) = self.0.iter_mut().find(|(known, _)| known == name) {
            times.push(time);
        } else {
            self.0.push((name.to_owned(), vec![time]));
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Sorted.
    pub fn of(&self, name: &str) -> Option<Vec<Duration>> {
        let (_, times) = self.0.iter().find(|(known, _)| known == name)?;
        let mut times = times.clone();
        times.sort_unstable();
        Some(times)
    }

    /// Of what was measured at least once.
    pub fn median(&self, name: &str) -> Duration {
        median(&mut self.of(name).unwrap_or_else(|| panic!("no {name}")))
    }

    pub fn p99(&self, name: &str) -> Duration {
        part(&mut self.of(name).unwrap_or_else(|| panic!("no {name}")), 99)
    }

    /// A row for each name: median, p99, how many, and the ratios of both to those of `base`.
    pub fn rows(&self, base: &str) -> Vec<Vec<String>> {
        let (middle, late) = (self.median(base), self.p99(base));
        let row = |(name, times): &(String, Vec<Duration>)| {
            vec![
                name.clone(),
                ms(self.median(name)),
                ms(self.p99(name)),
                times.len().to_string(),
                ratio(self.median(name), middle),
                ratio(self.p99(name), late),
            ]
        };
        self.0.iter().map(row).collect()
    }

    /// What part of the durations is shorter than each of them, in percent: a curve for a plot.
    pub fn curve(&self, name: &str) -> Vec<(f64, f64)> {
        let times = self.of(name).unwrap_or_default();
        let all = count(times.len());
        let points = times.iter().enumerate();
        points
            .map(|(place, time)| (milliseconds(*time), 100.0 * (count(place) + 1.0) / all))
            .collect()
    }
}

/// The head of the table whose rows are [`NamedDurations::rows`].
pub const HEAD: [&str; 6] = [
    "from the key to",
    "median",
    "p99",
    "n",
    "ratio of medians",
    "ratio of p99",
];

/// Milliseconds, with as many digits as mean something.
pub fn ms(time: Duration) -> String {
    let time = milliseconds(time);
    match time {
        ..10.0 => format!("{time:.2} ms"),
        ..100.0 => format!("{time:.1} ms"),
        ..10_000.0 => format!("{time:.0} ms"),
        _ => format!("{:.1} s", time / 1_000.0),
    }
}

pub fn ratio(time: Duration, base: Duration) -> String {
    two_digits(time.as_secs_f64() / base.as_secs_f64())
}

pub fn two_digits(ratio: f64) -> String {
    match ratio {
        ..10.0 => format!("{ratio:.2}"),
        ..100.0 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
pub fn count(number: usize) -> f64 {
    number as f64
}

/// Divided by a number of things.
pub fn each(time: Duration, number: usize) -> Duration {
    time.div_f64(count(number.max(1)))
}

/// With a comma.
pub fn thousands(number: usize) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1_000, number % 1_000)
    }
}
