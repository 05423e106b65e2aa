//! The head of the page: how to make it anew, and on what it was made.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::amounts::Amounts;
use crate::cores::cores;
use crate::page::table;
use crate::requests;
use crate::support::mosquitto::mosquitto;
use crate::times::count;

pub fn head(amounts: &Amounts, before: &OtherWork, after: &OtherWork) -> String {
    let (command, size) = if amounts.is_quick {
        (
            "dev/bench.sh --quick",
            "**This is a quick run.** It shows that everything is measured; its figures come from few tries, and say little. `dev/bench.sh` makes the \
             full one, in about 20 minutes.",
        )
    } else {
        (
            "dev/bench.sh",
            "A quick run, `dev/bench.sh --quick`, takes about two minutes and says less.",
        )
    };
    let facts = [
        ("processor", processor()),
        ("cores for it", cores().to_string()),
        ("memory", memory()),
        ("kernel", first_line(Command::new("uname").arg("-sr"))),
        ("system", system()),
        ("compiler", first_line(Command::new("rustc").arg("--version"))),
        ("Mosquitto", version_of_mosquitto()),
        ("Python", first_line(Command::new(python()).arg("--version"))),
        ("commit", commit()),
        ("day", first_line(Command::new("date").args(["-u", "+%F"]))),
        (
            "other work",
            format!(
                "{} of all cores in a second before the run, {} after it",
                before.0, after.0
            ),
        ),
    ];
    let rows: Vec<Vec<String>> = facts
        .into_iter()
        .map(|(name, fact)| vec![name.into(), fact])
        .collect();
    format!(
        "# Performance\n\n<!-- Made by dev/bench.sh. Do not edit: the next run writes it anew. -->\n\nThis page is written by a program. To make it anew:\n\n\
         ```sh\n{command}\n```\n\n{size}\n{}\n\
         The programs are the release build, and the brokers have the project's own files and run without `-v`, as the scripts run them. All of it runs on \
         one machine, over loopback, with nothing encrypted. Each figure stands beside peers that took turns with it in the same run, so what disturbs the machine \
         disturbs both. The *ratio* says more than the time: a time is that of this machine.\n\n\
         The peers:\n\n\
         - **bare relay**: two brokers and a bridge of the same kind. A client takes each message from `sensors/card1` at broker 2 and publishes it on `sensors/all`. \
         Measured from the call that publishes to the moment at which a listener has it. No key, no disk, no screen.\n\
         - **`mosquitto_sub | mosquitto_pub`**: the same with Mosquitto's own clients as the relay.\n\
         - **plain Python**: three small programs with paho-mqtt that speak the plain form of the messages (`tests/support/plain_client.py`). A key is a line on their input, \
         a screen is a line on their output. They keep no file and have no stages.\n{}{}",
        table(&["", ""], &rows),
        mosquitto_rr(),
        mqttui(),
    )
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().ok();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = text.and_then(|text| text.lines().next().map(str::to_owned));
    line.unwrap_or_else(|| "not known".to_owned())
}

/// The value in a line of a file such as `/proc/cpuinfo`.
fn value(file: &str, key: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let value = line.map(|line| line.trim_matches([' ', '\t', ':', '=', '"']).to_owned());
    value.unwrap_or_else(|| "not known".to_owned())
}

fn processor() -> String {
    value("/proc/cpuinfo", "model name")
}

fn memory() -> String {
    let kilobytes: u64 = value("/proc/meminfo", "MemTotal")
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or(0);
    format!("{} GB", kilobytes / 1_000_000)
}

fn system() -> String {
    value("/etc/os-release", "PRETTY_NAME")
}

/// What others do on this machine, in percent of all cores.
pub struct OtherWork(String);

impl OtherWork {
    /// For a second in which nothing is measured.
    pub fn look() -> Self {
        let before = processor_ticks();
        thread::sleep(Duration::from_secs(1));
        let after = processor_ticks();
        let busy = count(after.0 - before.0) / count((after.1 - before.1).max(1));
        Self(format!("{:.0} %", 100.0 * busy))
    }
}

/// Ticks in which a core did something, and all ticks.
fn processor_ticks() -> (usize, usize) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    // user, nice, system, idle, waiting for a disk, interrupts, soft interrupts, stolen
    let ticks: Vec<usize> = first
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .take(8)
        .collect();
    let all = ticks.iter().sum();
    let idle: usize = ticks.iter().skip(3).take(2).sum();
    (all - idle, all)
}

fn version_of_mosquitto() -> String {
    first_line(mosquitto().arg("-h")).replace("mosquitto version ", "")
}

fn python() -> String {
    std::env::var("DUALBOARD_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn commit() -> String {
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(words);
        first_line(&mut command)
    };
    // The page itself is always another one than that of the commit.
    let changed = git(&["status", "--porcelain", "--", ":!docs"]);
    let mark = if changed == "not known" {
        ""
    } else {
        ", with changes"
    };
    format!("{}{mark}", git(&["rev-parse", "--short", "HEAD"]))
}

/// What is said of it on the page.
fn mosquitto_rr() -> String {
    if requests::can_measure() {
        "- **`mosquitto_rr --latency`**: its request on `sensors/card1` at broker 1 goes over the bare relay and comes back to broker 1 as `sensors/all`, so over the bridge twice, as CONFIRMED does.\n"
            .to_owned()
    } else {
        "- `mosquitto_rr --latency` is not among them: the installed version has no such option (Mosquitto 2.1 has it).\n".to_owned()
    }
}

fn mqttui() -> String {
    match Command::new("mqttui").arg("--version").output() {
        Ok(version) => format!(
            "- **{}**: shows topics and payloads of one broker. It has no keys for sensors, so only its start and its rest are measured.\n",
            String::from_utf8_lossy(&version.stdout).trim()
        ),
        Err(_) => "- mqttui is not among them: it is not installed here. Where it is, its start and its rest are measured too.\n".to_owned(),
    }
}
