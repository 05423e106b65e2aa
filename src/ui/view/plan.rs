//! What stands where. The sensors do not move when something is wrong: what comes up then has its place, or
//! takes it from the log.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::sensors::{self, Sensors};
use super::{HIGH, Picture, links, problems};

/// The places, and what is laid out to find them.
pub(super) struct Plan {
    pub(super) title: Rect,
    /// Its own line where the window is high, else the title's.
    pub(super) banner: Rect,
    pub(super) links: Vec<Line<'static>>,
    pub(super) links_at: Rect,
    pub(super) sensors: Sensors,
    pub(super) sensors_at: Rect,
    /// In a low window without problems: the links that have no room above.
    pub(super) problems: Vec<Line<'static>>,
    pub(super) problems_at: Rect,
    pub(super) log: Rect,
    pub(super) footer: Rect,
}

impl Plan {
    /// The plan for a window; `None` where it does not hold all sensors. What there is no room for goes in
    /// this order: log, links, problems, title, keys.
    pub(super) fn of(picture: &Picture, area: Rect) -> Option<Self> {
        let sensors = sensors::arrange(picture, area)?;
        let mut room = area.height.saturating_sub(height(&sensors.lines));
        let mut take = |wanted: u16| {
            let taken = wanted.min(room);
            room -= taken;
            taken
        };
        let footer = take(1);
        let title = take(1);
        let banner = if area.height >= HIGH { take(1) } else { 0 };
        let room = room;
        let mut links = links::lines(picture, area, room.saturating_sub(2));
        let mut problems = problems::lines(picture, area);
        if area.height < HIGH {
            // What does not fit on the line above stands beneath the sensors, where a problem takes its
            // place: so they do not move.
            let mut more = links.split_off(1.min(links.len()));
            if problems.is_empty() {
                more.truncate(usize::from(room).saturating_sub(1));
                problems = more;
            }
        }
        let mut links_height = height(&links).min(room);
        let beneath = room - links_height;
        if beneath == 0 && !problems.is_empty() {
            // The one line that is left says what is wrong rather than what is well.
            links_height = 0;
        }
        let most = if beneath == 0 { room } else { beneath };
        if height(&problems) > most {
            problems = problems::short(picture, area, usize::from(most));
        }
        let problems_above = if beneath == 0 { height(&problems) } else { 0 };
        let mut next = area.y;
        let mut place = |height: u16| {
            let at = Rect {
                y: next,
                height,
                ..area
            };
            next += height;
            at
        };
        let [title, banner, links_at] = [title, banner, links_height].map(&mut place);
        let above = place(problems_above);
        let sensors_at = place(height(&sensors.lines));
        let below = place(height(&problems).min(beneath));
        let log = place(room.saturating_sub(links_height + problems_above + below.height));
        let footer = place(footer);
        Some(Self {
            title,
            banner: if banner.height > 0 { banner } else { title },
            links,
            links_at,
            sensors,
            sensors_at,
            problems,
            problems_at: if problems_above > 0 { above } else { below },
            log,
            footer,
        })
    }
}

fn height(lines: &[Line<'_>]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}
