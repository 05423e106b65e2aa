//! The terminal half in real ptys: whatever happens to a terminal, it is right afterwards, and the loop goes
//! on.

use std::process::Command;

use rustix::process::Signal;

use crate::support::bench::told::assert_says;
use crate::support::probe::{BeatFile, drawn, probe, running, started};
use crate::support::pty::{Pty, Start, code};

/// The shell's `kill` takes every number and name of a signal.
#[track_caller]
fn sh(command: &str) {
    let ended = Command::new("sh").args(["-c", command]).status();
    assert!(ended.expect("sh").success(), "{command}");
}

#[test]
fn q_quits_and_leaves_the_terminal_as_it_was() {
    let mut pty = started();
    assert!(pty.look(|seen| seen.screen().hide_cursor()));
    pty.send("q");
    assert_eq!(code(pty.wait_for_end()), 0);
    pty.assert_restored();
}

/// All that end a program by default, other than those after which nothing in it can go on.
const ENDING: [Signal; 14] = [
    Signal::TERM,
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::ABORT,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::XCPU,
    Signal::IO,
    Signal::POWER,
    Signal::STKFLT,
    Signal::SYS,
    Signal::TRAP,
];

#[test]
fn each_ending_signal_restores_the_terminal_and_tells_its_number() {
    for signal in ENDING {
        let mut pty = started();
        pty.signal(signal);
        let status = pty.wait_for_end();
        assert_eq!(code(status), 128 + signal.as_raw(), "{signal:?}");
        pty.assert_restored();
    }
}

#[test]
fn signals_without_a_name_end_it_in_order() {
    for number in [34, 50, 64] {
        let mut pty = started();
        let kill = format!("kill -{number} {}", pty.pid());
        sh(&kill);
        assert_eq!(code(pty.wait_for_end()), 128 + number);
        pty.assert_restored();
    }
}

#[test]
fn signals_that_people_send_by_habit_end_nothing() {
    let pty = started();
    for signal in [
        Signal::USR2,
        Signal::XFSZ,
        Signal::PIPE,
        Signal::URG,
        Signal::CHILD,
        Signal::USR1,
    ] {
        pty.signal(signal);
    }
    pty.wait_for("the last of them", |seen| seen.shows("last key USR1"));
    pty.send("1");
    pty.wait_for("the key to count", |seen| seen.shows("Sensor 1  OK"));
}

#[test]
fn whatever_kills_the_program_the_terminal_is_as_it_was() {
    let kills = [Signal::KILL, Signal::SEGV, Signal::BUS, Signal::FPE, Signal::ILL];
    for signal in kills {
        let mut pty = started();
        pty.signal(signal);
        // Rust takes the first of these for a fault, and lets the instruction that made it run again.
        if [Signal::SEGV, Signal::BUS].contains(&signal) {
            pty.send("1");
            pty.wait_for("the key to count", |seen| seen.shows("Sensor 1  OK"));
            pty.signal(signal);
        }
        assert_eq!(code(pty.wait_for_end()), -signal.as_raw());
        pty.wait_until_modes_are_back();
        pty.assert_restored();
    }
    // An abort, an allocation that is too large, a stack that is too deep: each ends in SIGABRT.
    for key in ["a", "m", "o"] {
        let mut pty = started();
        pty.send(key);
        assert_eq!(code(pty.wait_for_end()), -Signal::ABORT.as_raw(), "{key}");
        pty.wait_until_modes_are_back();
        pty.assert_restored();
    }
}

#[test]
fn killed_under_a_shell_it_leaves_the_shell_its_modes() {
    for shell in [&["dash", "-i"][..], &["bash", "--norc", "--noprofile", "-i"]] {
        let heartbeat = BeatFile::new(shell[0]);
        let pty = Start::program(shell).env("PS1", "ready> ").spawn();
        pty.wait_for("the shell", |seen| seen.shows("ready>"));
        let before = pty.modes();
        for end in ["kill -9", "kill -ILL"] {
            pty.send(format!("{} {} mouse\n", probe(), heartbeat.path()));
            drawn(&pty);
            // Not left over from an earlier time: stopped once and continued.
            let mark = pty.mark();
            pty.send("\x1a");
            pty.wait_for("the shell", |seen| {
                String::from_utf8_lossy(&seen.bytes[mark..]).contains("ready>")
            });
            pty.send("fg\n");
            drawn(&pty);
            let program = running(heartbeat.path()).expect("the program runs");
            let kill = format!("{end} {program}");
            sh(&kill);
            pty.wait_for("the ordinary screen", |seen| {
                let screen = seen.screen();
                !screen.alternate_screen()
                    && !screen.hide_cursor()
                    && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
            });
            if shell[0] == "dash" {
                // bash has modes of its own while it waits for a command.
                pty.wait_until("the shell's modes", || pty.modes() == before);
            }
            let mark = pty.mark();
            pty.send("echo still $((40 + 2))\n");
            pty.wait_for("the shell to go on", |seen| {
                String::from_utf8_lossy(&seen.bytes[mark..]).contains("still 42")
            });
        }
    }
}

