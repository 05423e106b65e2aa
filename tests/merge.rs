//! Taking the highest of each sensor is commutative, associative and idempotent: order and repetition of messages cannot matter.

use dualboard::reading::{Reading, Snapshot};
use dualboard::sensor::{SensorId, State};
use dualboard::version::{Life, Version};
use proptest::prelude::*;

/// A version names one state only: as owners make them.
fn snapshot() -> impl Strategy<Value = Snapshot> {
    prop::collection::vec((1..=6_u8, 0..5_u64, 0..5_u64, 0..3_u32), 0..12).prop_map(|offers| {
        let mut snapshot = Snapshot::default();
        for (number, incarnation, sequence, life) in offers {
            let reading = Reading {
                state: State::from((incarnation + sequence + u64::from(life)) % 2 == 0),
                version: Version {
                    incarnation,
                    sequence,
                    life: Life(life),
                    after: 0,
                },
                changed: None,
            };
            snapshot.offer(SensorId::new(number).expect("1 to 6"), reading);
        }
        snapshot
    })
}

fn merged(mut a: Snapshot, b: &Snapshot) -> Snapshot {
    a.merge(b);
    a
}

proptest! {
    #[test]
    fn merge_is_a_join(a in snapshot(), b in snapshot(), c in snapshot()) {
        prop_assert_eq!(merged(a, &b), merged(b, &a));
        prop_assert_eq!(merged(merged(a, &b), &c), merged(a, &merged(b, &c)));
        prop_assert_eq!(merged(a, &a), a);
        for sensor in SensorId::ALL {
            prop_assert!(merged(a, &b).version(sensor) >= a.version(sensor));
        }
    }
}
