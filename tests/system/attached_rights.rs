//! Who may be a screen of an owner, and who an owner: by the rights of the state folder, by the user at the
//! other end of the socket, and by the release of the program.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Card1};
use crate::support::bench::process::{assert_ended, run};
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, flat, row};
use crate::support::pty::{Pty, PtyOutput, Start, code};

/// The user and the group that the card belongs to, and another user.
const OWNER: u32 = 65534;
const OTHER: u32 = 65533;

/// Only root can be several users.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Card 1's monitor in a terminal, as another user with these groups. `script` makes a terminal that is that
/// user's own.
fn start_as(bench: &Bench, user: u32, group: u32, groups: &str) -> Pty {
    let program = bench.command(Card1, &bench.url(Card1), &[]).join(" ");
    let words = [
        "setpriv".to_owned(),
        format!("--reuid={user}"),
        format!("--regid={group}"),
        if groups.is_empty() {
            "--clear-groups".to_owned()
        } else {
            format!("--groups={groups}")
        },
        "script".to_owned(),
        "-qec".to_owned(),
        program,
        "/dev/null".to_owned(),
    ];
    Start::program(words)
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1")
        .spawn()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("our own file");
}

/// A folder that its owner may write in and its group may look into; everybody comes as far as that.
fn folder_of_owner(bench: &Bench) {
    set_mode(bench.folder(), 0o711);
    let folder = bench.state_dir(Card1);
    let _ = fs::create_dir(&folder);
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        chown(&path, Some(OWNER), Some(OWNER)).expect("root may");
        set_mode(&path, 0o640);
    }
    chown(&folder, Some(OWNER), Some(OWNER)).expect("root may");
    set_mode(&folder, 0o750);
}

/// A board whose monitor runs as the owner of such a folder.
fn owned() -> (Bench, Pty) {
    let mut bench = Bench::new();
    bench.start(Broker1);
    folder_of_owner(&bench);
    let owner = start_as(&bench, OWNER, OWNER, "");
    owner.wait_for("the owner", |seen| seen.shows("SAVED"));
    (bench, owner)
}

fn wait_screen(screen: &Pty) {
    screen.wait_for("whose screen it is", |seen| seen.shows("screen of process"));
}

#[test]
fn the_group_of_the_state_folder_may_attach_and_nobody_else() {
    if !is_root() {
        return;
    }
    let (bench, owner) = owned();
    for (group, groups, key) in [(OWNER, "", "2"), (OTHER, "65534", "3")] {
        let screen = start_as(&bench, OTHER, group, groups);
        wait_screen(&screen);
        screen.press(key);
        let toggled = format!("Sensor {key}  ✗ KO");
        owner.wait_for("the toggle", |seen| seen.shows(&toggled));
    }
    let mut stranger = start_as(&bench, OTHER, OTHER, "");
    assert_eq!(code(stranger.wait_for_end()), 1);
    assert_says(&flat(&stranger.look(PtyOutput::text)), &["Permission denied"]);
}

