//! `--set` and `--toggle` while something goes wrong: what they say and their exit status are true all the
//! same.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Display};
use crate::support::bench::process::assert_ended;
use crate::support::bench::process::{PipedProgram, act, command, run};
use crate::support::bench::told::{assert_says, says_all};
use crate::support::bench::{Bench, INITIAL, binary};

const ONE_KO: [&str; 6] = ["KO", "OK", "OK", "OK", "OK", "OK"];

/// With time enough for whatever a test does meanwhile.
const TOGGLE: [&str; 4] = ["--toggle", "1", "--timeout", "60"];

/// Started, and not waited for.
fn begin(bench: &Bench, arguments: &[&str]) -> PipedProgram {
    PipedProgram::start(&mut command(bench, Card1, arguments))
}

/// A toggle that its process did itself, and that waits for board 2 with the link cut.
fn waiting_alone(bench: &mut Bench) -> PipedProgram {
    cut(bench);
    bench.end(Card1, Signal::TERM);
    let own = begin(bench, &TOGGLE);
    wait_file(bench, "\"sensor_1\":false");
    bench.wait_holds(Broker1, "sensors/card1", ONE_KO);
    own
}

/// The link is cut, and card 1 knows it.
fn cut(bench: &Bench) {
    bench.link.cut();
    bench.wait_text(Card1, "bridge down");
}

/// It is ended by a signal, with its toggle SAVED; gives what it says of that.
fn ended_as_saved(running: PipedProgram) -> String {
    assert_ended(running.end(), 143, "Sensor 1  KO       SAVED\n")
}

/// Waits until card 1's state file says so.
fn wait_file(bench: &Bench, words: &str) {
    bench.wait("it is in the file", |bench| {
        fs::read_to_string(bench.state_file(Card1)).is_ok_and(|text| text.contains(words))
    });
}

#[test]
fn at_the_other_boards_broker_it_is_said_that_it_is_the_wrong_one_and_nothing_is_done() {
    let bench = Bench::running();
    let wrong = bench.url(Broker2);
    let folder = bench.folder().join("elsewhere").display().to_string();
    let options = ["--toggle", "1", "--broker", &wrong, "--state-dir", &folder];
    let why = assert_ended(
        run(Command::new(binary(Card1)).args(options).stdin(Stdio::null())),
        1,
        "",
    );
    let words = [
        "not done",
        "another broker",
        &wrong,
        "not broker 1",
        "--broker and the address of broker 1",
    ];
    assert!(says_all(&why, &words) && why.lines().count() == 1, "{why}");
    bench.wait_settled(INITIAL);
}

#[test]
fn a_signal_while_a_monitor_does_it_ends_with_how_far_it_has_got() {
    let mut bench = Bench::running();
    cut(&bench);
    let listener = bench.listener(Broker1);
    let asking = begin(&bench, &TOGGLE);
    listener.wait_for("an answer", |heard| {
        let answers = heard
            .iter()
            .filter(|heard| heard.topic == "sensors/card1/set/answer");
        answers
            .map(|heard| String::from_utf8_lossy(&heard.payload))
            .any(|answer| answer.contains("SAVED"))
    });
    // By then whoever asked has it as well.
    listener.wait_for_more(2, "sensors/card1/alive");
    asking.signal(Signal::TERM);
    let why = ended_as_saved(asking);
    let words = [
        "not confirmed",
        "signal",
        "(sensor 1 SAVED)",
        "goes on",
        "(process ",
    ];
    assert_says(&why, &words);
    bench.link.heal();
    bench.wait_settled(ONE_KO);
    bench.press(Card1, "1");
    bench.wait_settled(INITIAL);
}

#[test]
fn a_signal_without_a_monitor_ends_with_how_far_it_has_got() {
    let mut bench = Bench::running();
    let own = waiting_alone(&mut bench);
    own.signal(Signal::TERM);
    let why = ended_as_saved(own);
    let words = [
        "not confirmed",
        "signal",
        "(sensor 1 SAVED)",
        "state file",
        "goes on when",
    ];
    assert_says(&why, &words);
    // Before anything was done, too.
    let early = begin(&bench, &TOGGLE);
    early.wait_owner(&bench, Card1);
    early.signal(Signal::TERM);
    let why = assert_ended(early.end(), 143, "");
    assert_says(&why, &["signal", "nothing was done"]);
    bench.link.heal();
    bench.start(Card1);
    bench.wait_settled(ONE_KO);
}

