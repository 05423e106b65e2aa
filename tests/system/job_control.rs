//! Ctrl-Z, `fg`, `bg`, and stops from outside, under real shells.

use rustix::process::Signal;

use crate::support::probe::{BeatFile, drawn, probe, running, started, state};
use crate::support::pty::{PtyOutput, Start, code};

#[test]
fn ctrl_z_and_fg_a_hundred_times() {
    let mut pty = Start::program(["dash", "-i"]).env("PS1", "ready> ").spawn();
    pty.wait_for("the shell", |seen| seen.shows("ready>"));
    let before = pty.modes();
    // With the mouse, which is one more thing to give back each time.
    let heartbeat = BeatFile::new("fg");
    pty.send(format!("{} {} mouse\n", probe(), heartbeat.path()));
    let mouse = |seen: &PtyOutput| seen.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None;
    for round in 0..100 {
        drawn(&pty);
        pty.wait_for("the mouse", mouse);
        let mark = pty.mark();
        pty.send("\x1a");
        pty.wait_for(&format!("the shell, round {round}"), |seen| {
            let new = String::from_utf8_lossy(&seen.bytes[mark..]).into_owned();
            let given_back = !seen.screen().alternate_screen() && !seen.screen().hide_cursor();
            given_back && !mouse(seen) && new.contains("ready>")
        });
        assert_eq!(pty.modes(), before, "round {round}");
        pty.send("fg\n");
    }
    drawn(&pty);
    pty.send("1");
    pty.wait_for("the key to count", |seen| seen.shows("Sensor 1  OK"));
    pty.send("q");
    pty.wait_for("the shell", |seen| !seen.screen().alternate_screen());
    pty.send("exit $?\n");
    assert_eq!(code(pty.wait_for_end()), 0);
}

#[test]
fn ctrl_z_under_a_wrapper_script_and_bash() {
    let script = format!("sh -c '{}; echo over'\n", probe());
    let mut pty = Start::program(["bash", "--norc", "--noprofile", "-i"])
        .env("PS1", "ready> ")
        .spawn();
    pty.wait_for("the shell", |seen| seen.shows("ready>"));
    pty.send(script);
    for _ in 0..3 {
        drawn(&pty);
        let mark = pty.mark();
        pty.send("\x1a");
        pty.wait_for("the shell", |seen| {
            seen.bytes[mark..].windows(6).any(|bytes| bytes == b"ready>")
        });
        pty.send("fg\n");
    }
    drawn(&pty);
    pty.send("q");
    pty.wait_for("the wrapper's next line", |seen| seen.shows("over"));
    pty.send("exit 7\n");
    assert_eq!(code(pty.wait_for_end()), 7);
}

#[test]
fn in_the_background_it_waits_for_fg() {
    let pty = Start::program(["dash", "-i"]).env("PS1", "ready> ").spawn();
    let stopped = |start: &str| {
        pty.wait_for("the shell", |seen| seen.shows("ready>"));
        let mark = pty.mark();
        pty.send(start);
        let mut asked = 0;
        pty.wait_for("the program to be stopped for its use of the terminal", |seen| {
            let new = String::from_utf8_lossy(&seen.bytes[mark..]);
            // One question a prompt.
            if new.matches("ready>").count() > asked {
                asked += 1;
                pty.send("jobs\n");
            }
            new.contains("Stopped (tty ")
        });
        assert!(!pty.look(|seen| seen.screen().alternate_screen()));
        pty.send("fg\n");
        drawn(&pty);
    };
    stopped(&format!("{} &\n", probe()));
    let mark = pty.mark();
    pty.send("\x1a");
    // Not before: until it has stopped, the program reads what is typed.
    pty.wait_until("the shell to be back", || {
        String::from_utf8_lossy(&pty.bytes_since(mark)).contains("ready>")
    });
    stopped("bg\n");
    pty.send("1");
    pty.wait_for("the key to count", |seen| seen.shows("Sensor 1  OK"));
}

#[test]
fn a_hang_up_while_suspended_ends_the_program() {
    let heartbeat = BeatFile::new("suspended");
    let mut pty = Start::program(["dash", "-i"]).env("PS1", "ready> ").spawn();
    pty.wait_for("the shell", |seen| seen.shows("ready>"));
    pty.send(format!("{} {}\n", probe(), heartbeat.path()));
    drawn(&pty);
    let program = running(heartbeat.path()).expect("the program runs");
    pty.send("\x1a");
    pty.wait_for("the shell", |seen| !seen.screen().alternate_screen());
    pty.wait_until("the stop", || state(program) == Some('T'));
    pty.hang_up();
    pty.wait_until("the end of the program", || running(heartbeat.path()).is_none());
}

#[test]
fn ctrl_z_without_a_shell_does_not_freeze_the_program() {
    let pty = started();
    pty.send("\x1a");
    pty.signal(Signal::TSTP);
    pty.send("1");
    pty.wait_for("the key to count", |seen| seen.shows("Sensor 1  OK"));
    assert!(pty.look(|seen| seen.screen().alternate_screen()));
}

#[test]
fn a_stop_from_outside_is_followed_by_a_full_redraw() {
    let pty = started();
    let raw = pty.modes();
    for _ in 0..10 {
        let mark = pty.mark();
        pty.signal(Signal::STOP);
        pty.signal(Signal::CONT);
        pty.wait_for("the picture, drawn afresh", |seen| {
            let new = String::from_utf8_lossy(&seen.bytes[mark..]).into_owned();
            new.find("\x1b[2J")
                .is_some_and(|at| new[at..].contains("Sensor 1"))
        });
        assert_eq!(pty.modes(), raw);
    }
}
