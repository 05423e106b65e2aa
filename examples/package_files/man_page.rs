//! A man page: what the types of the command line say, and what else people look for in one.
#![allow(clippy::disallowed_methods, reason = "the date that is on it")]

use std::io::{self, Write};

use clap::{ArgAction, Command};
use clap_mangen::Man;
use jiff::Timestamp;

/// How long a line of the source is at most.
const WIDTH: usize = 78;

/// A key, a file or a variable, and what it is for.
type Item = (&'static str, &'static str);

const TOGGLE_CARD1: Item = ("1, 2, 3", "toggles the sensor.");
const TOGGLE_CARD2: Item = ("4, 5, 6", "toggles the sensor.");
const KEYS_OF_MONITOR: [Item; 3] = [
    (
        "l",
        "locks and unlocks toggling, against an accidental key in an unattended terminal.",
    ),
    ("p", "publishes the present state again."),
    (
        "o",
        "on another screen of a monitor that has ended: runs the monitor here. It takes the right to write in the state folder.",
    ),
];
const KEYS_OF_ALL: [Item; 10] = [
    (
        "a",
        "acknowledges the alarms that are on the screen: those of sensors for all screens of both boards. The banner and the marks of what is new go.",
    ),
    ("s", "silences the bell until the next alarm; the banner stays."),
    (
        "t",
        "tests colours, signs, bell and desktop notification, marked as a TEST. Any key ends it, or 10 s.",
    ),
    (
        "Up, Down",
        "scroll the events by a line; the help, while it is open.",
    ),
    ("PgUp, PgDn", "the same by a page."),
    ("Home, End", "the newest event, the oldest one."),
    ("?", "opens and closes the help, with every key and word."),
    ("Esc", "closes the help."),
    (
        "q, Ctrl-C",
        "closes the help if it is open; otherwise quits. On another screen of a monitor it quits that screen only.",
    ),
    ("Ctrl-Z", "back to the shell; fg goes on."),
];

const ENVIRONMENT_OF_MONITOR: [Item; 3] = [
    (
        "STATE_DIRECTORY, XDG_STATE_HOME, HOME",
        "The first that is set says where the state folder is, unless --state-dir does.",
    ),
    (
        "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
        "Set by systemd for --service: where and how often to say that it runs.",
    ),
    (
        "JOURNAL_STREAM",
        "Set by systemd for --service: whether stderr is the journal, which takes levels and no times.",
    ),
];
const ENVIRONMENT_OF_ALL: [Item; 4] = [
    (
        "TERM",
        "With dumb, or without this variable, lines are printed instead of a screen.",
    ),
    ("NO_COLOR", "If it is not empty, there are no colours."),
    (
        "LC_ALL, LC_CTYPE, LANG",
        "The first that is set names the character set. If that is not UTF-8, symbols are ASCII.",
    ),
    ("TZ", "The time zone of the times on the screen."),
];

const SETTINGS: [Item; 2] = [
    (
        "/etc/dualboard/board.env",
        "Settings of all programs of this board, one DUALBOARD_NAME=value a line. DUALBOARD_SETTINGS names another folder.",
    ),
    (
        "/etc/dualboard/PROGRAM.env",
        "Settings of one program, such as card1_monitor.env; they win over those of the board.",
    ),
];
const FILES_OF_CARD1: [Item; 3] = [
    ("~/.local/state/dualboard/card1.state", STATE),
    ("~/.local/state/dualboard/card1.lock", LOCK),
    ("~/.local/state/dualboard/card1.socket", SOCKET),
];
const FILES_OF_CARD2: [Item; 3] = [
    ("~/.local/state/dualboard/card2.state", STATE),
    ("~/.local/state/dualboard/card2.lock", LOCK),
    ("~/.local/state/dualboard/card2.socket", SOCKET),
];
const STATE: &str = "The states of all six sensors, written at each toggle. Another folder: --state-dir.";
const LOCK: &str = "Held by the owner of the card, of which there is one; says which process that is.";
const SOCKET: &str = "Where the owner's other screens attach: for its user, its group and root.";
const FILES_OF_DISPLAY: [Item; 1] = [(
    "/etc/localtime",
    "The time zone, if TZ does not name one. The display has no file of its own but --log-file.",
)];

