//! A state file that cannot be read or made durable is not one that is damaged or missing: nothing is put in
//! its place, and what is written stays readable for whoever could read it before.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1};
use crate::support::bench::process;
use crate::support::bench::process::assert_ended;
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, States, flat};
use crate::support::pty::{Start, code};

const CHANGED: States = ["KO", "OK", "OK", "OK", "OK", "OK"];

/// As a service's user: one who is neither root nor the one who runs the tests.
const SERVICE: u32 = 65534;

/// A program that hangs is a failure, not a test that waits for ever.
const LIMIT: [&str; 3] = ["timeout", "--signal=KILL", "30"];

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What makes a program subject to permissions: root is not, unless this is taken from it.
fn bound_by_permissions() -> Vec<String> {
    let without = "-dac_override,-dac_read_search";
    if is_root() {
        vec![
            "setpriv".to_owned(),
            format!("--bounding-set={without}"),
            format!("--inh-caps={without}"),
        ]
    } else {
        Vec::new()
    }
}

/// Runs card 1's monitor under these words, to its end.
fn run(bench: &Bench, under: &[String], arguments: &[&str]) -> (i32, String, String) {
    let words = bench.command(Card1, &bench.url(Card1), arguments);
    let all: Vec<String> = LIMIT
        .map(str::to_owned)
        .into_iter()
        .chain(under.to_vec())
        .chain(words)
        .collect();
    process::run(Command::new(&all[0]).args(&all[1..]).stdin(Stdio::null()))
}

/// Card 1's sensor 1 was toggled and confirmed, and its monitor has ended.
fn toggled() -> Bench {
    let mut bench = Bench::with_ko("1");
    bench.end(Card1, Signal::TERM);
    bench
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("our own file");
}

#[test]
fn a_file_that_this_user_may_not_read_stops_the_program_and_stays_as_it_is() {
    let mut bench = toggled();
    let file = bench.state_file(Card1);
    let text = fs::read(&file).expect("the state file");
    set_mode(&file, 0o000);
    for arguments in [&[][..], &["--toggle", "2"], &["--set", "1=ok"]] {
        let (status, said, why) = run(&bench, &bound_by_permissions(), arguments);
        assert_eq!((status, said.as_str()), (1, ""), "{arguments:?}: {why}");
        assert_eq!(why.lines().count(), 1, "{why}");
        for words in [&file.display().to_string(), "user ", "Permission denied", "chmod"] {
            assert!(why.contains(words), "{words} in: {why}");
        }
    }
    set_mode(&file, 0o600);
    assert_eq!(fs::read(&file).expect("the state file"), text);
    let aside = file.with_extension("state.damaged-1");
    assert!(!aside.exists(), "it was set aside");
    bench.start(Card1);
    bench.wait_settled(CHANGED);
}

#[test]
fn a_lock_that_this_user_may_not_open_is_named_with_its_cure_and_not_with_another_memory() {
    let bench = toggled();
    let lock = bench.state_dir(Card1).join("card1.lock");
    set_mode(&lock, 0o000);
    for arguments in [&[][..], &["--toggle", "2"]] {
        let why = assert_ended(run(&bench, &bound_by_permissions(), arguments), 1, "");
        let cure = format!("mode 0000: chmod u+rw '{}'", lock.display());
        assert_says(&why, &[&cure]);
    }
}

#[test]
fn a_write_by_root_with_a_narrow_umask_leaves_owner_and_mode_and_locks_nobody_out() {
    let bench = toggled();
    let (folder, file) = (bench.state_dir(Card1), bench.state_file(Card1));
    let lock = folder.join("card1.lock");
    let _ = fs::remove_file(&lock);
    set_mode(&file, 0o640);
    let owner = if is_root() {
        SERVICE
    } else {
        rustix::process::geteuid().as_raw()
    };
    if is_root() {
        for path in [&folder, &file] {
            chown(path, Some(SERVICE), Some(SERVICE)).expect("root may");
        }
    }
    let under = ["sh", "-c", "umask 077; exec \"$@\"", "sh"].map(str::to_owned);
    assert_ended(
        run(&bench, &under, &["--toggle", "2"]),
        0,
        "Sensor 2  KO       CONFIRMED\n",
    );
    let meta = fs::metadata(&file).expect("the state file");
    assert_eq!(
        (meta.uid(), meta.mode() & 0o7777),
        (owner, 0o640),
        "of the state file"
    );
    let meta = fs::metadata(&lock).expect("the lock");
    assert_eq!(meta.uid(), owner, "of the lock");
    // A file that is not there yet is made for the folder's owner.
    fs::remove_file(&file).expect("the state file");
    let (status, _, why) = run(&bench, &under, &["--toggle", "2"]);
    assert_eq!(status, 0, "{why}");
    assert_eq!(
        fs::metadata(&file).expect("the state file").uid(),
        owner,
        "of a new state file"
    );
}

