//! The machine's time zone as it is now: people set it while the programs run.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::time::Mono;

/// How often it is looked whether it has changed.
const PAUSE: Duration = Duration::from_secs(30);

/// The zone in which times are told. `TimeZone::system` looks again after five minutes only.
#[derive(Debug)]
pub(crate) struct Zone {
    /// What was read last.
    last: TimeZone,
    /// Where the machine's zone stands; `None` if the environment says which one it is.
    file: Option<PathBuf>,
    content: Vec<u8>,
    look_at: Mono,
}

impl Zone {
    #[expect(
        clippy::disallowed_methods,
        reason = "the system's setting, not the program's"
    )]
    pub(crate) fn of_machine() -> Self {
        let file = std::env::var_os("TZ").is_none().then(|| "/etc/localtime".into());
        Self::new(TimeZone::system(), file)
    }

    fn new(zone: TimeZone, file: Option<PathBuf>) -> Self {
        let mut made = Self {
            last: zone,
            file,
            content: Vec::new(),
            look_at: Mono::ZERO,
        };
        made.content = made.read().unwrap_or_default();
        made
    }

    /// The zone at this moment. What cannot be read changes nothing.
    pub(crate) fn at(&mut self, now: Mono) -> TimeZone {
        if self.look_at <= now {
            self.look_at = now.after(PAUSE);
            if let Some(content) = self.read().filter(|content| *content != self.content)
                && let Ok(zone) = TimeZone::tzif("local", &content)
            {
                (self.last, self.content) = (zone, content);
            }
        }
        self.last.clone()
    }

    fn read(&self) -> Option<Vec<u8>> {
        std::fs::read(self.file.as_ref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of `tzfile(5)` for a zone so many hours east of Greenwich all the year.
    fn east(hours: i32) -> Vec<u8> {
        let mut block = b"TZif2".to_vec();
        block.extend([0; 15]);
        block.extend([0, 0, 0, 0, 1, 4].into_iter().flat_map(u32::to_be_bytes));
        block.extend((hours * 3_600).to_be_bytes());
        block.extend(b"\0\0LMT\0");
        [block.clone(), block, format!("\n<EST>-{hours}\n").into_bytes()].concat()
    }

    fn hours(zone: &TimeZone) -> i32 {
        zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds() / 3_600
    }

    #[test]
    fn a_zone_that_is_set_meanwhile_is_told_within_a_minute() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), east(1)).expect("writing it");
        let mut zone = Zone::new(TimeZone::UTC, Some(file.path().to_owned()));
        let start = Mono::from_start(Duration::from_secs(100));
        assert_eq!(hours(&zone.at(start)), 0, "nothing has changed yet");
        for (hour, content) in [(9, east(9)), (9, b"no zone".to_vec()), (2, east(2))] {
            std::fs::write(file.path(), content).expect("writing it");
            zone.look_at = start;
            assert_eq!(hours(&zone.at(start)), hour);
        }
        assert!(zone.look_at <= start.after(Duration::from_secs(60)));
    }

    #[test]
    fn a_name_in_the_environment_is_looked_up_in_the_systems_folder_of_zones() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("Far")).expect("a folder in it");
        std::fs::write(folder.path().join("Far/East"), east(9)).expect("writing it");
        let system = jiff::tz::TimeZoneDatabase::from_dir(folder.path()).expect("a folder of zones");
        assert_eq!(hours(&system.get("Far/East").expect("it is there")), 9);
    }

    #[test]
    fn where_the_environment_names_the_zone_no_file_is_asked() {
        let mut zone = Zone::new(TimeZone::UTC, None);
        assert_eq!(hours(&zone.at(Mono::ZERO)), 0);
    }
}
