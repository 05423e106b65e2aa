//! Which of two readings of a sensor is the later one.
//!
//! Each reading has a [`Dot`]: a number, and the [`Era`] in which its owner counted. Within an era the higher
//! number is the later reading. Across eras a reading says itself which ones it comes after: its owner lists
//! the eras that it has met ([`Seen`]). No clock orders anything, and no number is so high that nobody can
//! come after it.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Drawn at random when a program starts: which run of it this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u32);

impl RunId {
    /// An era that this run begins: the first one, the second one, and so on.
    #[must_use]
    pub const fn era(self, count: u32) -> Era {
        // The finaliser of MurmurHash3: each life and each count gives another era.
        let mut mixed = self.0.wrapping_add(count.wrapping_mul(0x9E37_79B9));
        mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85EB_CA6B);
        mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xC2B2_AE35);
        Era(mixed ^ (mixed >> 16))
    }
}

/// One unbroken memory of an owner. It begins when an owner starts without a state file, and lasts as long as
/// that memory is handed on in the file. A run whose file has taken no reservation yet counts in an era of
/// its own, and an owner in whose era somebody else counts begins a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Era(pub u32);

/// Names one toggle: its number in an era. The order of dots is only a last resort, see [`Version::compare`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64)", into = "(u64, u64)")]
pub struct Dot {
    /// Its number. [`Dot::INITIAL`] and [`Dot::HEARSAY`] stand for no toggle.
    pub n: u64,
    /// In which era its owner counted.
    pub era: Era,
}

impl Dot {
    /// The number of an initial OK, of an owner that found no memory anywhere.
    pub const INITIAL: u64 = 0;
    /// The number of a state that was restored from a message without versions.
    pub const HEARSAY: u64 = 1;
    /// The largest number: the largest whole number that every JSON reader keeps exactly (2^53 - 1, RFC 8259,
    /// section 6).
    pub const MAX: u64 = (1 << 53) - 1;
}

/// Up to which number which eras are known, one entry an era.
///
/// [`Seen::join`] makes it a join-semilattice, also where entries are dropped: those with the highest numbers
/// are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct Seen([Option<Dot>; Self::KEPT]);

impl Seen {
    /// How many eras are kept. An era ends with its owner's state file, and few are ever in use at one time.
    pub const KEPT: usize = 6;

    /// Up to which number an era is known.
    #[must_use]
    pub fn get(&self, era: Era) -> Option<u64> {
        self.iter().find_map(|dot| (dot.era == era).then_some(dot.n))
    }

    /// The entries, the highest number first.
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        self.0.iter().flatten().copied()
    }

    /// Notes that an era is known up to this dot.
    #[must_use]
    pub fn with(self, dot: Dot) -> Self {
        let n = self.get(dot.era).map_or(dot.n, |known| known.max(dot.n));
        let mut new = Some(Dot { n, ..dot });
        let mut entries = [None; Self::KEPT];
        let mut others = self.iter().filter(|other| other.era != dot.era).peekable();
        for entry in &mut entries {
            *entry = match (new, others.peek()) {
                (Some(dot), Some(other)) if dot > *other => new.take(),
                (_, Some(_)) => others.next(),
                (_, None) => new.take(),
            };
        }
        Self(entries)
    }

    /// What either knows.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        other.iter().fold(self, Self::with)
    }

    /// The same with this dot for certain, in the place of the entry with the lowest number if need be.
    #[must_use]
    pub fn holding(mut self, dot: Dot) -> Self {
        if self.get(dot.era).is_none_or(|known| known < dot.n) {
            self.0[Self::KEPT - 1] = None;
            self = self.with(dot);
        }
        self
    }

    /// All but one era.
    #[must_use]
    pub fn without(self, era: Era) -> Self {
        self.iter().filter(|dot| dot.era != era).collect()
    }
}

impl FromIterator<Dot> for Seen {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        dots.into_iter().fold(Self::default(), Self::with)
    }
}

/// The version of one sensor's reading. Only the owner of the sensor makes new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct Version {
    /// Which toggle it is.
    pub dot: Dot,
    /// Which other eras it comes after: those that its owner had met.
    pub seen: Seen,
}

/// How one version stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// They are equal.
    Same,
    /// The first is the later one.
    Later,
    /// The first is the earlier one.
    Earlier,
    /// They do not say.
    Unordered,
}

impl Order {
    const fn of(first: bool, second: bool) -> Self {
        match (first, second) {
            (true, false) => Self::Later,
            (false, true) => Self::Earlier,
            (true, true) | (false, false) => Self::Unordered,
        }
    }
}

impl Version {
    /// Whether nobody has toggled it: an initial state, or one restored from a plain message. Any toggle is
    /// later.
    #[must_use]
    pub const fn is_provisional(self) -> bool {
        self.dot.n <= Dot::HEARSAY
    }

    /// The era in which its owner counted.
    #[must_use]
    pub const fn era(self) -> Era {
        self.dot.era
    }

    /// The dot, and all that it has seen.
    pub fn dots(&self) -> impl Iterator<Item = Dot> + '_ {
        core::iter::once(self.dot).chain(self.seen.iter())
    }

    /// What a version in this era sees that comes after this one: its dots of other eras.
    #[must_use]
    pub fn seen_from(&self, era: Era) -> Seen {
        self.dots().filter(|dot| dot.era != era).collect()
    }

    /// The same toggle, later than another one as well.
    #[must_use]
    pub fn having_seen(&self, other: &Self) -> Self {
        Self {
            dot: self.dot,
            seen: self.seen.join(other.seen_from(self.era())),
        }
    }

    /// The same toggle, in the place of another one: if it has seen that, it has seen what that had seen. The
    /// owner of that one may have decided since this one was made.
    #[must_use]
    pub fn in_place_of(&self, other: &Self) -> Self {
        if self.covers(other.dot) && !other.is_provisional() {
            self.having_seen(other)
        } else {
            *self
        }
    }

    /// Whether its owner knew this dot when it made the version, or has met it since.
    #[must_use]
    pub fn covers(&self, dot: Dot) -> bool {
        self.dots().any(|known| known.era == dot.era && known.n >= dot.n)
    }

    /// The order that the versions prove: one covers the other. Two owners of one card may each say that
    /// theirs comes after the other's: of these the higher dot is taken, so that all choose alike.
    #[must_use]
    pub fn compare_exactly(&self, other: &Self) -> Order {
        if self.dot == other.dot {
            return Order::Same;
        }
        if self.is_provisional() || other.is_provisional() {
            let [first, second] = [self, other].map(|version| version.dot.n.min(Dot::HEARSAY + 1));
            return Order::of(first > second, second > first);
        }
        match (self.covers(other.dot), other.covers(self.dot)) {
            (true, true) => Order::of(self.dot > other.dot, other.dot > self.dot),
            (first, second) => Order::of(first, second),
        }
    }

    /// Which of two versions is the later one. Where neither covers the other, the one that has met the
    /// other's era comes after all of that era: an owner meets another era of its card when it starts in a
    /// new one, and the old one has ended then.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Order {
        match self.compare_exactly(other) {
            Order::Unordered => Order::of(
                self.seen.get(other.era()).is_some(),
                other.seen.get(self.era()).is_some(),
            ),
            exactly => exactly,
        }
    }
}
