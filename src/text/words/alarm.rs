//! What is said of alarms.

use super::{Times, numbered, sensor as called, state};
use crate::alarms::{Alarm, Alarms, Subject};
use crate::machine::Freshness;
use crate::names::Names;
use crate::sensor::{Card, SensorSet, State};
use crate::view::View;

/// The alarms that nobody has acknowledged: the newest of those that last, how many more of them there are,
/// and how many are over. The full text, then shorter ones. Nothing if there is none.
#[must_use]
pub fn alarms(view: &View, alarms: &Alarms, times: &Times) -> Vec<String> {
    let open: Vec<_> = alarms.open().copied().collect();
    let lasting: Vec<_> = open
        .iter()
        .filter_map(|alarm| lasts(view, &open, *alarm))
        .collect();
    match (lasting.first(), open.first()) {
        (Some(newest), _) => {
            let told = of_both_boards(view, &lasting, *newest);
            let all = lasting.iter().map(|alarm| alarm.subject.number()).sum();
            // What is named lasts; every other time that something raised an alarm is over.
            let over = alarms.raised().saturating_sub(all);
            let more = all.saturating_sub(told.number);
            let first = alarms.first().filter(|first| !told.includes(first));
            let first = first.map(|first| of_both_boards(view, &open, *first));
            last(&told, (more, over), first.as_ref(), times)
        }
        (None, Some(newest)) => {
            let told = of_both_boards(view, &open, *newest);
            let more = alarms.raised().saturating_sub(told.number);
            all_over(view, &told, more, times)
        }
        (None, None) => Vec::new(),
    }
}

/// The alarm, if what it tells of is so still; of the sensors that were KO at the start those that have been
/// since.
fn lasts(view: &View, all: &[Alarm], alarm: Alarm) -> Option<Alarm> {
    let is_ko = |sensor| view.state(sensor) == Some(State::Ko);
    match alarm.subject {
        Subject::Ko(sensor) => is_ko(sensor).then_some(alarm),
        Subject::Lost(card) => (view.freshness[card] != Freshness::Live).then_some(alarm),
        Subject::KoAtStart(sensors) => {
            let again = |sensor| all.iter().any(|other| other.subject == Subject::Ko(sensor));
            let still: SensorSet = sensors
                .iter()
                .filter(|sensor| is_ko(*sensor) && !again(*sensor))
                .collect();
            let subject = Subject::KoAtStart(still);
            (!still.is_empty()).then_some(Alarm { subject, ..alarm })
        }
    }
}

/// What the banner names.
struct Told {
    alarm: Alarm,
    what: String,
    /// The same with the sensors' names, if they have any.
    named: Option<String>,
    /// How many alarms that is.
    number: u64,
}

impl Told {
    /// Whether it names this one as well.
    fn includes(&self, other: &Alarm) -> bool {
        let is_loss = |alarm: &Alarm| matches!(alarm.subject, Subject::Lost(_));
        self.alarm.subject == other.subject
            || (is_loss(&self.alarm) && is_loss(other) && self.alarm.raised == other.raised)
    }
}

/// What has raised an alarm.
#[must_use]
pub fn alarm_subject(subject: Subject, names: &Names) -> String {
    match subject {
        Subject::Ko(sensor) => format!("{} KO", called(sensor, names)),
        Subject::Lost(card) => format!("board {} HELD", card.number()),
        Subject::KoAtStart(sensors) => format!("KO at start: {}", numbered(sensors, names)),
    }
}

/// An alarm, and since when it is so.
#[must_use]
pub fn alarm(alarm: &Alarm, names: &Names, times: &Times) -> String {
    format!(
        "{}{}",
        alarm_subject(alarm.subject, names),
        since_when(alarm, times)
    )
}

/// Names an alarm, and with it the other board's if both were lost in one moment: that is one thing.
fn of_both_boards(view: &View, alarms: &[Alarm], alarm: Alarm) -> Told {
    let itself = alarm.subject.number();
    let number = match alarm.subject {
        Subject::Lost(card) if is_lost_with_the_other(alarms, &alarm, card) => {
            itself + Subject::Lost(card.other()).number()
        }
        _ => itself,
    };
    let [what, named] = [&Names::default(), &view.names].map(|names| match alarm.subject {
        Subject::Lost(_) if number > itself => "boards 1 and 2 HELD".to_owned(),
        subject => alarm_subject(subject, names),
    });
    Told {
        alarm,
        named: (named != what).then_some(named),
        what,
        number,
    }
}

fn is_lost_with_the_other(alarms: &[Alarm], alarm: &Alarm, card: Card) -> bool {
    let other = Subject::Lost(card.other());
    let together = |of: &Alarm| of.subject == other && of.raised == alarm.raised;
    alarms.iter().any(together)
}

fn since_when(alarm: &Alarm, times: &Times) -> String {
    match alarm.subject {
        Subject::KoAtStart(_) => String::new(),
        Subject::Ko(_) | Subject::Lost(_) => format!(" {}", times.at(alarm.since)),
    }
}

fn last(told: &Told, (more, over): (u64, u64), first: Option<&Told>, times: &Times) -> Vec<String> {
    let (what, at) = (&told.what, since_when(&told.alarm, times));
    let part = |count: u64, text: String| if count == 0 { String::new() } else { text };
    let long = part(more, format!(", and {more} more")) + &part(over, format!("; {}", ended(over)));
    let short = part(more, format!(" +{more}")) + &part(over, format!(", {over} ended"));
    let shortest = part(more, format!(" +{more}"));
    // What came first is mostly the cause of the rest.
    let first = first.map(|first| format!("{long}; first {}{}", first.what, since_when(&first.alarm, times)));
    let rests = first.iter().chain([&long, &short]);
    // A name goes before what came first.
    let texts = told.named.iter().chain([what]);
    texts
        .flat_map(|what| rests.clone().map(move |rest| (what, rest)))
        .map(|(what, rest)| format!("{what}{at}{rest}"))
        .chain([format!("{what}{short}"), format!("{what}{shortest}")])
        .collect()
}

fn all_over(view: &View, told: &Told, more: u64, times: &Times) -> Vec<String> {
    let (what, at) = (&told.what, since_when(&told.alarm, times));
    let now = match told.alarm.subject {
        Subject::Ko(sensor) => state(view.state(sensor)),
        Subject::Lost(_) => "LIVE",
        Subject::KoAtStart(_) => "over",
    };
    let (long, short) = match more {
        0 => (String::new(), String::new()),
        more => (format!(", and {more} more ended"), format!(" +{more}")),
    };
    let named = told.named.iter();
    let named = named.flat_map(|named| [&long, &short].map(|more| format!("{named}{at}, now {now}{more}")));
    named
        .chain([
            format!("{what}{at}, now {now}{long}"),
            format!("{what}{at}, now {now}{short}"),
            format!("{what}, now {now}{short}"),
            ended(told.number + more),
        ])
        .collect()
}

fn ended(alarms: u64) -> String {
    let many = if alarms == 1 { "" } else { "s" };
    format!("{alarms} alarm{many} ended")
}
