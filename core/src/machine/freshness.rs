//! What can be said of a card's values: live, or held, since when and because of which link. `Machine::judge`
//! decides it, by [`Chain::broken`](crate::chain::Chain::broken).

use serde::{Deserialize, Serialize};

use crate::chain::Link;
use crate::time::Wall;

/// Whether the other card's values are what their owner says now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Freshness {
    /// They are.
    Live,
    /// Last known; the named link is broken.
    Held {
        /// When they were last known to be live, or when this program started.
        since: Wall,
        /// The first broken link.
        broken: Link,
    },
}

impl Freshness {
    /// Whether they are live.
    #[must_use]
    pub fn is_live(self) -> bool {
        self == Self::Live
    }

    /// With this link broken, which was known to be whole until `lost_at`: they are out of reach since then,
    /// not since that ceased to prove anything.
    pub(super) const fn with(self, broken: Option<Link>, lost_at: Wall) -> Self {
        match (broken, self) {
            (None, _) => Self::Live,
            (Some(broken), Self::Held { since, .. }) => Self::Held { since, broken },
            (Some(broken), Self::Live) => Self::Held {
                since: lost_at,
                broken,
            },
        }
    }
}