#[test]
fn a_monitor_that_takes_over_meanwhile_is_named_and_goes_on_with_it() {
    let mut bench = Bench::running();
    let own = waiting_alone(&mut bench);
    let taker = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    let why = ended_as_saved(own);
    let who = format!("(process {}, /dev/pts/", taker.pid());
    assert_says(&why, &[&who, "took over", "(sensor 1 SAVED)"]);
    bench.give(Card1, taker);
    bench.link.heal();
    bench.wait_settled(ONE_KO);
}

#[test]
fn a_monitor_that_is_started_meanwhile_waits_for_it_and_says_so() {
    let mut bench = Bench::running();
    let own = waiting_alone(&mut bench);
    let monitor = bench.spawn(Card1, &bench.url(Card1), &[]);
    let who = format!("(process {}", own.id());
    monitor.wait_for("what it waits for", |seen| {
        says_all(&seen.text(), &["waits until", "--set or --toggle", &who])
    });
    bench.give(Card1, monitor);
    bench.link.heal();
    let (status, said, why) = own.end();
    assert_eq!(
        (status, said.as_str(), why.as_str()),
        (0, "Sensor 1  KO       CONFIRMED\n", "")
    );
    bench.wait_settled(ONE_KO);
}

#[test]
fn where_the_disk_cannot_be_written_it_is_said_where_the_state_is() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    let obstacle = bench.state_file(Card1).with_extension("state.new");
    fs::create_dir(&obstacle).expect("an obstacle");
    let why = assert_ended(
        act(&bench, Card1, &["--toggle", "1", "--timeout", "6"]),
        1,
        "Sensor 1  KO       SENDING\n",
    );
    let words = [
        "not saved",
        "cannot write",
        "at the broker, not in the state file",
    ];
    assert_says(&why, &words);
    bench.wait_row(Display, 1, "KO", "HELD");
    fs::remove_dir(&obstacle).expect("the obstacle");
    bench.start(Card1);
    bench.wait_settled(ONE_KO);
}

#[test]
fn where_neither_disk_nor_broker_take_it_that_is_said() {
    let mut bench = Bench::running();
    bench.end_all([Card1, Broker1], Signal::TERM);
    let obstacle = bench.state_file(Card1).with_extension("state.new");
    fs::create_dir(&obstacle).expect("an obstacle");
    let why = assert_ended(
        act(&bench, Card1, &["--toggle", "1", "--timeout", "6"]),
        1,
        "Sensor 1  KO       SENDING\n",
    );
    assert_says(&why, &["neither at the broker nor in the state file"]);
    fs::remove_dir(&obstacle).expect("the obstacle");
    bench.start_all([Broker1, Card1]);
    bench.wait_settled(INITIAL);
}

#[test]
fn a_broker_that_is_killed_and_comes_back_in_the_middle_has_it_done_once() {
    for monitor in [true, false] {
        let mut bench = Bench::running();
        cut(&bench);
        if !monitor {
            bench.end(Card1, Signal::TERM);
        }
        let waiting = begin(&bench, &TOGGLE);
        wait_file(&bench, "\"sensor_1\":false");
        bench.end(Broker1, Signal::KILL);
        bench.start(Broker1);
        bench.link.heal();
        let (status, said, why) = waiting.end();
        assert_eq!(
            (status, said.as_str(), why.as_str()),
            (0, "Sensor 1  KO       CONFIRMED\n", ""),
            "with a monitor: {monitor}"
        );
        if !monitor {
            bench.start(Card1);
        }
        bench.wait_settled(ONE_KO);
    }
}

#[test]
fn where_there_can_be_no_socket_that_is_said_with_another_way_and_nothing_is_done() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    // A socket's path has 107 bytes at the most.
    let folder = bench.folder().join("x".repeat(100));
    let options = ["--state-dir", folder.to_str().expect("a path")];
    let owner = bench.spawn(Card1, &bench.url(Card1), &options);
    bench.give(Card1, owner);
    bench.wait_settled(INITIAL);
    let arguments = [&options[..], &["--toggle", "1"]].concat();
    let why = assert_ended(act(&bench, Card1, &arguments), 1, "");
    let who = format!("not done: card1_monitor runs (process {}", bench.pid(Card1));
    let words = [
        &who,
        "cannot use the socket",
        "card1.socket",
        "publish on sensors/card1/set",
    ];
    assert_says(&why, &words);
    assert_eq!(why.lines().count(), 1, "{why}");
    bench.wait_settled(INITIAL);
}

