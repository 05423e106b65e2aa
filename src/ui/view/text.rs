//! Texts in a number of columns.

/// Breaks a text at spaces into lines of at most `width` columns; a longer word is cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let line = lines.last_mut().expect("there is always a line");
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + rest.len() <= width {
                line.extend(std::iter::repeat_n(' ', gap));
                line.extend(rest.drain(..));
            } else if used > 0 {
                lines.push(String::new());
            } else {
                line.extend(rest.drain(..width));
            }
        }
    }
    lines
}

/// A text of at most `width` columns: cut after a word, with a sign that there was more.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width.saturating_sub(2)).collect();
    let whole = cut.rfind(' ').map_or(cut.as_str(), |end| &cut[..end]);
    format!("{} ..", whole.trim_end_matches([' ', ':', ',', ';']))
}

#[cfg(test)]
mod tests {
    use super::{fit, wrap};

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
}
