//! The figures as a drawing: memory on the left, CPU time on the right, each over a logarithmic axis of sizes.

use std::path::Path;

use anyhow::Context as _;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::step::{Point, Series, megabytes};

const SIZE: (u32, u32) = (960, 420);
/// Readable on white and on black.
const INK: RGBColor = RGBColor(125, 125, 125);
const COLOURS: [RGBColor; 6] = [
    RGBColor(37, 126, 218),
    RGBColor(222, 107, 33),
    RGBColor(190, 70, 160),
    RGBColor(40, 155, 90),
    RGBColor(120, 100, 220),
    RGBColor(200, 160, 20),
];

/// Draws them. The ground stays as clear as the page is.
pub(crate) fn draw(all: &[Series], path: &Path) -> anyhow::Result<()> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    let memory = |point: &Point, _: &Point| megabytes(point.resident);
    panel(&left, "Resident memory, MB", all, memory)?;
    let share = |point: &Point, first: &Point| point.cpu / first.cpu;
    panel(&right, "CPU time each, as a share of the first figure", all, share)?;
    area.present()?;
    Ok(())
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    all: &[Series],
    figure: impl Fn(&Point, &Point) -> f64,
) -> anyhow::Result<()> {
    let lines: Vec<Vec<(f64, f64)>> = all
        .iter()
        .filter_map(|series| {
            let first = series.points.first()?;
            Some(series.points.iter().map(|point| (size(point), figure(point, first))).collect())
        })
        .collect();
    let all_points = || lines.iter().flatten();
    let least = all_points().map(|(x, _)| *x).fold(f64::MAX, f64::min);
    let most = all_points().map(|(x, _)| *x).fold(0.0, f64::max);
    let highest = all_points().map(|(_, y)| *y).fold(0.0, f64::max);
    anyhow::ensure!(least < most, "there is nothing to draw");
    let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
    let mut chart = ChartBuilder::on(area)
        .caption(title, text(15))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(44)
        .build_cartesian_2d((least..most * 1.1).log_scale(), 0.0..highest * 1.25)?;
    chart
        .configure_mesh()
        .axis_style(INK)
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.25))
        .label_style(text(12))
        .x_labels(7)
        .x_label_formatter(&|size| short(*size))
        .draw()?;
    for ((line, series), colour) in lines.iter().zip(all).zip(COLOURS.iter().cycle()) {
        let style = colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(line.iter().copied(), style).point_size(3))?
            .label(series.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(text(12))
        .draw()
        .context("the legend")?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "sizes fit")]
fn size(point: &Point) -> f64 {
    point.size as f64
}

/// 1000000 as 1M.
fn short(size: f64) -> String {
    match size {
        million if million >= 1e6 => format!("{}M", million / 1e6),
        thousand if thousand >= 1e3 => format!("{}k", thousand / 1e3),
        small => format!("{small}"),
    }
}
