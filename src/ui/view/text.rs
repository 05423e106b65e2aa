//! Texts in a number of columns.

use unicode_width::UnicodeWidthChar as _;

/// How many columns a text takes: a wide character takes two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

/// How much of a text there is room for, in bytes.
pub(super) fn holds(text: &str, width: usize) -> usize {
    let mut used = 0;
    let beyond = text.char_indices().find(|(_, letter)| {
        used += columns(*letter);
        used > width
    });
    beyond.map_or(text.len(), |(at, _)| at)
}

/// Breaks a text at spaces into lines of at most `room` columns; a longer word is cut.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    // No line can hold less than one character.
    let room = room.max(text.chars().map(columns).max().unwrap_or(0)).max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut rest = word;
        while !rest.is_empty() {
            let line = lines.last_mut().expect("there is always a line");
            let used = width(line);
            let gap = usize::from(used > 0);
            if used + gap + width(rest) <= room {
                line.extend(std::iter::repeat_n(' ', gap));
                line.push_str(std::mem::take(&mut rest));
            } else if used > 0 {
                lines.push(String::new());
            } else {
                let (first, more) = rest.split_at(holds(rest, room));
                line.push_str(first);
                rest = more;
            }
        }
    }
    lines
}

/// A text of at most `room` columns: cut after a word, with a sign that there was more.
pub(super) fn fit(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let cut = &text[..holds(text, room.saturating_sub(2))];
    let whole = cut.rfind(' ').map_or(cut, |end| &cut[..end]);
    format!("{} ..", whole.trim_end_matches([' ', ':', ',', ';']))
}

/// A name in at most `room` columns: cut anywhere, with this sign that there was more.
pub(super) fn cut(text: &str, room: usize, sign: &str) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let cut = &text[..holds(text, room.saturating_sub(width(sign)))];
    format!("{}{sign}", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::{cut, fit, width, wrap};

    #[test]
    fn a_long_text_is_broken_at_spaces() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    }

    #[test]
    fn a_word_wider_than_the_window_is_cut() {
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    }

    #[test]
    fn no_width_at_all_is_taken_as_one_column() {
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }

    #[test]
    fn what_is_cut_says_that_there_was_more() {
        assert_eq!(fit("one two three", 13), "one two three");
        assert_eq!(fit("one two three", 11), "one two ..");
    }

    #[test]
    fn a_wide_character_takes_two_columns() {
        assert_eq!(width("東京 1"), 6);
        assert_eq!(wrap("東京 東京", 8), ["東京", "東京"]);
        assert_eq!(wrap("東京", 1), ["東", "京"]);
        assert_eq!(fit("東京 東京 東京", 11), "東京 ..");
    }

    #[test]
    fn a_name_is_cut_anywhere() {
        assert_eq!(cut("Front door", 10, "…"), "Front door");
        assert_eq!(cut("Front door", 9, "…"), "Front do…");
        assert_eq!(cut("Front door", 7, "…"), "Front…");
        assert_eq!(cut("東京東京", 6, "…"), "東京…");
        assert_eq!(cut("Front door", 6, ".."), "Fron..");
    }
}
