//! What holds for any stream: no key that nobody pressed, and no keyboard that is locked.

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{Line, PAUSE};
use super::*;

/// The keys that do something in a program, as they come out of the decoder.
fn effects(typed: Vec<Typed>) -> String {
    let effect = |typed| match typed {
        Typed::Key(key) if key == KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL) => Some('^'),
        Typed::Key(key) if key.modifiers.contains(KeyModifiers::CONTROL) => None,
        Typed::Key(key) => match key.code {
            KeyCode::Char(letter) if "123456qlpa?".contains(letter) => Some(letter),
            _ => None,
        },
        Typed::Click(..) => Some('!'),
    };
    typed.into_iter().filter_map(effect).collect()
}

/// Something that comes down the line.
#[derive(Debug, Clone)]
enum Item {
    /// A person presses a key.
    Key(char),
    /// A terminal sends this, in as many reads as the line makes of it: cut where a bit is set, with these
    /// pauses.
    Sent(Vec<u8>, Vec<bool>, Vec<Duration>),
    /// A paste without marks, in one read.
    Unmarked(String),
}

fn pause() -> impl Strategy<Value = Duration> {
    let milliseconds = prop_oneof![
        Just(0),
        Just(60),
        Just(80),
        Just(199),
        0_u64..5_000,
        Just(3_600_000)
    ];
    milliseconds.prop_map(Duration::from_millis)
}

fn pasted_text() -> impl Strategy<Value = String> {
    "([ -~]|[1-6qlpa?]|\r|\t|é|😀){0,30}"
}

/// What terminals send without a key that does anything here.
fn sent() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        // Arrow and function keys, of several terminals, with modifiers.
        "\x1b\\[([1-9]|1[0-9]|2[0-4])(;[1-8])?~",
        "\x1b\\[(1;[1-8])?[ABCDFH]",
        "\x1bO([1-8])?[A-FH]",
        "\x1b\\[\\[[A-E]",
        "\x1b\\[[235678]\\$",
        // Keys that are let go, and keys with Super.
        "\x1b\\[(49|50|51|52|53|54|113|97|112|108|99)(:33)?;[1-8]:3u",
        "\x1b\\[(49|113|99);(9|13|17|33)u",
        "\x1b\\[57(358|376|441|447)(;[1-8](:[123])?)?u",
        "\x1b\\[27;5;(49|50|113)~",
        // The mouse, in four encodings.
        "\x1b\\[<(1|2|3[245]|6[45]);[1-9][0-9]{0,2};[1-9][0-9]{0,2}[Mm]",
        "\x1b\\[(3[2-9]|9[67]);[1-9][0-9]{0,2};[1-9][0-9]{0,2}M",
        // Answers to questions that an earlier program has asked, and other reports.
        "\x1b\\[\\?6[1-5](;[1-9][0-9]?){0,12}c",
        "\x1b\\[>[0-9]{1,2};[0-9]{1,4};[0-9]c",
        "\x1b\\[[1-9][0-9]?;[1-9][0-9]?R",
        "\x1b\\[[03]n",
        "\x1b\\[\\?[0-9]{1,4};[0-4]\\$y",
        "\x1b\\[[48];[0-9]{2,4};[0-9]{2,4}t",
        "\x1b\\[\\?[0-9]{1,2}u",
        "\x1b\\[[IO]",
        "\x1b\\](4;[0-9]{1,2}|1[0-2]);rgb:[0-9a-f]{4}/[0-9a-f]{4}/[0-9a-f]{4}(\x07|\x1b\\\\)",
        "\x1b\\]52;c;[A-Za-z0-9+/=]{0,60}(\x07|\x1b\\\\)",
        "\x1b\\]l[ -~é✓]{0,20}\x1b\\\\",
        "\x1bP[01]([+$]r[0-9A-F=;]{0,40}|>\\|[ -~]{0,20})\x1b\\\\",
        "\x1b_G[a-z0-9=,;]{0,30}\x1b\\\\",
        pasted_text().prop_map(|text| format!("\x1b[200~{text}\x1b[201~")),
    ];
    // Terminals of 8 bits have one byte in place of two, with or without UTF-8.
    let eight_bit = |text: String, kind: u8| {
        let mut bytes = text.into_bytes();
        if kind > 0 && bytes.starts_with(b"\x1b[") && !bytes.ends_with(b"\x1b[201~") {
            bytes.splice(0..2, [0x9b]);
        }
        if kind > 1 && bytes.first() == Some(&0x9b) {
            bytes.insert(0, 0xc2);
        }
        bytes
    };
    let mouse = vec(32_u8..=255, 3).prop_map(|report| [&b"\x1b[M"[..], &report].concat());
    prop_oneof![
        20 => (text, prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(2)]).prop_map(move |(text, kind)| eight_bit(text, kind)),
        1 => mouse,
    ]
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        2 => prop::sample::select("123456qlpa?^".chars().collect::<Vec<_>>()).prop_map(Item::Key),
        4 => (sent(), prop_oneof![vec(any::<bool>(), 0..80), Just(vec![true; 80])], vec(pause(), 80))
            .prop_map(|(bytes, cuts, pauses)| Item::Sent(bytes, cuts, pauses)),
        1 => pasted_text()
            .prop_filter("many letters", |text| text.chars().count() > FINGERS)
            .prop_map(Item::Unmarked),
    ]
}

