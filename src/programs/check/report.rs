//! What a check has found: a line each, or one JSON object, and the exit status that follows.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::text::plain_text::plain_text;

/// The exit status if some FAIL, and for whatever keeps a check from saying what it has found.
pub const FAILED: u8 = 2;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// It was seen to be as it should be.
    Ok,
    /// It was not seen, and why not. It counts neither as right nor as wrong.
    Skipped,
    /// It works, and somebody should look after it.
    Warn,
    /// It does not work, or is not safe.
    Fail,
}

impl Grade {
    const ALL: [Self; 4] = [Self::Ok, Self::Skipped, Self::Warn, Self::Fail];

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }

    const fn status(self) -> u8 {
        match self {
            Self::Ok | Self::Skipped => 0,
            Self::Warn => 1,
            Self::Fail => FAILED,
        }
    }
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckLine {
    pub(super) grade: Grade,
    /// What kind of thing it is; does not depend on the board.
    pub(super) check: &'static str,
    /// Which of these things; empty if there is one only.
    pub(super) about: String,
    pub(super) found: String,
    /// What to do, where something is to be done.
    pub(super) advice: Option<String>,
}

impl CheckLine {
    pub(super) fn ok(check: &'static str, about: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Grade::Ok, check, about, found)
    }

    pub(super) fn skipped(check: &'static str, about: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Grade::Skipped, check, about, why)
    }

    pub(super) fn warn(
        check: &'static str,
        about: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Grade::Warn, check, about, found).advising(&advice.into())
    }

    pub(super) fn fail(
        check: &'static str,
        about: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Grade::Fail, check, about, found).advising(&advice.into())
    }

    fn new(grade: Grade, check: &'static str, about: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            grade,
            check,
            about: plain_text(&about.into()).into_owned(),
            found: plain_text(&found.into()).into_owned(),
            advice: None,
        }
    }

    fn advising(self, advice: &str) -> Self {
        Self {
            advice: Some(plain_text(advice).into_owned()),
            ..self
        }
    }

    fn text(&self) -> String {
        let space = if self.about.is_empty() { "" } else { " " };
        let mut text = format!(
            "{:<8}{}{space}{}: {}",
            self.grade.word(),
            self.check,
            self.about,
            self.found
        );
        if let Some(advice) = &self.advice {
            text.push_str("; ");
            text.push_str(advice);
        }
        text
    }

    fn json(&self) -> Value {
        let mut line = json!({
            "result": self.grade.word(),
            "check": self.check,
            "about": self.about,
            "found": self.found,
        });
        if let Some(advice) = &self.advice {
            line["do"] = json!(advice);
        }
        line
    }
}

/// The lines of one check. As text each is printed when it is known: some take seconds.
pub(super) struct CheckReport<W: Write> {
    program: &'static str,
    json: bool,
    output: W,
    written: io::Result<()>,
    lines: Vec<CheckLine>,
}

impl<W: Write> CheckReport<W> {
    pub(super) const fn new(program: &'static str, json: bool, output: W) -> Self {
        Self {
            program,
            json,
            output,
            written: Ok(()),
            lines: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, line: CheckLine) {
        if !self.json && self.written.is_ok() {
            self.written = writeln!(self.output, "{}", line.text()).and_then(|()| self.output.flush());
        }
        self.lines.push(line);
    }

    /// Says what there is to say at the end; gives the exit status.
    pub(super) fn finish(mut self) -> io::Result<u8> {
        self.written?;
        let status = self.lines.iter().map(|line| line.grade.status()).max();
        let status = status.unwrap_or(FAILED);
        if self.json {
            let checks: Vec<_> = self.lines.iter().map(CheckLine::json).collect();
            let all = json!({
                "program": self.program,
                "version": env!("CARGO_PKG_VERSION"),
                "status": status,
                "checks": checks,
            });
            writeln!(self.output, "{all}")?;
        } else {
            let count = |grade| self.lines.iter().filter(|line| line.grade == grade).count();
            let counts = Grade::ALL.map(|grade| format!("{} {}", count(grade), grade.word()));
            writeln!(self.output, "{}: {}", self.program, counts.join(", "))?;
        }
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: bool, lines: &[CheckLine]) -> (u8, String) {
        let mut output = Vec::new();
        let mut report = CheckReport::new("card1_monitor", json, &mut output);
        lines.iter().cloned().for_each(|line| report.add(line));
        let status = report.finish().expect("memory can be written");
        (status, String::from_utf8(output).expect("text"))
    }

    #[test]
    fn the_worst_line_makes_the_status_and_what_was_not_seen_makes_none() {
        let [ok, skipped] = [CheckLine::ok("a", "", "x"), CheckLine::skipped("b", "", "x")];
        let [warn, fail] = [
            CheckLine::warn("c", "", "x", "y"),
            CheckLine::fail("d", "", "x", "y"),
        ];
        assert_eq!(said(false, &[ok.clone(), skipped.clone()]).0, 0);
        assert_eq!(said(false, &[ok.clone(), warn.clone(), skipped.clone()]).0, 1);
        assert_eq!(said(true, &[fail, ok, warn]).0, 2);
        assert_eq!(said(false, &[]).0, 2, "nothing was looked at");
        assert!(said(false, &[skipped]).1.contains("0 ok, 1 skipped"));
    }

    #[test]
    fn a_line_says_what_was_looked_at_what_was_found_and_what_to_do() {
        let line = CheckLine::fail("write", "sensors/all", "refused", "add the right");
        let (_, text) = said(false, std::slice::from_ref(&line));
        assert_eq!(
            text.lines().next(),
            Some("FAIL    write sensors/all: refused; add the right")
        );
        let (_, text) = said(true, &[line]);
        let all: Value = serde_json::from_str(&text).expect("JSON");
        let expected = json!({"result": "FAIL", "check": "write", "about": "sensors/all", "found": "refused", "do": "add the right"});
        assert_eq!(all["checks"][0], expected);
        assert_eq!(all["status"], 2);
    }

    #[test]
    fn nothing_that_moves_a_cursor_is_printed() {
        let line = CheckLine::ok("version", "a\u{1b}[2J", "b\u{202e}c\nd");
        let (_, text) = said(false, &[line]);
        assert!(
            !text.contains(['\u{1b}', '\u{202e}']) && text.lines().count() == 2,
            "{text:?}"
        );
    }
}
