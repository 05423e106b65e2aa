//! What a screen says of a sensor.

/// The words in a sensor's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `OK`, `KO` or `UNKNOWN`.
    pub state: String,
    /// `SENDING`, `SAVED`, `CONFIRMED`, `LIVE`, `HELD`, or nothing.
    pub beside: String,
    /// The time and what leads to it, such as `since 12:00:00`.
    pub time: String,
}

/// The row of a sensor, if the screen has one. Screens may show two sensors on a line.
pub fn row(screen: &str, sensor: u8) -> Option<Row> {
    let name = format!("Sensor {sensor} ");
    let (_, after) = screen.split_once(&name)?;
    let line = after.lines().next()?;
    let own = line.split_once("Sensor ").map_or(line, |(own, _)| own);
    let mut words = own.split_whitespace().skip_while(|word| !is_state(word));
    Some(Row {
        state: words.next()?.to_owned(),
        beside: words.next().unwrap_or_default().to_owned(),
        time: words.collect::<Vec<_>>().join(" "),
    })
}

fn is_state(word: &str) -> bool {
    ["OK", "KO", "UNKNOWN"].contains(&word)
}
