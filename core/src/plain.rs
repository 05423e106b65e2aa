//! Which characters show, as what they are and where they stand.

use unicode_width::UnicodeWidthChar as _;

/// Whether a character shows: no control, no bidirectional mark, nothing of zero width. Named ranges stand
/// beside the width table, since tables of widths change with their versions.
#[must_use]
pub fn is_plain(letter: char) -> bool {
    let hides = matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    !hides && letter.width().is_some_and(|width| width > 0)
}
