//! A broker as an installed board has it: two listeners with a password file each, and on the one with TLS
//! the user's name in the place of the client id.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::bench::Bench;
use crate::support::bench::Node::{Card2, Display};
use crate::support::bench::row;
use crate::support::certificate::{NOW, certificate};
use crate::support::mosquitto::Mosquitto;
use crate::support::port::Port;
use crate::support::pty::Pty;

/// What an owner needs, and what a screen that only looks does.
const RIGHTS: &str = "\
user card2_monitor
topic readwrite sensors/card2
topic readwrite sensors/all
topic readwrite sensors/card2/alive
topic read sensors/#
topic read $SYS/broker/connection/+/state

user viewer-wall
topic read sensors/all
topic read sensors/card1/alive
topic read sensors/card2/alive
topic read sensors/board1/broker/uptime
topic read $SYS/broker/connection/+/state

pattern readwrite sensors/marker/%u/+
";

/// The users of the listener on loopback, and of the one with TLS.
const LOCAL: [&str; 1] = ["card2_monitor"];
const NETWORK: [&str; 2] = ["card2_monitor", "viewer-wall"];

struct TwoListeners {
    bench: Bench,
    mosquitto: Mosquitto,
    tls: Port,
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let file = folder.join(name);
    fs::write(&file, text).expect("room on the disk");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("our own file");
    file.display().to_string()
}

/// A password file of a listener; each user's password is the listener's name and the user's.
fn passwords(folder: &Path, listener: &str, users: &[&str]) -> String {
    let mut lines = Vec::new();
    for user in users {
        let password = format!("{listener}-{user}");
        write(folder, &password, format!("{password}\n"));
        lines.push(format!("{user}:{password}\n"));
    }
    let file = write(folder, listener, lines.concat());
    let hashed = Command::new("mosquitto_passwd").args(["-U", &file]).status();
    assert!(hashed.expect("mosquitto_passwd comes with mosquitto").success());
    file
}

impl TwoListeners {
    fn start() -> Self {
        let (mut mosquitto, tls) = (Mosquitto::reserve(), Port::claim());
        let folder = mosquitto.folder().to_owned();
        let [shown, secret] = certificate("127.0.0.1", NOW);
        let (shown, secret) = (
            write(&folder, "cert.pem", shown),
            write(&folder, "key.pem", secret),
        );
        let rights = write(&folder, "rights.acl", RIGHTS);
        let local = passwords(&folder, "local", &LOCAL);
        let network = passwords(&folder, "network", &NETWORK);
        mosquitto
            .settings(format!(
                "per_listener_settings true\nallow_anonymous false\npassword_file {local}\nacl_file {rights}\n\
                 listener {} 127.0.0.1\nallow_anonymous false\npassword_file {network}\nacl_file {rights}\n\
                 use_username_as_clientid true\ncertfile {shown}\nkeyfile {secret}",
                tls.number
            ))
            .start();
        let bench = Bench::new();
        Self {
            bench,
            mosquitto,
            tls,
        }
    }

    /// A program of this user, by TLS or on loopback, with the password of one of the listeners.
    fn spawn(&self, node: crate::support::bench::Node, user: &str, is_tls: bool, password_of: &str) -> Pty {
        let folder = self.mosquitto.folder();
        let file = |name: &str| folder.join(name).display().to_string();
        let password = file(&format!("{password_of}-{user}"));
        let authority = file("cert.pem");
        let mut options = vec!["--username", user, "--password-file", &password];
        let url = if is_tls {
            options.extend(["--ca-file", &authority]);
            format!("mqtts://127.0.0.1:{}", self.tls.number)
        } else {
            self.mosquitto.url()
        };
        self.bench.spawn(node, &url, &options)
    }
}

fn wait_row(screen: &Pty, sensor: u8, state: &str, beside: &str) {
    screen.wait_for(&format!("sensor {sensor} {state} {beside}"), |seen| {
        row(&seen.text(), sensor).is_some_and(|row| row.state == state && row.beside == beside)
    });
}

#[test]
fn a_viewer_by_tls_works_fully_under_a_client_id_that_the_broker_has_chosen() {
    for owner_by_tls in [false, true] {
        let mut board = TwoListeners::start();
        let listener = if owner_by_tls { "network" } else { "local" };
        let owner = board.spawn(Card2, "card2_monitor", owner_by_tls, listener);
        let viewer = board.spawn(Display, "viewer-wall", true, "network");
        wait_row(&owner, 5, "OK", "SAVED");
        wait_row(&viewer, 5, "OK", "LIVE");
        owner.press("5");
        wait_row(&owner, 5, "KO", "SAVED");
        wait_row(&viewer, 5, "KO", "LIVE");
        viewer.wait_for("the alarm", |seen| seen.shows("new alarm"));
        viewer.press("a");
        viewer.wait_for("that it counts here, and no fault", |seen| {
            let text = seen.text();
            text.contains("acknowledged here only") && !text.contains("takes no messages")
        });
        board.mosquitto.kill();
        viewer.wait_for("the loss", |seen| seen.shows("unreachable"));
        board.mosquitto.start();
        wait_row(&viewer, 5, "KO", "LIVE");
        wait_row(&owner, 5, "KO", "SAVED");
    }
}

#[test]
fn the_password_of_one_listener_opens_no_other() {
    let board = TwoListeners::start();
    let refused = "wrong user name or password";
    for (is_tls, password_of) in [(true, "local"), (false, "network")] {
        let program = board.spawn(Card2, "card2_monitor", is_tls, password_of);
        program.wait_for("the refusal", |seen| seen.text().contains(refused));
    }
    // Who has no business on loopback has no password there.
    let viewer = board.spawn(Display, "viewer-wall", false, "network");
    viewer.wait_for("the refusal", |seen| seen.text().contains(refused));
}
