//! The order of versions: which of two readings of a sensor is the newer one.

/// Drawn at random when a program starts. It makes versions unique where two owners chose the same incarnation because the first
/// one's was lost with its memory.
///
/// In versions its upper half is the *era*: that of the life in which the memory began. One unbroken memory puts its readings in order;
/// those of two eras it may be that no memory has ever held against each other.
///
/// An odd era is a *branch*: of a life whose disk did not take its incarnation. The life after it may know nothing of it, and goes on in the
/// era of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life(pub u32);

impl Life {
    /// The upper half.
    #[must_use]
    pub const fn era(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The era of a memory that begins with this life.
    #[must_use]
    pub const fn first_era(self) -> u16 {
        let even = self.era() & !1;
        if even == 0 { 2 } else { even }
    }

    /// The era of this life's first branch, another one than those of files with a probability of 1 in 2^15.
    #[must_use]
    pub const fn first_branch(self) -> u16 {
        self.era() | 1
    }

    /// Whether both are of one life, in whatever era.
    #[must_use]
    pub const fn is_of(self, other: Self) -> bool {
        self.0 & 0xFFFF == other.0 & 0xFFFF
    }

    /// The same life in another era.
    #[must_use]
    pub const fn in_era(self, era: u16) -> Self {
        Self(((era as u32) << 16) | (self.0 & 0xFFFF))
    }
}

/// The version of one sensor's reading. Only the owner of the sensor makes new ones; the higher one is the newer one, where
/// [`Version::follows`] says that the one was made with knowledge of the other.
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
    /// The era before the present one that was known when this version was made; 0 if none was.
    pub after: u16,
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
            after: 0,
        }
    }

    /// A state restored from a message without versions: better than the initial one, lower than any that an owner made.
    #[must_use]
    pub const fn hearsay(life: Life) -> Self {
        Self {
            incarnation: 0,
            sequence: 1,
            life,
            after: 0,
        }
    }

    /// Whether nobody has vouched for it: initial or hearsay.
    #[must_use]
    pub const fn is_provisional(self) -> bool {
        self.incarnation == 0
    }

    /// The era in which the state was set.
    #[must_use]
    pub const fn era(self) -> u16 {
        self.life.era()
    }

    /// Whether whoever made this version knew of the other one's era, or nobody has vouched for that one. Then the higher of the two is
    /// the later one; otherwise their numbers prove nothing.
    ///
    /// An era has ended before another one comes after it, but for a branch: the era that it left goes on without it. It knows what was
    /// there when it began, and began a leap above that.
    #[must_use]
    pub const fn knows(self, other: Self) -> bool {
        let comes_after = self.after == other.era()
            && (!self.is_of_branch() || other.incarnation + LEAP <= self.incarnation);
        self.era() == other.era() || comes_after || other.is_provisional()
    }

    /// Whether its era is one that was not on disk when it began.
    #[must_use]
    pub const fn is_of_branch(self) -> bool {
        self.era() % 2 == 1
    }

    /// Whether this version is surely later than the other one.
    #[must_use]
    pub fn follows(self, other: Self) -> bool {
        self > other && self.knows(other)
    }
}

/// How far an owner goes above what it hears if it cannot know what else there is: a life without a state file may have heard an old
/// copy, and so may one that meets another era. No era comes to so many starts.
const LEAP: u64 = 1 << 20;

/// Where an owner takes its new versions from.
///
/// Invariant: each version that it makes is higher than every version that it has made or been shown.
#[derive(Debug, Clone)]
pub struct Mint {
    last: Version,
    /// Whether the present era's memory is unbroken: it was read from the state file.
    unbroken: bool,
}

impl Mint {
    /// Starts at incarnation 1, in the life's own era. Call [`Mint::show`] with each version that turns up.
    #[must_use]
    pub const fn new(life: Life) -> Self {
        Self {
            last: Version {
                incarnation: 1,
                sequence: 0,
                life,
                after: 0,
            },
            unbroken: false,
        }
    }

    /// Goes on in the era of a state file, above all incarnations that its earlier lives may have used.
    pub fn go_on(&mut self, era: u16, used: u64) {
        self.unbroken = true;
        self.last.life = self.last.life.in_era(era);
        if used >= self.last.incarnation && used < Version::MAX {
            self.last.incarnation = used + 1;
            self.last.sequence = 0;
        }
    }

    /// Leaves the era of the file, whose next life will use again what is above the incarnation `saved`.
    pub fn branch_off(&mut self, branch: u16, saved: u64) {
        let leap = (saved + LEAP).min(Version::MAX);
        if leap > self.last.incarnation {
            (self.last.incarnation, self.last.sequence) = (leap, 0);
        }
        self.last.after = self.life().era();
        self.last.life = self.life().in_era(branch);
    }

    /// The incarnation of the next version.
    #[must_use]
    pub const fn incarnation(&self) -> u64 {
        self.last.incarnation
    }

    /// Whether the memory was read from the state file.
    #[must_use]
    pub const fn is_unbroken(&self) -> bool {
        self.unbroken
    }

    /// Takes note of a version that turned up: versions made from now on are above it, and above all that its era can have come to if it
    /// is not the present one.
    pub fn show(&mut self, seen: Version) {
        let own = seen.life.is_of(self.life());
        let order = |version: Version| (version.incarnation, version.sequence);
        let higher = order(seen) > order(self.last);
        let strange = !own && seen.era() != self.life().era();
        let met = strange && (higher || seen.era() != self.last.after);
        if met {
            self.last.after = seen.era();
        }
        let clash = !own && seen.incarnation == self.last.incarnation;
        if !(higher || clash || met) {
            return;
        }
        if seen.incarnation == Version::MAX {
            // No higher incarnation exists: go on above its sequence.
            self.last.incarnation = Version::MAX;
            self.last.sequence = self.last.sequence.max(seen.sequence);
            return;
        }
        let step = if strange || !self.unbroken { LEAP } else { 1 };
        let incarnation = (seen.incarnation + step).min(Version::MAX);
        if incarnation > self.last.incarnation {
            self.last.incarnation = incarnation;
            self.last.sequence = 0;
        }
    }

    /// A new version, higher than all before, for what is set in place of the version `before`.
    pub fn make(&mut self, before: Option<Version>) -> Version {
        self.make_in(self.life().era(), before)
    }

    /// A new version, higher than all before, for a state that was set in `era`, in place of or above the version `before`.
    pub fn make_in(&mut self, era: u16, before: Option<Version>) -> Version {
        self.last.sequence = self.last.sequence.saturating_add(1).min(Version::MAX);
        let after = match before {
            Some(before) if before.era() != era => before.era(),
            Some(before) if before.after != 0 => before.after,
            _ if self.last.after != era => self.last.after,
            _ => 0,
        };
        Version {
            life: self.life().in_era(era),
            after,
            ..self.last
        }
    }

    /// Whose versions these are.
    #[must_use]
    pub const fn life(&self) -> Life {
        self.last.life
    }
}
