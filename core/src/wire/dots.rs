//! The JSON of versions: `[n, era, n, era, …]`, the reading's own dot and then those of other eras that it
//! has seen.

use alloc::vec::Vec;

use crate::version::{Dot, Era, Seen, Version};

/// Why numbers are no version.
const NO_VERSION: &str = "no version";

fn dots_of(numbers: &[u64]) -> Result<Vec<Dot>, &'static str> {
    let dot = |pair: &[u64]| match *pair {
        [n, era] => Dot::try_from((n, era)).ok(),
        _ => None,
    };
    let dots: Option<Vec<Dot>> = numbers.chunks(2).map(dot).collect();
    dots.filter(|dots| dots.len() <= 1 + Seen::KEPT).ok_or(NO_VERSION)
}

fn numbers_of(dots: impl Iterator<Item = Dot>) -> Vec<u64> {
    dots.flat_map(|dot| [dot.n, u64::from(dot.era.0)]).collect()
}

impl TryFrom<(u64, u64)> for Dot {
    type Error = &'static str;

    fn try_from((n, era): (u64, u64)) -> Result<Self, Self::Error> {
        let era = u32::try_from(era).map(Era).map_err(|_| NO_VERSION)?;
        (n <= Self::MAX).then_some(Self { n, era }).ok_or(NO_VERSION)
    }
}

impl From<Dot> for (u64, u64) {
    fn from(dot: Dot) -> Self {
        (dot.n, u64::from(dot.era.0))
    }
}

impl TryFrom<Vec<u64>> for Version {
    type Error = &'static str;

    fn try_from(numbers: Vec<u64>) -> Result<Self, Self::Error> {
        let dots = dots_of(&numbers)?;
        let (dot, seen) = dots.split_first().ok_or(NO_VERSION)?;
        let others = seen.iter().filter(|other| other.era != dot.era);
        Ok(Self {
            dot: *dot,
            seen: others.copied().collect(),
        })
    }
}

impl From<Version> for Vec<u64> {
    fn from(version: Version) -> Self {
        numbers_of(version.dots())
    }
}

impl TryFrom<Vec<u64>> for Seen {
    type Error = &'static str;

    fn try_from(numbers: Vec<u64>) -> Result<Self, Self::Error> {
        Ok(dots_of(&numbers)?.into_iter().collect())
    }
}

impl From<Seen> for Vec<u64> {
    fn from(seen: Seen) -> Self {
        numbers_of(seen.iter())
    }
}