/// The reads that a line makes of some bytes.
fn reads<'a>(bytes: &'a [u8], cuts: &[bool], pauses: &[Duration]) -> Vec<(Duration, &'a [u8])> {
    let mut reads: Vec<(Duration, &[u8])> = Vec::new();
    let mut from = 0;
    for at in 1..=bytes.len() {
        if at == bytes.len() || cuts.get(at).copied().unwrap_or(false) {
            let mut pause = pauses.get(from).copied().unwrap_or_default();
            // A byte alone after a pause, and the same once more, is the one thing that is taken for a
            // finger.
            if from > 0 && at == from + 1 && reads.last().is_some_and(|(_, last)| *last == &bytes[from..at]) {
                pause = pause.min(FINGER / 2);
            }
            reads.push((pause, &bytes[from..at]));
            from = at;
        }
    }
    reads
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn whatever_is_sent_and_wherever_it_is_cut_the_keys_are_those_that_were_pressed(items in vec(item(), 1..12)) {
        let mut line = Line::default();
        let (mut pressed, mut had) = (String::new(), String::new());
        for item in &items {
            match item {
                Item::Key(key) => {
                    pressed.push(*key);
                    let byte = if *key == '^' { "\x03".to_owned() } else { key.to_string() };
                    had.push_str(&effects(line.take(PAUSE, byte.as_bytes())));
                }
                Item::Sent(bytes, cuts, pauses) => {
                    for (pause, bytes) in reads(bytes, cuts, pauses) {
                        had.push_str(&effects(line.take(pause, bytes)));
                    }
                }
                Item::Unmarked(text) => {
                    had.push_str(&effects(line.take(Duration::ZERO, text.as_bytes())));
                    had.push_str(&effects(line.take(AFTERMATH, b"")));
                }
            }
        }
        prop_assert_eq!(had, pressed);
    }

    #[test]
    fn after_anything_a_key_pressed_twice_counts_and_ctrl_c_at_once(
        noise in vec((vec(prop_oneof![any::<u8>(), prop::sample::select(b"\x1b[]OPM;<0129~\x9b".to_vec())], 1..8), pause()), 0..6),
        key in prop::sample::select(b"123456q?".to_vec()),
    ) {
        let after_noise = || {
            let mut line = Line::default();
            for (bytes, pause) in &noise {
                line.take(*pause, bytes);
            }
            line
        };
        let mut line = after_noise();
        let had = [&[key], &[key]].map(|key| effects(line.take(PAUSE, key)));
        // An ESC that ends the noise is the Esc key, and not seen here.
        prop_assert!(had.concat().chars().all(|effect| effect == char::from(key)), "{had:?}");
        prop_assert!(!had.concat().is_empty());
        prop_assert_eq!(effects(after_noise().take(PAUSE, b"\x03")), "^");
    }
}

#[test]
fn of_all_beginnings_of_two_bytes_none_swallows_a_second_key() {
    let mut swallowed = 0;
    for beginning in 0..=u16::MAX {
        for key in [b"q", b"1"] {
            let mut line = Line::default();
            line.take(PAUSE, &beginning.to_be_bytes());
            let key_alone = String::from_utf8_lossy(key).into_owned();
            let first = effects(line.take(PAUSE, key));
            swallowed += u32::from(first != key_alone);
            let second = effects(line.take(PAUSE, key));
            assert!(first == key_alone || second == key_alone, "{beginning:04x}");
        }
    }
    // `ESC [`, `ESC O`, five strings, the same with one byte, which any byte may follow, and these after any
    // other.
    assert!(swallowed < 2 * 65_536 / 16, "{swallowed}");
}