#[test]
fn the_mouse_is_taken_where_it_was_asked_for_and_given_back_whatever_happens() {
    let mouse = |pty: &Pty| pty.look(|seen| seen.screen().mouse_protocol_mode());
    let heartbeat = BeatFile::new("mouse");
    for end in ["q", "p", "P", "TERM"] {
        let mut pty = Start::program([probe(), heartbeat.path(), "mouse"]).spawn();
        drawn(&pty);
        assert_ne!(mouse(&pty), vt100::MouseProtocolMode::None);
        pty.send("\x1b[<0;31;5M\x1b[<0;31;5m");
        pty.wait_for("the click", |seen| seen.shows("last key click 30 4"));
        match end {
            "TERM" => pty.signal(Signal::TERM),
            key => pty.send(key),
        }
        pty.wait_for_end();
        pty.assert_restored();
    }
    let pty = started();
    assert_eq!(mouse(&pty), vt100::MouseProtocolMode::None, "not asked for");
}

#[test]
fn a_hang_up_ends_the_program() {
    let nohup = format!("trap '' HUP; exec {}", probe());
    let starts = [
        ("SIGHUP", Start::program([probe()])),
        ("SIGHUP ignored", Start::program(["sh", "-c", &nohup])),
        ("no SIGHUP at all", Start::without_control([probe()])),
    ];
    for (name, start) in starts {
        let mut pty = start.spawn();
        drawn(&pty);
        pty.hang_up();
        let status = pty.wait_for_end();
        assert_eq!(code(status), 129, "{name}");
    }
}

#[test]
fn a_dead_terminal_costs_no_processor_time() {
    let heartbeat = BeatFile::new("dead");
    let mut pty = Start::without_control([probe(), heartbeat.path(), "linger"]).spawn();
    drawn(&pty);
    let used_in_two_seconds = |pty: &Pty| {
        let before = pty.cpu_seconds();
        heartbeat.wait_for(400, pty);
        pty.cpu_seconds() - before
    };
    let alive = used_in_two_seconds(&pty);
    pty.hang_up();
    heartbeat.wait_for(20, &pty);
    let dead = used_in_two_seconds(&pty);
    // A thread that spins takes what it gets: two seconds, or a good part of them on a busy machine.
    assert!(
        dead < 2.0 * alive + 0.3,
        "{dead} s of processor time in two seconds, {alive} s before the hang-up"
    );
}

/// One key for each kind of thread that the programs have
/// (`every_thread_of_the_programs_is_of_a_kind_whose_panic_is_tested` has the list).
#[test]
fn a_panic_in_any_kind_of_thread_restores_the_terminal_before_its_message() {
    for (key, message, status) in [
        ("p", "thread 'worker' panicked", 101),
        ("d", "painter went wrong", 101),
        ("P", "main went wrong", 101),
        // Nothing can go on behind a border that no panic may cross: SIGABRT.
        ("f", "callback went wrong", -6),
    ] {
        let mut pty = started();
        pty.send(key);
        assert_eq!(code(pty.wait_for_end()), status, "{message}");
        pty.assert_restored();
        pty.wait_for("the message on the ordinary screen", |seen| seen.shows(message));
    }
}

#[test]
fn a_panic_in_a_program_without_a_screen_is_told_and_ends_it() {
    let output = Command::new(probe()).args(["/dev/null", "panic"]).output();
    let output = output.expect("the probe");
    assert_eq!(output.status.code(), Some(101));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_says(&said, &["worker went wrong"]);
}

#[test]
fn a_panic_on_a_dead_terminal_is_only_a_panic() {
    let heartbeat = BeatFile::new("dead-panic");
    let mut pty = Start::without_control([probe(), heartbeat.path(), "panic-after-hang-up"]).spawn();
    drawn(&pty);
    pty.hang_up();
    let status = pty.wait_for_end();
    assert_eq!(code(status), 101);
}

#[test]
fn a_terminal_that_does_not_read_stops_the_painter_only() {
    let heartbeat = BeatFile::new("stalled");
    let pty = Start::program([probe(), heartbeat.path()]).size(200, 50).spawn();
    drawn(&pty);
    pty.stop_reading();
    pty.send("b");
    heartbeat.wait_for(100, &pty);
    let memory = pty.memory();
    // Each of them a picture of some 9 kB: more than 5 MB, were they kept.
    heartbeat.wait_for(600, &pty);
    let grown = pty.memory().saturating_sub(memory);
    assert!(grown < 3_000, "{grown} kB more: pictures have queued");
    let newest = heartbeat.count();
    let mark = pty.mark();
    let mut caught_up = 0;
    pty.read_again();
    pty.wait_for("the newest picture", |seen| {
        // Measured here: the picture goes on changing.
        caught_up = seen.bytes.len() - mark;
        seen.text()
            .lines()
            .nth(4)
            .and_then(|row| row.trim().parse().ok())
            .is_some_and(|ticks: u64| ticks >= newest)
    });
    assert!(
        caught_up < 1_000_000,
        "{caught_up} bytes until the newest picture: old ones have queued"
    );
}

