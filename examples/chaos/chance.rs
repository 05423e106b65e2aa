//! What is drawn: the same seed draws the same.

use std::time::Duration;

use crate::rng::Rng;

/// A source of draws.
pub struct Chance(Rng);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(Rng::new(seed))
    }

    /// A source of its own, so that what is drawn there changes nothing here.
    pub fn split(&mut self) -> Self {
        Self::new(self.0.next())
    }

    /// From 0 up to and without 1.
    pub fn real(&mut self) -> f64 {
        let bits = u32::try_from(self.0.next() >> 32).expect("32 bits");
        f64::from(bits) / 4_294_967_296.0
    }

    pub fn is(&mut self, probability: f64) -> bool {
        self.real() < probability
    }

    /// From 0 up to and without `limit`, which is above 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("64 bits");
        usize::try_from(self.0.within(0, limit)).expect("below a usize")
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        *self.0.pick(of)
    }

    /// So many seconds, evenly from `low` to `high`.
    pub fn seconds(&mut self, low: f64, high: f64) -> Duration {
        Duration::from_secs_f64(low + self.real() * (high - low))
    }

    /// The time until something that happens once in `mean` seconds.
    pub fn wait_for(&mut self, mean: f64) -> Duration {
        Duration::from_secs_f64(-mean * (1.0 - self.real()).ln())
    }

    pub fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
        items
    }
}
