//! Plots as SVG.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

/// What a plot is of.
pub struct Plot<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    /// Each step of the x axis is ten times the one before.
    pub log_x: bool,
    /// The same of the y axis.
    pub log_y: bool,
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
}

/// Told apart also by those who see few colours (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(80, 80, 80),
];

impl Plot<'_> {
    /// Writes it, unless there is nothing to show.
    pub fn write(&self, path: &Path) -> bool {
        let points = || self.curves.iter().flat_map(|(_, points)| points);
        if points().count() == 0 {
            return false;
        }
        let limits = |of: fn(&(f64, f64)) -> f64, is_log: bool| {
            let least = points().map(of).fold(f64::MAX, f64::min);
            let most = points().map(of).fold(f64::MIN, f64::max);
            if is_log {
                (least.max(1e-3) * 0.9, most.max(2e-3) * 1.1)
            } else {
                (0.0, most.max(1e-3) * 1.05)
            }
        };
        let ((x1, x2), (y1, y2)) = (
            limits(|point| point.0, self.log_x),
            limits(|point| point.1, self.log_y),
        );
        let area = SVGBackend::new(path, (940, 420)).into_drawing_area();
        area.fill(&WHITE).expect("an SVG can be written");
        let (left, right) = area.split_horizontally(680);
        let drawn = match (self.log_x, self.log_y) {
            (true, true) => self.draw(&left, (x1..x2).log_scale(), (y1..y2).log_scale()),
            (true, false) => self.draw(&left, (x1..x2).log_scale(), y1..y2),
            (false, true) => self.draw(&left, x1..x2, (y1..y2).log_scale()),
            (false, false) => self.draw(&left, x1..x2, y1..y2),
        };
        drawn
            .and_then(|()| self.draw_names(&right))
            .expect("an SVG can be written");
        true
    }

    /// Beside the curves, where they cover none.
    fn draw_names(&self, area: &DrawingArea<SVGBackend, Shift>) -> Result<(), Box<dyn std::error::Error>> {
        let mut y = 60;
        for ((name, _), colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            area.draw(&PathElement::new([(4, y), (26, y)], colour.stroke_width(3)))?;
            area.draw(&Text::new(name.clone(), (32, y - 8), ("sans-serif", 13)))?;
            y += 24;
        }
        area.present()?;
        Ok(())
    }

    fn draw<X, Y>(
        &self,
        area: &DrawingArea<SVGBackend, Shift>,
        x: X,
        y: Y,
    ) -> Result<(), Box<dyn std::error::Error>>
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 17))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(x, y)?;
        let number = |value: &f64| short(*value);
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&number)
            .y_label_formatter(&number)
            .label_style(("sans-serif", 13))
            .draw()?;
        for ((_, points), colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(2);
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            if points.len() < 12 {
                chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
            }
        }
        Ok(())
    }
}

fn short(value: f64) -> String {
    let digits = match value.abs() {
        10.0.. => 0,
        1.0.. => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
