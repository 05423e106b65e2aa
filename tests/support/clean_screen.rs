//! What a program may send to its terminal: text that shows, and the escape sequences of its own.

/// Fails with the place where something else begins.
#[track_caller]
pub fn assert_clean(who: &str, bytes: &[u8]) {
    if let Err((at, what)) = check(bytes) {
        let around = &bytes[at.saturating_sub(60)..bytes.len().min(at + 20)];
        panic!("{who} sent {what} to its terminal: '{}'", around.escape_ascii());
    }
}

fn check(bytes: &[u8]) -> Result<(), (usize, &'static str)> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The last character may not be whole yet.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to there")
        }
        Err(error) => return Err((error.valid_up_to(), "bytes that are no text")),
    };
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if is_begun(rest) {
            break;
        }
        let at = text.len() - rest.len();
        rest = match rest.strip_prefix("\x1b[") {
            Some(sequence) => after(sequence).ok_or((at, "an escape sequence that is not its own"))?,
            None if next.is_control() => return Err((at, "a control character")),
            None if is_hidden(next) => return Err((at, "a character that hides or turns text")),
            None => &rest[next.len_utf8()..],
        };
    }
    Ok(())
}

/// Whether this is a sequence whose rest is still on the way.
fn is_begun(rest: &str) -> bool {
    let parameters = |text: &str| text.chars().all(|c| c.is_ascii_digit() || ";?".contains(c));
    rest == "\x1b" || rest.strip_prefix("\x1b[").is_some_and(parameters)
}

/// What follows one of: colours, a place, a step, part of a line, scrolling, a mode of the screen.
fn after(sequence: &str) -> Option<&str> {
    let end = sequence.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    let last = sequence[end..].chars().next()?;
    if last == '?' {
        // Synchronized output, around each frame.
        return ["?2026h", "?2026l"]
            .iter()
            .find_map(|mode| sequence.strip_prefix(mode));
    }
    "mHCGKXSTrABDdLM".contains(last).then(|| &sequence[end + 1..])
}

/// Zero width, direction, byte order, soft hyphen, tags.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    assert_eq!(check("\x1b[1;31mOK\x1b[0m → KO\x1b[12;3H".as_bytes()), Ok(()));
    for foul in [
        &b"\x07"[..],
        b"\r\n",
        b"\x1b]0;x\x07",
        b"\x1b[2J",
        b"\x1b[?1000h",
        b"\x1bc",
        b"\x1b[6n",
        b"\xff",
        "\u{9b}2J".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{200b}".as_bytes(),
    ] {
        assert!(check(foul).is_err(), "{}", foul.escape_ascii());
    }
}
