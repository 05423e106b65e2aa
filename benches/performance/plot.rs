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
        let area = SVGBackend::new(path, (760, 420)).into_drawing_area();
        let drawn = match (self.log_x, self.log_y) {
            (true, true) => self.draw(&area, (x1..x2).log_scale(), (y1..y2).log_scale()),
            (true, false) => self.draw(&area, (x1..x2).log_scale(), y1..y2),
            (false, true) => self.draw(&area, x1..x2, (y1..y2).log_scale()),
            (false, false) => self.draw(&area, x1..x2, y1..y2),
        };
        drawn.expect("an SVG can be written");
        true
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
        area.fill(&WHITE)?;
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
        for ((name, points), colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            if points.len() < 12 {
                chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 13))
            .draw()?;
        area.present()?;
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
