//! `--names`.

use crate::names::{Names, SensorName};
use crate::sensor::{Card, SensorId};
use crate::text::words;

/// What sensors are called, from `1=Front door,2=Pump`.
pub(super) fn names(text: &str) -> Result<Names, String> {
    let mut names = Names::default();
    for part in text.split(',') {
        let (sensor, name) = sensor_and_name(part).ok_or_else(|| {
            format!(
                "`{}` is not a sensor and its name; write for example 1=Front door,2=Pump (no name has a comma)",
                part.trim()
            )
        })?;
        if names.get(sensor).is_some() {
            return Err(format!("{sensor} is named twice; name it once"));
        }
        let name =
            SensorName::new(name).map_err(|why| format!("the name of {sensor} cannot be used: {why}"))?;
        names.set(sensor, Some(name));
    }
    Ok(names)
}

fn sensor_and_name(text: &str) -> Option<(SensorId, &str)> {
    let (number, name) = text.split_once('=')?;
    Some((SensorId::new(number.trim().parse().ok()?)?, name.trim()))
}

/// Why these names cannot all be given to this program, where they were typed for it.
pub(super) fn foreign(program: &str, names: &Names) -> Option<String> {
    let other = |card: Card| words::owner(card) != program;
    let (sensor, _) = names.iter().find(|(sensor, _)| other(sensor.card()))?;
    let owner = words::owner(sensor.card());
    Some(format!(
        "--names: {sensor} is not on this card; give its name to {owner} (DUALBOARD_NAMES may have all six)"
    ))
}

#[cfg(test)]
mod tests {
    use super::{foreign, names};

    fn said(text: &str) -> Vec<String> {
        let names = names(text).expect("names");
        let said = names
            .iter()
            .map(|(sensor, name)| format!("{sensor}: {}", name.as_str()));
        said.collect()
    }

    #[test]
    fn each_part_is_a_sensor_and_its_name() {
        assert_eq!(said("2=Pump"), ["sensor 2: Pump"]);
        assert_eq!(
            said(" 6 = Tür = Tor , 1=東京 "),
            ["sensor 1: 東京", "sensor 6: Tür = Tor"]
        );
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (text, word) in [
            ("", "`` is not a sensor"),
            ("Pump", "`Pump` is not a sensor"),
            ("1=Pump, old", "`old` is not a sensor"),
            ("7=Pump", "`7=Pump` is not a sensor"),
            ("1=Pump,", "`` is not a sensor"),
            ("1=a,2=b,1=c", "sensor 1 is named twice"),
            ("2= ", "sensor 2 cannot be used: it is empty"),
            ("2=a\u{202e}b", "sensor 2 cannot be used: U+202E"),
        ] {
            let why = names(text).expect_err(text);
            assert!(why.contains(word), "{why}");
        }
    }

    #[test]
    fn a_name_for_another_card_says_which_program_takes_it() {
        let own = names("1=a,3=b").expect("names");
        assert_eq!(foreign("card1_monitor", &own), None);
        let why = foreign("card2_monitor", &own).expect("not its own");
        assert!(why.contains("sensor 1") && why.contains("card1_monitor"), "{why}");
    }
}
