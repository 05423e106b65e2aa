//! What is wrong, since when, and what happens next.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::text::{holds, wrap};
use super::{Picture, Theme};
use crate::text::words;
use crate::ui::controls::Absence;

/// One problem after the other, each broken at words to what the window is wide.
pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    told(picture, area, 0)
}

/// The same in at most so many lines: in as few words as that takes, the cause before all else.
pub(super) fn short(picture: &Picture, area: Rect, most: usize) -> Vec<Line<'static>> {
    let mut lines = told(picture, area, 1);
    if lines.len() > most {
        lines = told(picture, area, 2);
    }
    cut(&mut lines, most, area);
    lines
}

/// The problems, the more `briefly` the fewer words: 0 is in full.
fn told(picture: &Picture, area: Rect, briefly: usize) -> Vec<Line<'static>> {
    let theme = &picture.theme;
    let width = usize::from(area.width).saturating_sub(4);
    let mut lines = Vec::new();
    // Of what it had to say nothing is true any more.
    let problems = match absence(picture) {
        Some([full, short, cause, _]) => vec![[full, short, cause]],
        None => words::problems(&picture.view, &picture.url, &picture.times),
    };
    for problem in problems {
        let text = theme.plain_text(&problem[briefly]);
        for (number, part) in wrap(&text, width).into_iter().enumerate() {
            let mark = if number == 0 { Theme::alarm_mark() } else { " " };
            lines.push(Line::styled(format!(" {mark} {part}"), theme.alarm()));
        }
    }
    lines
}

/// That the owner is absent whose screen this is, if so: in full, then in fewer and fewer words.
pub(super) fn absence(picture: &Picture) -> Option<[String; 4]> {
    let elsewhere = picture.elsewhere.as_ref()?;
    let (absence, since) = elsewhere.absence?;
    let (program, since) = (words::program(picture.view.role), picture.times.at(since));
    Some(match absence {
        Absence::Ended { may_run } => words::owner_ended(program, &elsewhere.place, &since, may_run),
        Absence::Silent => words::owner_silent(program, &elsewhere.place, &since),
    })
}

/// Keeps so many lines; the last one says if there was more.
fn cut(lines: &mut Vec<Line<'static>>, most: usize, area: Rect) {
    if lines.len() <= most {
        return;
    }
    lines.truncate(most);
    if let Some(last) = lines.last_mut() {
        let room = usize::from(area.width).saturating_sub(3);
        let text = last.to_string();
        let text = &text[..holds(&text, room)];
        *last = Line::styled(format!("{text} .."), last.style);
    }
}