#[test]
fn a_folder_and_a_log_that_root_makes_belong_to_the_owner_of_the_folder_above() {
    if !is_root() {
        return; // What an ordinary user makes is its own.
    }
    let bench = toggled();
    let home = bench.folder().join("home");
    fs::create_dir(&home).expect("a folder");
    chown(&home, Some(SERVICE), Some(SERVICE)).expect("root may");
    let (folder, log) = (home.join("state/dualboard"), home.join("log"));
    let under = ["sh", "-c", "umask 077; exec \"$@\"", "sh"].map(str::to_owned);
    let (folder_text, log_text) = (folder.display().to_string(), log.display().to_string());
    let arguments = [
        "--state-dir",
        &folder_text,
        "--log-file",
        &log_text,
        "--set",
        "2=ko",
    ];
    let (status, _, why) = run(&bench, &under, &arguments);
    assert_eq!(status, 0, "{why}");
    for made in [
        &home.join("state"),
        &folder,
        &folder.join("card1.state"),
        &folder.join("card1.lock"),
        &log,
    ] {
        let meta = fs::metadata(made).expect("it is made");
        assert_eq!(
            (meta.uid(), meta.gid()),
            (SERVICE, SERVICE),
            "of {}",
            made.display()
        );
    }
}

#[test]
fn an_owner_that_cannot_be_kept_is_said() {
    if !is_root() {
        return; // Nobody else can make a file that is another user's.
    }
    let bench = toggled();
    // Whoever is not root comes through.
    set_mode(bench.folder(), 0o711);
    set_mode(&bench.state_file(Card1), 0o644);
    let folder = bench.state_dir(Card1);
    for path in [&folder, &folder.join("card1.lock")] {
        chown(path, Some(SERVICE), Some(SERVICE)).expect("root may");
    }
    let under = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned);
    let why = assert_ended(
        run(&bench, &under, &["--toggle", "2"]),
        0,
        "Sensor 2  KO       CONFIRMED\n",
    );
    assert_eq!(
        why.matches("its owner was user root (0) and is user ").count(),
        1,
        "{why}"
    );
}

#[test]
fn what_another_user_left_half_written_does_not_keep_the_next_from_writing() {
    let bench = toggled();
    let left = bench.state_file(Card1).with_extension("state.new");
    fs::write(&left, "half").expect("a file");
    set_mode(&left, 0o000);
    assert_ended(
        run(&bench, &bound_by_permissions(), &["--toggle", "2"]),
        0,
        "Sensor 2  KO       CONFIRMED\n",
    );
}

/// Puts card 1's state file elsewhere, and a link in its place.
fn linked(bench: &Bench) -> PathBuf {
    let elsewhere = bench.folder().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let target = elsewhere.join("kept");
    fs::rename(bench.state_file(Card1), &target).expect("the state file");
    symlink("../elsewhere/kept", bench.state_file(Card1)).expect("a link");
    target
}

#[test]
fn a_link_in_the_place_of_the_file_stays_and_its_target_is_written() {
    let mut bench = toggled();
    let target = linked(&bench);
    bench.start(Card1);
    bench.wait_settled(CHANGED);
    bench.press(Card1, "3");
    let states = ["KO", "OK", "KO", "OK", "OK", "OK"];
    bench.wait_settled(states);
    assert!(bench.state_file(Card1).is_symlink(), "the link was replaced");
    let text = fs::read_to_string(&target).expect("the target");
    assert_says(&text, &["\"sensor_3\":false"]);
    // One that is damaged is set aside where it is.
    bench.end(Card1, Signal::KILL);
    fs::write(&target, "").expect("the target");
    bench.start(Card1);
    bench.wait_settled(states);
    assert!(bench.state_file(Card1).is_symlink(), "the link was set aside");
    assert!(target.with_file_name("kept.damaged-1").is_file());
}

