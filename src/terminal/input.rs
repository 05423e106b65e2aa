//! What the terminal and the operating system have to say to the main loop.

use crossterm::event::KeyEvent;

/// One thing that happened. All of them come on one channel, so that their order is the order in which they
/// happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A key. Ctrl-C is one (the terminal is raw); Ctrl-Z is [`Input::Suspend`].
    Key(KeyEvent),
    /// The left button was pressed at this column and line, counted from 0. Comes only where the terminal was
    /// asked for it.
    Click(u16, u16),
    /// The window has another size: draw afresh.
    Resized,
    /// Somebody wants the shell back: Ctrl-Z, or SIGTSTP. Answer with
    /// [`Terminal::suspend`](crate::terminal::Terminal::suspend).
    Suspend,
    /// The process runs again after a stop, its own or anybody's:
    /// [`Terminal::enter`](crate::terminal::Terminal::enter), draw afresh.
    Continued,
    /// A signal asks the program to end. Its exit status is then
    /// [`exit_status`](crate::terminal::signals::exit_status).
    Terminate(i32),
    /// Somebody has moved the log file away and wants a new one: SIGUSR1.
    ReopenLog,
    /// The terminal is gone, whether or not a SIGHUP says so as well; without a screen, whoever read stdout.
    HungUp,
    /// Without a screen: stdout has taken what it was given, or never will
    /// ([`Printer::failure`](crate::programs::printer::Printer::failure)).
    Printed,
    /// A command that was run at an alarm has failed; whoever has started it knows why.
    AlarmCommand,
    /// A thread other than the main one has panicked. The terminal is restored, the message is out: finish
    /// and end.
    Panicked,
}