/// Something that listens in the place of card 1's owner, and what that one says first.
fn stand_in(bench: &Bench) -> (UnixListener, String) {
    let socket = bench.state_dir(Card1).join("card1.socket");
    let owner = UnixStream::connect(&socket).expect("the owner listens");
    let first: Vec<_> = BufReader::new(owner)
        .lines()
        .take(2)
        .map_while(Result::ok)
        .collect();
    fs::remove_file(&socket).expect("the socket");
    let listener = UnixListener::bind(&socket).expect("a socket");
    (listener, first.join("\n") + "\n")
}

#[test]
fn an_owner_that_says_nothing_is_not_said_to_have_done_it_or_not() {
    let bench = Bench::running();
    let (listener, first) = stand_in(&bench);
    let asking = begin(&bench, &["--toggle", "1", "--timeout", "3"]);
    let (mut stream, _) = listener.accept().expect("it connects");
    stream.write_all(first.as_bytes()).expect("it reads");
    let why = assert_ended(asking.end(), 1, "");
    let who = format!("card1_monitor does not answer (process {}", bench.pid(Card1));
    let words = [
        "no answer within 3 s, the change may still happen",
        &who,
        "--take-over",
    ];
    assert_says(&why, &words);
}

#[test]
fn what_an_owner_found_too_old_is_asked_for_again_as_the_same() {
    let bench = Bench::running();
    let (listener, first) = stand_in(&bench);
    let asking = begin(&bench, &["--toggle", "1", "--timeout", "30"]);
    let (mut stream, _) = listener.accept().expect("it connects");
    stream.write_all(first.as_bytes()).expect("it reads");
    let requests = BufReader::new(stream.try_clone().expect("a socket")).lines();
    let requests = requests.map(|line| serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON"));
    // Questions whether it is alive are answered.
    let mut answered = requests.inspect(|request| {
        let done = format!("{{\"reply\":{{\"done\":{}}}}}\n", request["id"]);
        stream.write_all(done.as_bytes()).expect("it reads");
    });
    let mut change = || answered.find(|request| !request["what"]["change"].is_null());
    let [first, again] = [change(), change()].map(|change| change.expect("it is asked"));
    assert_eq!(again["id"], first["id"]);
    assert!(again["made"]["secs"].as_u64() > first["made"]["secs"].as_u64());
    drop(answered);
    drop(stream);
    drop(listener);
    fs::remove_file(bench.state_dir(Card1).join("card1.socket")).expect("the stand-in");
    assert_ended(asking.end(), 0, "Sensor 1  KO       CONFIRMED\n");
    bench.wait_settled(ONE_KO);
}

#[test]
fn a_second_monitor_with_another_broker_is_told_which_one_the_first_has() {
    let bench = Bench::running();
    let (right, wrong) = (bench.url(Card1), bench.url(Broker2));
    let words = bench.command(Card1, &wrong, &[]);
    let second = run(Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()));
    let why = assert_ended(second, 1, "");
    let both = [format!("--broker {right}"), format!("--broker {wrong}")];
    assert_says(&why, &[&both[0], &both[1], "with q"]);
    let screen = bench.spawn(Card1, &wrong, &[]);
    screen.wait_for("the broker that it has", |seen| seen.shows(&right));
    bench.wait_settled(INITIAL);
}

#[test]
fn many_that_wait_at_once_are_each_done_once() {
    let bench = Bench::running();
    cut(&bench);
    // An odd number, and more than one at a time could be told of.
    let waiting: Vec<PipedProgram> = (0..25)
        .map(|_| begin(&bench, &["--toggle", "1", "--timeout", "20"]))
        .collect();
    for child in waiting {
        let (status, said, why) = child.end();
        assert_eq!(status, 1, "{said}{why}");
        assert!(said.contains("SAVED"), "{said}{why}");
    }
    bench.link.heal();
    bench.wait_settled(ONE_KO);
}
