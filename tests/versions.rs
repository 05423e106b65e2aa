//! Which of two versions is the newer one, and that an owner's new version is above all it has met.

use dualboard::version::{Life, Mint, Version};
use proptest::prelude::*;

fn version() -> impl Strategy<Value = Version> {
    (0..6_u64, 0..6_u64, 0..4_u32).prop_map(|(incarnation, sequence, life)| Version {
        incarnation,
        sequence,
        life: Life(life),
        after: 0,
    })
}

#[test]
fn incarnation_comes_before_sequence_and_sequence_before_life() {
    let at = |incarnation, sequence, life| Version {
        incarnation,
        sequence,
        life: Life(life),
        after: 0,
    };
    assert!(at(2, 0, 0) > at(1, 9, 9));
    assert!(at(1, 2, 0) > at(1, 1, 9));
    assert!(at(1, 1, 2) > at(1, 1, 1));
}

#[test]
fn any_real_memory_is_above_hearsay_and_hearsay_above_the_initial_ok() {
    let (low, high) = (Life(0), Life(u32::MAX));
    assert!(Version::hearsay(low) > Version::initial(high));
    assert!(Mint::new(low).make(None) > Version::hearsay(high));
}

proptest! {
    #[test]
    fn a_new_version_is_above_all_that_were_shown_or_made(shown in prop::collection::vec(version(), 0..20)) {
        let mut mint = Mint::new(Life(2));
        let mut highest = Version::initial(Life(0));
        for seen in shown {
            mint.show(seen);
            let made = mint.make(None);
            prop_assert!(made > seen && made > highest, "{made:?} after {seen:?} and {highest:?}");
            highest = made;
        }
    }
}

#[test]
fn at_the_end_of_the_numbers_nothing_overflows() {
    let mut mint = Mint::new(Life(1));
    mint.show(Version {
        incarnation: Version::MAX,
        sequence: Version::MAX,
        life: Life(0),
        after: 0,
    });
    let made = mint.make(None);
    assert!(made.incarnation <= Version::MAX && made.sequence <= Version::MAX);
}
