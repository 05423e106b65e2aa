//! 10,000 messages a second: how old is what is shown, and what it costs.

use std::time::Duration;

use crate::aims::Aims;
use crate::amounts::Amounts;
use crate::burst;
use crate::flood::RATE;
use crate::page::Page;
use crate::plot::Plot;
use crate::process::cost_cells;
use crate::support::figures::milliseconds;
use crate::takers::{Taken, our_flood, python_flood, tool_flood};
use crate::times::{ms, ratio, thousands, two_digits};

pub fn measure(page: &mut Page, aims: &mut Aims, amounts: &Amounts) {
    page.heading("Load");
    burst::measure(page, amounts.burst);
    let mut ages = Vec::new();
    for topic in ["sensors/all", "sensors/card1"] {
        floods(page, aims, amounts, topic, &mut ages);
    }
    page.plot(
        "load",
        &Plot {
            title: "Age of what is shown while 10,000 messages a second come",
            x: "s since the first message",
            y: "ms",
            log_x: false,
            log_y: true,
            curves: ages,
        },
    );
}

fn floods(
    page: &mut Page,
    aims: &mut Aims,
    amounts: &Amounts,
    topic: &'static str,
    ages: &mut Vec<(String, Vec<(f64, f64)>)>,
) {
    page.subheading(&format!(
        "{} messages a second on `{topic}`",
        thousands(RATE as usize)
    ));
    let (which, gone) = if topic == "sensors/all" {
        ("broker 2", "card 2")
    } else {
        ("broker 1", "card 1")
    };
    page.say(&format!(
        "A sender at {which} stands for the owner of {gone}, which has ended: each message is its next report, in which one sensor is toggled, with QoS 0 and retained. A name in it says when it was sent, so the age of what a screen shows can be \
         read from it, every 20 ms. The last message has QoS 2. Unlike an owner the sender answers no heartbeat, so what a broker loses is not said again. The programs take it for {} s, each peer for {} s in their place: `mosquitto_sub` prints each message of this topic at broker 2; the plain Python display prints a line for each{}.",
        amounts.flood.as_secs(),
        amounts.peer_flood.as_secs(),
        if topic == "sensors/all" { "" } else { " that its card 2 has joined" },
    ));
    page.progress(&format!("a flood on {topic}"));
    let ours = our_flood(topic, amounts.flood);
    page.progress("the same at the peers");
    let all = [
        ours,
        tool_flood(topic, amounts.peer_flood),
        python_flood(topic, amounts.peer_flood),
    ];
    let base = (middle_age(&all[1]), all[1].last.as_ref().ok().copied());
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|taken| taken.row(base, all[1].costs[0].each))
        .collect();
    page.table(
        &[
            "",
            "sent a second",
            "age, median",
            "ratio",
            "age, p99",
            "oldest",
            "last state right everywhere after (times `mosquitto_sub`)",
            "processor time a message (times `mosquitto_sub`)",
            "resident before → half way → after",
        ],
        &rows,
    );
    note_aims(aims, topic, &all[0]);
    for taken in all {
        let curve = taken.ages.iter().step_by(taken.ages.len().div_ceil(300).max(1));
        let curve = curve
            .map(|(at, age)| (at.as_secs_f64(), milliseconds(*age).max(0.5)))
            .collect();
        ages.push((format!("{topic}: {}", taken.name.replace('`', "")), curve));
    }
}

fn note_aims(aims: &mut Aims, topic: &str, ours: &Taken) {
    let programs = ours.costs.iter().filter(|cost| !cost.name.starts_with("broker"));
    for program in programs {
        let half = program.half.unwrap_or(program.before);
        let name = program.name;
        aims.at_most(
            &format!("10,000 a second on `{topic}`: memory of {name} grows in the second half"),
            (program.after - half).max(0.0),
            0.2,
            " MB",
        );
    }
    // Who falls behind shows older and older states.
    let quarter = |which: usize| {
        let length = ours.ages.len() / 4;
        let mut ages: Vec<Duration> = ours.ages[which * length..][..length]
            .iter()
            .map(|(_, age)| *age)
            .collect();
        ages.sort_unstable();
        ages.get(length / 2).map_or(1.0, Duration::as_secs_f64).max(0.001)
    };
    aims.at_most(
        &format!("10,000 a second on `{topic}`: age of what the display shows, last quarter of the time"),
        quarter(3) / quarter(1),
        1.5,
        " × that of the second quarter",
    );
    aims.holds(
        &format!("10,000 a second on `{topic}`: last state right everywhere"),
        match &ours.last {
            Ok(_) => "yes",
            Err(places) => places,
        },
        ours.last.is_ok(),
    );
}

fn sorted_ages(taken: &Taken) -> Vec<Duration> {
    let mut ages: Vec<Duration> = taken.ages.iter().map(|(_, age)| *age).collect();
    ages.sort_unstable();
    ages
}

fn middle_age(taken: &Taken) -> Duration {
    let ages = sorted_ages(taken);
    ages.get(ages.len() / 2)
        .copied()
        .unwrap_or_default()
        .max(Duration::from_millis(1))
}

impl Taken {
    fn row(&self, base: (Duration, Option<Duration>), tool: Duration) -> Vec<String> {
        let ages = sorted_ages(self);
        let part = |hundredths: usize| {
            ages.get((ages.len() * hundredths / 100).min(ages.len().saturating_sub(1)))
                .map_or_else(String::new, |age| ms(*age))
        };
        let [used, memory] = cost_cells(&self.costs, tool);
        vec![
            self.name.to_owned(),
            format!("{:.0}", self.rate),
            part(50),
            two_digits(middle_age(self).as_secs_f64() / base.0.as_secs_f64()),
            part(99),
            part(100),
            match (&self.last, base.1) {
                (Ok(last), Some(base)) => format!("{} ({})", ms(*last), ratio(*last, base)),
                (Ok(last), None) => ms(*last),
                (Err(places), _) => format!("**not within 30 s: {places}**"),
            },
            used,
            memory,
        ]
    }
}