const SEE_ALSO_OF_MONITOR: &str = "mosquitto_pub (1), systemd.service (5), journalctl (1), ";
const SEE_ALSO: &str = "mosquitto (8), mosquitto.conf (5), mosquitto_sub (1), tmux (1)";

/// Writes one.
pub(super) fn write(program: &Command, file: &mut impl Write) -> io::Result<()> {
    let mut page = Vec::new();
    sections(program, &mut page)?;
    file.write_all(tidy(&String::from_utf8_lossy(&page)).as_bytes())
}

fn sections(program: &Command, file: &mut impl Write) -> io::Result<()> {
    let name = program.get_name();
    let is_monitor = name.ends_with("_monitor");
    let (toggle, files): (Vec<Item>, &[Item]) = match name {
        "card1_monitor" => (vec![TOGGLE_CARD1], &FILES_OF_CARD1),
        "card2_monitor" => (vec![TOGGLE_CARD2], &FILES_OF_CARD2),
        _ => (Vec::new(), &FILES_OF_DISPLAY),
    };
    let of_monitor = |items: [Item; 3]| items.into_iter().filter(move |_| is_monitor);
    let keys = toggle.into_iter().chain(of_monitor(KEYS_OF_MONITOR));
    let help = Help::of(program);
    let man = Man::new(program.clone());
    let version = program.get_version().unwrap_or_default();
    writeln!(
        file,
        ".TH {} 1 {} \"dualboard {version}\" \"User Commands\"",
        name.to_uppercase(),
        date()
    )?;
    man.render_name_section(file)?;
    // An option is not cut in two at the end of a line, and its words are not drawn apart.
    writeln!(file, ".SH SYNOPSIS\n.nh\n.ad l\n{}\n.ad\n.hy", synopsis(program))?;
    man.render_description_section(file)?;
    let mut options = Vec::new();
    man.render_options_section(&mut options)?;
    // The headings among the options are parts of their section.
    let options = String::from_utf8_lossy(&options).replace("\n.SH ", "\n.SS ");
    write!(file, "{}", options.replacen(".SS OPTIONS", ".SH OPTIONS", 1))?;
    writeln!(file, ".SH KEYS")?;
    items(file, keys.chain(KEYS_OF_ALL))?;
    writeln!(file, ".SH EXIT STATUS")?;
    text(file, &help.exit_status)?;
    writeln!(file, ".SH ENVIRONMENT")?;
    text(file, &help.environment)?;
    items(file, of_monitor(ENVIRONMENT_OF_MONITOR).chain(ENVIRONMENT_OF_ALL))?;
    writeln!(file, ".SH FILES")?;
    items(file, SETTINGS.into_iter().chain(files.iter().copied()))?;
    // Line by line, as they were written.
    writeln!(file, ".SH EXAMPLES\n.nf")?;
    text(file, &help.examples)?;
    writeln!(file, ".fi\n.SH SEE ALSO")?;
    let others = super::programs()
        .into_iter()
        .filter(|other| other.get_name() != name);
    for other in others {
        writeln!(file, "{},", page(&format!("{} (1)", other.get_name())))?;
    }
    let more = if is_monitor { SEE_ALSO_OF_MONITOR } else { "" };
    let pages: Vec<String> = format!("{more}{SEE_ALSO}").split(", ").map(page).collect();
    writeln!(file, "{}", pages.join(",\n"))
}

