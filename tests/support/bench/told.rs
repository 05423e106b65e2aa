//! What screens and payloads say of the sensors.

use serde_json::Value;

/// Six states as the screens say them.
pub type States = [&'static str; 6];

/// What owners without any memory start with.
pub const INITIAL: States = ["OK"; 6];

/// The words in a sensor's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorRow {
    /// `OK`, `KO` or `UNKNOWN`.
    pub state: String,
    /// `SENDING`, `SAVED`, `CONFIRMED`, `LIVE`, `HELD`, or nothing.
    pub beside: String,
    /// The time and what leads to it, such as `since 12:00:00`.
    pub time: String,
}

/// The row of a sensor, if the screen has one. Screens may show two sensors on a line.
pub fn row(screen: &str, sensor: u8) -> Option<SensorRow> {
    let name = format!("Sensor {sensor} ");
    let (_, after) = screen.split_once(&name)?;
    let line = after.lines().next()?;
    let own = line.split_once("Sensor ").map_or(line, |(own, _)| own);
    let mut words = own.split_whitespace().skip_while(|word| !is_state(word));
    Some(SensorRow {
        state: words.next()?.to_owned(),
        beside: words.next().unwrap_or_default().to_owned(),
        // Behind it may be the line of what has been.
        time: words
            .take_while(|word| !word.starts_with(['─', '▄', '?', '•', '›']))
            .collect::<Vec<_>>()
            .join(" "),
    })
}

fn is_state(word: &str) -> bool {
    ["OK", "KO", "UNKNOWN"].contains(&word)
}

/// Whether a screen shows these states, and beside each of them one of these words.
pub fn shows(screen: &str, states: States, beside: &[&str]) -> bool {
    (1..=6).zip(states).all(|(sensor, state)| {
        row(screen, sensor).is_some_and(|row| row.state == state && beside.contains(&row.beside.as_str()))
    })
}

/// Whether a payload says these states in the plain form.
pub fn says(payload: &[u8], states: States, topic: &str) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        return false;
    };
    let mut carried = match topic {
        "sensors/card1" => 1..=3,
        "sensors/card2" => 4..=6,
        _ => 1..=6,
    };
    carried
        .all(|sensor| value.get(format!("sensor_{sensor}")) == Some(&Value::Bool(states[sensor - 1] == "OK")))
}

/// A screen's text with its line breaks taken out: long lines are wrapped at spaces.
pub fn flat(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text says all of this, wherever its lines are broken.
pub fn says_all(text: &str, words: &[&str]) -> bool {
    let text = flat(text);
    words.iter().all(|words| text.contains(&flat(words)))
}

/// Asserts that.
#[track_caller]
pub fn assert_says(text: &str, words: &[&str]) {
    assert!(says_all(text, words), "not all of {words:?} in: {text}");
}

/// Whether a screen says that its program has read all that its broker had in store: what comes from now on
/// is live.
pub fn is_ready(screen: &str) -> bool {
    let text = flat(screen);
    [
        "restored",
        "no memory found anywhere",
        "nothing known of any sensor yet",
        "sensors from broker",
    ]
    .iter()
    .any(|words| text.contains(words))
}