#[test]
fn a_link_to_what_is_not_there_stops_the_program_and_stays() {
    let mut bench = toggled();
    let target = linked(&bench);
    // As if the disk that it is on were not mounted.
    let away = bench.folder().join("away");
    fs::rename(&target, &away).expect("the target");
    for arguments in [&[][..], &["--toggle", "2"]] {
        let why = assert_ended(run(&bench, &[], arguments), 1, "");
        for words in [
            &bench.state_file(Card1).display().to_string(),
            "elsewhere/kept",
            "mount",
        ] {
            assert!(why.contains(words), "{words} in: {why}");
        }
    }
    fs::rename(&away, &target).expect("the target");
    bench.start(Card1);
    bench.wait_settled(CHANGED);
}

#[test]
fn what_is_no_file_at_all_is_set_aside_and_not_waited_for() {
    let bench = toggled();
    let file = bench.state_file(Card1);
    fs::remove_file(&file).expect("the state file");
    let made = Command::new("mkfifo").arg(&file).status().expect("mkfifo");
    assert!(made.success());
    assert_ended(
        run(&bench, &[], &["--set", "2=ko"]),
        0,
        "Sensor 2  KO       CONFIRMED\n",
    );
    assert!(file.is_file(), "a new one is written");
}

/// A disk whose folders cannot be fsynced, as CIFS and 9p have it.
fn without_folder_fsync(bench: &Bench) -> Vec<String> {
    const SOURCE: &str = "#define _GNU_SOURCE\n#include <errno.h>\n#include <sys/stat.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n\
        int fsync(int fd) {\n  struct stat s;\n  if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode)) { errno = EINVAL; return -1; }\n\
          return (int)syscall(SYS_fsync, fd);\n}\n";
    let (source, library) = (bench.folder().join("fsync.c"), bench.folder().join("fsync.so"));
    fs::write(&source, SOURCE).expect("a file");
    let mut cc = Command::new("cc");
    let made = cc
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    assert!(made.expect("cc").success());
    vec!["env".to_owned(), format!("LD_PRELOAD={}", library.display())]
}

#[test]
fn a_folder_that_cannot_be_fsynced_is_said_once_and_the_file_counts_as_saved() {
    let mut bench = toggled();
    let under = without_folder_fsync(&bench);
    let words = bench.command(Card1, &bench.url(Card1), &[]);
    bench.give(Card1, Start::program(under.iter().cloned().chain(words)).spawn());
    bench.wait_settled(CHANGED);
    bench.press(Card1, "2");
    bench.wait_settled(["KO", "KO", "OK", "OK", "OK", "OK"]);
    let written = fs::metadata(bench.state_file(Card1))
        .expect("the state file")
        .ino();
    // Longer than until what is not saved is written again.
    bench.wait_heartbeats(4, Card1, Broker1);
    let now = fs::metadata(bench.state_file(Card1))
        .expect("the state file")
        .ino();
    assert_eq!(written, now, "it is written again and again");
    let mut quit = bench.take(Card1);
    quit.send("q");
    assert_eq!(code(quit.wait_for_end()), 0);
    quit.wait_for("what a power cut may do", |seen| {
        flat(&seen.text()).matches("cannot be fsynced").count() == 1
    });
}

#[test]
fn a_state_folder_can_be_made_where_folders_cannot_be_fsynced() {
    let bench = toggled();
    let under = without_folder_fsync(&bench);
    fs::remove_dir_all(bench.state_dir(Card1)).expect("the folder");
    let why = assert_ended(
        run(&bench, &under, &["--set", "2=ko"]),
        0,
        "Sensor 2  KO       CONFIRMED\n",
    );
    assert_eq!(why.matches("cannot be fsynced").count(), 1, "{why}");
}

#[test]
fn a_folder_that_may_not_be_looked_into_any_more_is_not_called_moved_or_deleted() {
    let mut bench = toggled();
    let words = bench.command(Card1, &bench.url(Card1), &[]);
    let under = bound_by_permissions();
    bench.give(Card1, Start::program(under.into_iter().chain(words)).spawn());
    bench.wait_settled(CHANGED);
    let folder = bench.state_dir(Card1);
    let mark = bench.pty(Card1).mark();
    set_mode(&folder, 0o000);
    bench.wait_heartbeats(3, Card1, Broker2);
    assert_eq!(
        bench.ever_said(Card1, mark, "moved away or deleted"),
        Vec::<String>::new()
    );
    bench.press(Card1, "2");
    bench.wait_text(Card1, "not saved: cannot write");
    set_mode(&folder, 0o700);
    bench.wait_settled(["KO", "KO", "OK", "OK", "OK", "OK"]);
}
