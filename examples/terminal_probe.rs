//! The terminal half alone, for the tests in ptys: one sensor that `1` toggles, and ticks that a file can
//! follow.
//!
//! `terminal_probe [FILE [linger | panic-after-hang-up | mouse]]`, or, without a terminal, `terminal_probe
//! FILE panic`
//!
//! `q` quits, `b` makes the picture big and different with each tick. Panics: `p` in a thread that was
//! started as all are, `d` in the one that draws, `f` in one that was called by a library in another
//! language, `P` in the main one. Worse ends: `a` aborts, `m` wants more memory than there is, `o` more
//! stack.

use std::env;
use std::fs::File;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use crossbeam_channel::{Receiver, select, tick, unbounded};
use dualboard::system::threads;
use dualboard::terminal::input::Input;
use dualboard::terminal::keys::{KeyCode, KeyModifiers, Keys};
use dualboard::terminal::painter::Painter;
use dualboard::terminal::signals::{self, Signals};
use dualboard::terminal::{Terminal, panic};
use ratatui::layout::Size;
use ratatui::style::{Color, Style};
use ratatui::text::Line;

#[derive(Clone, Default, PartialEq)]
struct ProbePicture {
    sensor_ok: bool,
    key: String,
    ticks: u64,
    big: bool,
    bad: bool,
}

fn draw(picture: &ProbePicture, size: Size) -> Vec<Line<'static>> {
    assert!(!picture.bad, "painter went wrong");
    let state = if picture.sensor_ok { "OK" } else { "KO" };
    let style = Style::new().fg(if picture.sensor_ok {
        Color::Green
    } else {
        Color::Red
    });
    let mut rows = vec![
        Line::styled(format!("Sensor 1  {state}  CONFIRMED"), style),
        Line::raw(format!("size {}x{}", size.width, size.height)),
        Line::raw(format!("last key {}", picture.key)),
        Line::raw("hidden: a\u{202e}b\u{200b}c\u{1b}[31md"),
    ];
    if picture.big {
        rows.push(Line::raw(picture.ticks.to_string()));
        // No cell of these is as it was a tick before.
        let fill = (picture.ticks % 10).to_string().repeat(usize::from(size.width));
        rows.extend((5..size.height).map(|_| Line::raw(fill.clone())));
    }
    rows
}

/// As the MQTT library's threads call: no panic gets past the border between the languages.
extern "C" fn foreign() {
    panic!("callback went wrong");
}

#[expect(unconditional_recursion, reason = "to see what becomes of the terminal")]
fn overflow(depth: u64) {
    let room = std::hint::black_box([depth; 64]);
    overflow(room[63] + 1);
    std::hint::black_box(room);
}

/// What a program without a screen does.
fn without_terminal() -> ExitCode {
    let (inputs_in, inputs) = unbounded();
    panic::install_hook(None, inputs_in);
    threads::spawn("worker", || panic!("worker went wrong"));
    match inputs.recv() {
        Ok(Input::Panicked) => ExitCode::from(panic::EXIT_STATUS),
        _ => ExitCode::FAILURE,
    }
}

fn main() -> ExitCode {
    let heartbeat = env::args()
        .nth(1)
        .and_then(|path| File::options().create(true).append(true).open(path).ok());
    let after_hang_up = env::args().nth(2);
    let terminal = match Terminal::open_with(after_hang_up.as_deref() == Some("mouse")) {
        Ok(terminal) => terminal,
        Err(error) => {
            println!("plain: {error}");
            if after_hang_up.as_deref() == Some("panic") {
                return without_terminal();
            }
            return ExitCode::SUCCESS;
        }
    };
    let (inputs_in, inputs) = unbounded();
    panic::install_hook(Some(&terminal), inputs_in.clone());
    let ended = Signals::listen(inputs_in.clone()).and_then(|_signals| {
        terminal.enter()?;
        let _keys = Keys::listen(&terminal, inputs_in.clone())?;
        let mut painter = Painter::start(&terminal, draw)?;
        Ok(run(
            &terminal,
            &mut painter,
            &inputs,
            heartbeat,
            after_hang_up.as_deref(),
        ))
    });
    terminal.restore();
    let status = ended.unwrap_or(1);
    ExitCode::from(if panic::panicked() {
        panic::EXIT_STATUS
    } else {
        status
    })
}

fn run(
    terminal: &Terminal,
    painter: &mut Painter<ProbePicture>,
    inputs: &Receiver<Input>,
    mut heartbeat: Option<File>,
    after_hang_up: Option<&str>,
) -> u8 {
    let mut picture = ProbePicture::default();
    let ticks = tick(Duration::from_millis(5));
    painter.show(picture.clone());
    loop {
        select! {
            recv(inputs) -> input => match input.expect("the senders live as long as the loop") {
                Input::Key(key) => match key.code {
                    KeyCode::Char('q') => return 0,
                    KeyCode::Char('c') if key.modifiers == KeyModifiers::CONTROL => return 0,
                    KeyCode::Char('p') => threads::spawn("worker", || panic!("worker went wrong")),
                    KeyCode::Char('d') => picture.bad = true,
                    KeyCode::Char('f') => threads::spawn("foreign", || foreign()),
                    KeyCode::Char('P') => panic!("main went wrong"),
                    KeyCode::Char('a') => std::process::abort(),
                    KeyCode::Char('m') => drop(vec![1_u8; usize::MAX / 4]),
                    KeyCode::Char('o') => overflow(0),
                    KeyCode::Char('b') => picture.big = true,
                    KeyCode::Char('1') => picture.sensor_ok = !picture.sensor_ok,
                    code => picture.key = format!("{code:?}"),
                },
                Input::Click(column, line) => picture.key = format!("click {column} {line}"),
                Input::Resized => painter.redraw(),
                Input::Continued => {
                    if terminal.enter().is_err() {
                        return signals::hang_up_status();
                    }
                    painter.redraw();
                }
                Input::Suspend => drop(terminal.suspend()),
                Input::Terminate(signal) => return signals::exit_status(signal),
                Input::HungUp if after_hang_up == Some("linger") => {}
                Input::HungUp if after_hang_up == Some("panic-after-hang-up") => panic!("on a dead terminal"),
                Input::HungUp => return signals::hang_up_status(),
                Input::Panicked => return panic::EXIT_STATUS,
                Input::ReopenLog => "USR1".clone_into(&mut picture.key),
                Input::Printed | Input::AlarmCommand => {}
            },
            recv(ticks) -> _ => {
                picture.ticks += 1;
                if let Some(file) = &mut heartbeat {
                    let _ = file.write_all(b".");
                }
            }
        }
        // Unchanged most of the time: it is the painter's part to send nothing then.
        painter.show(picture.clone());
    }
}
