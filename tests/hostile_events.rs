//! Whatever comes in, in whatever order: no panic, no state lost, nothing claimed that is not proved.

#[path = "support/hostile.rs"]
mod hostile;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_sequence_of_events_keeps_the_rules(bytes in prop::collection::vec(any::<u8>(), 0..1_500)) {
        hostile::events(&bytes);
    }
}
