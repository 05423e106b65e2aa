//! Whatever comes in, in whatever order: no panic, no state lost, nothing claimed that is not proved.

use crate::hostile;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn words() -> Vec<String> {
    let text = include_str!("../../../fuzz/json.dict");
    let words = text
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    words.map(|word| word.replace("\\\"", "\"")).collect()
}

proptest! {
    // Always the same ones; the fuzzer looks for others.
    #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_events_keeps_the_rules(bytes in prop::collection::vec(any::<u8>(), 0..1_500)) {
        hostile::events(&bytes);
    }

    /// The fuzzer's words, so that the search gets past the first brace.
    #[test]
    fn any_words_of_the_wire_on_any_topic_are_answered(place in any::<u8>(), words in prop::collection::vec(prop::sample::select(words()), 0..12)) {
        let mut payload = vec![place, b'{'];
        payload.extend(words.concat().bytes());
        payload.push(b'}');
        hostile::decoding::check(&payload);
    }
}
