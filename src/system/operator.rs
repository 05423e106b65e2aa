//! Who sits at the terminal.

use crate::command::Name;

/// The user, and the terminal: "pi on pts/3". Whoever wants to be called otherwise says so with --operator.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "who has logged in is no setting of this program"
)]
pub fn operator() -> Option<Name> {
    let variables = ["LOGNAME", "USER"].into_iter();
    let mut names = variables.filter_map(|variable| std::env::var(variable).ok());
    let user = names.find(|name| !name.is_empty());
    let user = user.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()));
    let terminal = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok();
    let terminal = terminal
        .and_then(|name| name.into_string().ok())
        .unwrap_or_default();
    match terminal.strip_prefix("/dev/") {
        Some(terminal) => Name::new(&format!("{user} on {terminal}")).or_else(|| Name::new(&user)),
        None => Name::new(&user),
    }
}