/// As the units have it: the group may go through the folder, and reads no state there.
#[test]
fn a_group_that_may_only_go_through_the_folder_may_attach_and_set_and_reads_no_state() {
    if !is_root() {
        return;
    }
    let mut bench = Bench::new();
    bench.start(Broker1);
    folder_of_owner(&bench);
    set_mode(&bench.state_dir(Card1), 0o710);
    let under_umask = ["sh", "-c", "umask 077; exec \"$@\"", "sh"].map(str::to_owned);
    let program = bench.command(Card1, &bench.url(Card1), &["--service"]);
    let ids = [
        format!("--reuid={OWNER}"),
        format!("--regid={OWNER}"),
        "--clear-groups".to_owned(),
    ];
    let mut words = vec!["setpriv".to_owned()];
    words.extend(ids);
    words.extend(under_umask);
    words.extend(program);
    let owner = Start::program(words).spawn();
    owner.wait_for("the broker", |seen| seen.text().contains("connected to broker 1"));
    let screen = start_as(&bench, OTHER, OTHER, "65534");
    wait_screen(&screen);
    screen.press("3");
    screen.wait_for("the toggle", |seen| seen.shows("Sensor 3  ✗ KO      SAVED"));
    let set = set_as(&bench, OWNER, &["--set", "2=ko", "--timeout", "4"]);
    assert_ended(set, 1, "Sensor 2  KO       SAVED\n");
    let state = bench.state_dir(Card1).join("card1.state");
    let mode = fs::metadata(&state).expect("a state file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

/// `--set` of card 1's monitor, as another user with this group.
fn set_as(bench: &Bench, group: u32, arguments: &[&str]) -> (i32, String, String) {
    let ids = [
        format!("--reuid={OTHER}"),
        format!("--regid={group}"),
        "--clear-groups".to_owned(),
    ];
    let program = bench.command(Card1, &bench.url(Card1), arguments);
    let mut words = Command::new("setpriv");
    run(words.args(ids).args(program).stdin(Stdio::null()))
}

#[test]
fn who_may_use_the_socket_sets_and_who_may_not_is_told_who_may() {
    if !is_root() {
        return;
    }
    let (bench, owner) = owned();
    let of_group = set_as(&bench, OWNER, &["--set", "2=ko", "--timeout", "4"]);
    assert_ended(of_group, 1, "Sensor 2  KO       SAVED\n");
    owner.wait_for("who asked", |seen| {
        flat(&seen.text()).contains("command from process ")
    });
    let why = assert_ended(set_as(&bench, OTHER, &["--set", "3=ko"]), 1, "");
    assert_says(&why, &["Permission denied", "can be used by the folder's group"]);
    // Now everybody may look who has the lock; the socket has a mode of its own.
    set_mode(&bench.state_dir(Card1), 0o755);
    set_mode(&bench.state_dir(Card1).join("card1.lock"), 0o644);
    let why = assert_ended(set_as(&bench, OTHER, &["--set", "3=ko"]), 1, "");
    let words = [
        "not done",
        "cannot use the socket",
        "Permission denied",
        "run this as its owner, as root, or as somebody in its group",
    ];
    assert_says(&why, &words);
    assert_eq!(why.lines().count(), 1, "{why}");
    let third = owner.look(|seen| row(&seen.text(), 3)).expect("a row");
    assert_eq!(third.state, "OK", "it was done");
}

#[test]
fn who_may_only_look_into_the_folder_does_not_become_the_owner() {
    if !is_root() {
        return;
    }
    let mut bench = Bench::with_ko("1");
    bench.end(Card1, Signal::TERM);
    folder_of_owner(&bench);
    let mut reader = start_as(&bench, OTHER, OWNER, "");
    assert_eq!(code(reader.wait_for_end()), 1);
    let why = flat(&reader.look(PtyOutput::text));
    assert_says(
        &why,
        &["card1.lock", "Permission denied", "run this as its owner"],
    );
    let owner = start_as(&bench, OWNER, OWNER, "");
    owner.wait_for("the owner and its state", |seen| {
        seen.shows("Sensor 1  ✗ KO      CONFIRMED")
    });
}

#[test]
fn who_may_not_write_in_the_folder_is_not_offered_to_run_the_owner_and_waits_for_the_next_one() {
    if !is_root() {
        return;
    }
    let (bench, owner) = owned();
    let reader = start_as(&bench, OTHER, OWNER, "");
    wait_screen(&reader);
    drop(owner);
    reader.wait_for("that it has ended", |seen| {
        flat(&seen.text()).contains("this screen shows what it knew and waits for it")
    });
    let text = flat(&reader.look(PtyOutput::text));
    assert!(!text.contains("o run"), "{text}");
    reader.press("o2");
    reader.wait_for("that o has done nothing", |seen| {
        seen.shows("sensor 2 not toggled: the owner has ended")
    });
    let _owner = start_as(&bench, OWNER, OWNER, "");
    reader.wait_for("the next owner", |seen| {
        !seen.shows("ended at") && seen.shows("SAVED")
    });
    reader.press("2");
    reader.wait_for("the toggle", |seen| seen.shows("Sensor 2  ✗ KO"));
}

#[test]
fn an_owner_of_another_user_than_the_folder_is_not_trusted() {
    if !is_root() {
        return;
    }
    let (bench, _owner) = owned();
    chown(bench.state_dir(Card1), Some(0), Some(0)).expect("root may");
    let mut screen = bench.spawn(Card1, &bench.url(Card1), &[]);
    assert_eq!(code(screen.wait_for_end()), 1);
    assert_says(
        &flat(&screen.look(PtyOutput::text)),
        &[
            "already runs",
            "another user than the one that the folder belongs to",
        ],
    );
}

/// What a monitor says of an owner that has the lock and says this first.
fn said_of_an_owner_that_says(hello: &str) -> String {
    let mut bench = Bench::running();
    let socket = bench.state_dir(Card1).join("card1.socket");
    fs::remove_file(&socket).expect("the socket");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let mut screen = bench.spawn(Card1, &bench.url(Card1), &[]);
    let (mut stream, _) = listener.accept().expect("it connects");
    stream.write_all(hello.as_bytes()).expect("it reads");
    assert_eq!(code(screen.wait_for_end()), 1);
    let said = flat(&screen.look(PtyOutput::text));
    bench.end(Card1, Signal::TERM);
    said
}

#[test]
fn an_owner_of_another_release_is_named_with_both_releases() {
    let said = said_of_an_owner_that_says(
        "{\"hello\":{\"version\":\"9.8.7\",\"pid\":1,\"place\":\"service\",\"url\":\"mqtt://a\"}}\n",
    );
    assert_says(
        &said,
        &["already runs", "version 9.8.7", env!("CARGO_PKG_VERSION")],
    );
}

#[test]
fn a_screen_more_than_an_owner_serves_is_told_so() {
    let bench = Bench::running();
    let socket = bench.state_dir(Card1).join("card1.socket");
    let screens: Vec<_> = (0..64)
        .map(|_| {
            let mut screen = BufReader::new(UnixStream::connect(&socket).expect("the owner listens"));
            let mut hello = String::new();
            screen.read_line(&mut hello).expect("a line");
            assert!(hello.starts_with("{\"hello\":"), "{hello}");
            screen
        })
        .collect();
    let mut one_more = bench.spawn(Card1, &bench.url(Card1), &[]);
    assert_eq!(code(one_more.wait_for_end()), 1);
    assert_says(&flat(&one_more.look(PtyOutput::text)), &["it has 64 screens"]);
    drop(screens);
}
