//! Who is at the other end of a socket. The rights of the folder and of the socket decide who may connect;
//! this looks whether it was so, since a descriptor can be handed on. Where the system does not tell, the
//! rights alone decide.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::system::process::has_group;

const ROOT: u32 = 0;

/// The user, the group and the process at the other end.
#[cfg(target_os = "linux")]
fn credentials(stream: &UnixStream) -> Option<(u32, u32, i32)> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    Some((
        peer.uid.as_raw(),
        peer.gid.as_raw(),
        peer.pid.as_raw_nonzero().get(),
    ))
}

#[cfg(not(target_os = "linux"))]
const fn credentials(_: &UnixStream) -> Option<(u32, u32, i32)> {
    None
}

/// Whether the other end may be a screen of this process: its user, root, or the group of the socket.
pub(super) fn may_attach(stream: &UnixStream, socket: &Path) -> bool {
    let Some((user, group, process)) = credentials(stream) else {
        return true;
    };
    if user == ROOT || user == rustix::process::geteuid().as_raw() {
        return true;
    }
    std::fs::metadata(socket).is_ok_and(|socket| socket.gid() == group || has_group(process, socket.gid()))
}

/// Whether the other end may be the owner: the user whose state folder it is, this user, or root.
pub(super) fn may_own(stream: &UnixStream, folder: &Path) -> bool {
    let Some((user, ..)) = credentials(stream) else {
        return true;
    };
    user == ROOT
        || user == rustix::process::geteuid().as_raw()
        || std::fs::metadata(folder).is_ok_and(|folder| folder.uid() == user)
}