/// The day on which it was made, or which `SOURCE_DATE_EPOCH` names, for packages that are to be made again
/// bit by bit.
fn date() -> String {
    let named = std::env::var("SOURCE_DATE_EPOCH").ok();
    let named = named
        .and_then(|seconds| seconds.parse().ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    let moment = named.unwrap_or_else(Timestamp::now);
    moment.strftime("%Y-%m-%d").to_string()
}

/// In the form that `mandoc -Tlint` asks for: short lines, no blanks at their ends, and no line break beside
/// an empty line.
fn tidy(page: &str) -> String {
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    let is_space = |line: Option<&&str>| line.is_some_and(|line| line.is_empty() || line.starts_with(".sp"));
    let (mut tidy, mut as_written) = (String::new(), false);
    for (place, line) in lines.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| lines.get(place));
        match *line {
            ".br" if is_space(before) || is_space(lines.get(place + 1)) => continue,
            ".nf" => as_written = true,
            ".fi" => as_written = false,
            _ => {}
        }
        let mut width = 0;
        for word in line.split_inclusive(' ') {
            if width + word.trim_end().len() > WIDTH && width > 0 && !as_written && !line.starts_with('.') {
                // What does not show keeps a word from being a command.
                tidy = tidy.trim_end().to_owned() + "\n\\&";
                width = 2;
            }
            tidy += word;
            width += word.len();
        }
        tidy.push('\n');
    }
    tidy
}

/// What stands below the options in `--help`.
#[derive(Default)]
struct Help {
    examples: Vec<String>,
    environment: Vec<String>,
    exit_status: Vec<String>,
}

impl Help {
    fn of(program: &Command) -> Self {
        let text = program.get_after_long_help().map(ToString::to_string);
        let mut help = Self::default();
        let mut keys = Vec::new();
        let mut lines = &mut keys;
        for line in text.unwrap_or_default().lines() {
            match line {
                "Examples:" => lines = &mut help.examples,
                "Environment:" => lines = &mut help.environment,
                // Here they have a list of their own.
                "Keys:" => lines = &mut keys,
                "" => {}
                _ => {
                    // What the heading says already is left out.
                    let status = line.strip_prefix("Exit status");
                    if let Some(rest) = status.and_then(|rest| rest.strip_prefix([':', ' '])) {
                        lines = &mut help.exit_status;
                        let rest = rest.trim();
                        let of = rest.strip_prefix("of ").map(|rest| format!("Of {rest}"));
                        lines.push(of.unwrap_or_else(|| rest.to_owned()));
                    } else {
                        lines.push(line.trim().to_owned());
                    }
                }
            }
        }
        help
    }
}

/// Each option with the name of its value.
fn synopsis(program: &Command) -> String {
    let mut program = program.clone();
    program.build();
    let mut words = format!("\\fB{}\\fR", escaped(program.get_name()));
    for option in program.get_arguments() {
        let names = [
            option.get_short().map(|short| format!("-{short}")),
            option.get_long().map(|long| format!("--{long}")),
        ];
        let names: Vec<String> = names
            .into_iter()
            .flatten()
            .map(|name| format!("\\fB{}\\fR", escaped(&name)))
            .collect();
        let value = option
            .get_value_names()
            .filter(|_| option.get_action().takes_values());
        let value = value
            .map(|names| format!(" \\fI{}\\fR", escaped(&names.concat())))
            .unwrap_or_default();
        let often = if matches!(option.get_action(), ArgAction::Append) {
            "..."
        } else {
            ""
        };
        // What belongs together stays on a line.
        let text = format!("[{}{value}]{often}", names.join("|")).replace(' ', "\\ ");
        words = format!("{words}\n{text}");
    }
    words
}

/// A list of words, each with what it means below it.
fn items(file: &mut impl Write, items: impl IntoIterator<Item = Item>) -> io::Result<()> {
    for (words, meaning) in items {
        let words: Vec<String> = words
            .split(", ")
            .map(|word| format!("\\fB{}\\fR", escaped(word)))
            .collect();
        writeln!(file, ".TP\n{}\n\\&{}", words.join(", "), escaped(meaning))?;
    }
    Ok(())
}

fn text(file: &mut impl Write, lines: &[String]) -> io::Result<()> {
    for line in lines {
        // What does not show keeps a dot or a quotation mark from being a command.
        writeln!(file, "\\&{}", escaped(line))?;
    }
    Ok(())
}

/// Another page, as `name (section)`.
fn page(text: &str) -> String {
    format!(".BR {}", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
