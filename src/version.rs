//! The order of versions: which of two readings of a sensor is the newer one.

/// Drawn at random when a program starts. It makes versions unique where two owners chose the same incarnation because the first
/// one's was lost with its memory.
///
/// In versions its upper half is the *era*: that of the life in which the memory began. It tells readings that one unbroken memory has
/// put in order from those of an owner that did not know of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life(pub u32);

impl Life {
    /// The upper half.
    #[must_use]
    pub const fn era(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The same life in another era.
    #[must_use]
    pub const fn in_era(self, era: u16) -> Self {
        Self(((era as u32) << 16) | (self.0 & 0xFFFF))
    }
}

/// The version of one sensor's reading. Only the owner of the sensor makes new ones; the higher one is the newer one.
///
/// Wall-clock time has no part in it: boards have no clock battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised when an owner starts, and when it finds out that it knew too little.
    pub incarnation: u64,
    /// Raised with each toggle.
    pub sequence: u64,
    /// Of the owner that made this version.
    pub life: Life,
}

impl Version {
    /// The largest incarnation and sequence: the largest whole number that every JSON reader keeps exactly (2^53 - 1, RFC 8259,
    /// section 6).
    pub const MAX: u64 = (1 << 53) - 1;

    /// The initial state of an owner that found no memory anywhere. Any real memory is higher.
    #[must_use]
    pub const fn initial(life: Life) -> Self {
        Self {
            incarnation: 0,
            sequence: 0,
            life,
        }
    }

    /// A state restored from a message without versions: better than the initial one, lower than any that an owner made.
    #[must_use]
    pub const fn hearsay(life: Life) -> Self {
        Self {
            incarnation: 0,
            sequence: 1,
            life,
        }
    }

    /// Whether nobody has vouched for it: initial or hearsay.
    #[must_use]
    pub const fn is_provisional(self) -> bool {
        self.incarnation == 0
    }
}

/// Where an owner takes its new versions from.
///
/// Invariant: each version that it makes is higher than every version that it has made or been shown.
#[derive(Debug, Clone)]
pub struct Mint {
    last: Version,
}

impl Mint {
    /// Starts at incarnation 1. Call [`Mint::show`] with each version that turns up.
    #[must_use]
    pub const fn new(life: Life) -> Self {
        Self {
            last: Version {
                incarnation: 1,
                sequence: 0,
                life,
            },
        }
    }

    /// An earlier life of this owner may have used all incarnations up to this one.
    pub fn skip(&mut self, used: u64) {
        if used >= self.last.incarnation && used < Version::MAX {
            self.last.incarnation = used + 1;
            self.last.sequence = 0;
        }
    }

    /// The incarnation of the next version.
    #[must_use]
    pub const fn incarnation(&self) -> u64 {
        self.last.incarnation
    }

    /// Takes note of a version that turned up: versions made from now on are above it.
    pub fn show(&mut self, seen: Version) {
        let foreign = seen.life != self.last.life;
        if seen > self.last || (foreign && seen.incarnation == self.last.incarnation) {
            self.last = if seen.incarnation < Version::MAX {
                Version {
                    incarnation: seen.incarnation + 1,
                    sequence: 0,
                    life: self.last.life,
                }
            } else {
                // No higher incarnation exists: go on above its sequence.
                Version {
                    life: self.last.life,
                    sequence: seen.sequence.max(self.last.sequence),
                    ..seen
                }
            };
        }
    }

    /// A new version, higher than all before.
    pub fn make(&mut self) -> Version {
        self.last.sequence = self.last.sequence.saturating_add(1).min(Version::MAX);
        self.last
    }

    /// Whose versions these are.
    #[must_use]
    pub const fn life(&self) -> Life {
        self.last.life
    }
}