#[test]
fn a_terminal_that_does_not_read_does_not_hold_up_the_end() {
    let heartbeat = BeatFile::new("stalled-end");
    for (signal, panics) in [(Some(Signal::TERM), false), (None, true)] {
        let mut pty = Start::program([probe(), heartbeat.path()]).size(200, 50).spawn();
        drawn(&pty);
        pty.stop_reading();
        pty.send("b");
        heartbeat.wait_for(100, &pty);
        match signal {
            Some(signal) => pty.signal(signal),
            None => pty.send("P"),
        }
        let status = pty.wait_for_end();
        assert_eq!(code(status), if panics { 101 } else { 143 });
        pty.read_again();
        pty.assert_restored();
    }
}

#[test]
fn an_unchanged_picture_is_no_bytes_and_a_changed_row_few() {
    let heartbeat = BeatFile::new("bytes");
    let pty = Start::program([probe(), heartbeat.path()]).spawn();
    drawn(&pty);
    heartbeat.wait_for(20, &pty);
    let mark = pty.mark();
    heartbeat.wait_for(200, &pty);
    assert_eq!(pty.bytes_since(mark).escape_ascii().to_string(), "");
    pty.send("1");
    pty.wait_for("the change", |seen| seen.shows("Sensor 1  OK"));
    heartbeat.wait_for(20, &pty);
    let sent = pty.bytes_since(mark);
    println!("one changed row: {} bytes, {}", sent.len(), sent.escape_ascii());
    assert!(sent.len() < 150, "{}", sent.escape_ascii());
}

#[test]
fn any_size_is_survived() {
    for (columns, rows) in [
        (0, 0),
        (1, 1),
        (20, 5),
        (40, 10),
        (80, 24),
        (500, 200),
        (1, 200),
        (500, 1),
    ] {
        let mut pty = Start::program([probe()]).size(columns, rows).spawn();
        pty.wait_for("a screen", |seen| {
            seen.screen().alternate_screen() && seen.text().starts_with('S')
        });
        pty.resize(0, 0);
        pty.resize(1, 1);
        pty.resize(80, 24);
        pty.wait_for("the size", |seen| seen.shows("size 80x24"));
        pty.send("q");
        assert_eq!(code(pty.wait_for_end()), 0, "{columns}x{rows}");
    }
}

#[test]
fn a_storm_of_resizes_ends_with_the_last_size() {
    let heartbeat = BeatFile::new("storm");
    let pty = Start::program([probe(), heartbeat.path()]).spawn();
    drawn(&pty);
    for step in 0..2000_u16 {
        pty.resize(step % 90 + 1, step % 30);
    }
    pty.resize(77, 21);
    pty.wait_for("the last size", |seen| seen.shows("size 77x21"));
    heartbeat.wait_for(20, &pty);
    assert!(pty.look(|seen| seen.shows("Sensor 1  KO  CONFIRMED")));
}

#[test]
fn keys_come_from_the_terminal_when_stdin_is_none() {
    for redirection in ["</dev/null", "<&-", "</etc/passwd"] {
        let mut pty = Start::program(["sh", "-c", &format!("exec {} {redirection}", probe())]).spawn();
        drawn(&pty);
        pty.send("\x1b[A");
        pty.wait_for("the arrow key", |seen| seen.shows("last key Up"));
        pty.send("q");
        assert_eq!(code(pty.wait_for_end()), 0);
        pty.assert_restored();
    }
}

#[test]
fn an_escape_alone_is_a_key_and_pasted_digits_are_none() {
    let pty = started();
    pty.send("\x1b");
    pty.wait_for("the escape key", |seen| seen.shows("last key Esc"));
    assert!(
        pty.look(|seen| seen.screen().bracketed_paste()),
        "the terminal was not asked to mark what is pasted"
    );
    pty.send("\x1b[200~111q\x1b[201~x");
    pty.wait_for("the key after the paste", |seen| seen.shows("last key Char('x')"));
    assert!(pty.look(|seen| seen.shows("Sensor 1  KO")));
}

#[test]
fn what_hides_in_text_does_not_reach_the_terminal() {
    let pty = started();
    pty.wait_for("the text", |seen| seen.shows("hidden: "));
    let text = pty.look(|seen| String::from_utf8_lossy(&seen.bytes).into_owned());
    assert!(
        !text.contains(['\u{202e}', '\u{200b}']) && !text.contains("c\x1b[31md"),
        "{text:?}"
    );
}

#[test]
fn without_a_terminal_nothing_is_entered() {
    let output = Command::new(probe()).output().expect("the probe");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "plain: stdout is no terminal\n"
    );
}
