//! Text from the network, made harmless: what is shown is what is there, in the order in which it is there.

use std::borrow::Cow;

use crate::plain::is_plain;

/// The text without what does not show or shows something else: controls, bidirectional marks, everything of
/// zero width. What separates lines or columns becomes a space.
#[must_use]
pub fn plain_text(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|letter| if separates(letter) { ' ' } else { letter })
        .filter(|&letter| is_plain(letter))
        .collect()
}

fn separates(letter: char) -> bool {
    matches!(letter, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_not_copied() {
        for text in ["", "Sensor 1 OK", "Köln → 東京 ✓ 😀", "localhost:1883"] {
            assert!(
                matches!(plain_text(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn escape_sequences_lose_what_makes_them_work() {
        assert_eq!(plain_text("a\x1b[2Jb\u{9b}31mc\x07\x7f\0"), "a[2Jb31mc");
    }

    #[test]
    fn separators_become_spaces() {
        assert_eq!(
            plain_text("a\nb\tc\r\nd\u{2028}e\u{2029}f\u{85}g"),
            "a b c  d e f g"
        );
    }

    #[test]
    fn nothing_turns_round_or_hides() {
        let ranges = [
            0..=0x1f,
            0x7f..=0x9f,
            0xad..=0xad,
            0x61c..=0x61c,
            0x200b..=0x200f,
            0x2028..=0x202e,
            0x2060..=0x206f,
            0xfe00..=0xfe0f,
            0xfeff..=0xfeff,
            0xfff9..=0xfffb,
            0x300..=0x36f,
            0xe0000..=0xe01ef,
        ];
        for letter in ranges.into_iter().flatten().filter_map(char::from_u32) {
            let shown = plain_text(&format!("O{letter}K")).into_owned();
            assert!(
                shown == "OK" || shown == "O K",
                "U+{:04X} gives {shown:?}",
                u32::from(letter)
            );
        }
    }

    #[test]
    fn what_is_plain_stays_as_it_is() {
        let once = plain_text("a\u{202e}\n\u{200b}b\u{1b}").into_owned();
        assert_eq!(plain_text(&once), once);
    }
}
