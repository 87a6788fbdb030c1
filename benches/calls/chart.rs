//! The figures as a picture: CPU time a call and rate of each wire, as shares of the bare passthrough. Its colours can be
//! read on white and on black; it has no ground of its own.

use std::path::Path;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::{
    DrawingArea, IntoDrawingArea, IntoFont, PathElement, RGBColor, Rectangle, SVGBackend, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, ShapeStyle};

use crate::floors::Floor;
use crate::options::Subject;
use crate::report::{Entry, Report, Run};
use crate::stand::figures::Spread;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WORDS: RGBColor = RGBColor(118, 127, 137);
const OURS: RGBColor = RGBColor(47, 129, 247);
const OTHERS: RGBColor = RGBColor(139, 148, 158);
const BOUND: RGBColor = RGBColor(219, 109, 40);

const NAMES: i32 = 240;
const PANEL: i32 = 330;
/// Within a panel, at its end.
const VALUES: i32 = 50;
const GAP: i32 = 30;
const HEAD: i32 = 50;
const ROW: i32 = 30;
const FOOT: i32 = 56;

/// One row: a server, and the table that it is drawn from.
type Row<'a> = (&'a Run, &'a Entry);

/// Draws into this file.
pub(crate) fn draw(file: &Path, report: &Report) -> anyhow::Result<()> {
    let rows = rows(report);
    let height = HEAD + ROW * i32::try_from(rows.len())? + FOOT;
    let width = NAMES + 2 * PANEL + 2 * GAP;
    let size = (u32::try_from(width)?, u32::try_from(height)?);
    let area = SVGBackend::new(file, size).into_drawing_area();
    let said = "1.0 is the bare passthrough in the same round. Bars: median; lines: least to greatest of the rounds; \
        orange: what the server is held to.";
    words(&area, (12, height - 16), HPos::Left, 15, said)?;
    for (place, (run, entry)) in (0..).zip(&rows) {
        let label = format!("{} ({} at once)", entry.name, run.in_flight);
        words(&area, (NAMES - 10, HEAD + ROW * place + ROW / 2), HPos::Right, 16, &label)?;
    }
    let cpu = |row: &Row| (row.1.cpu_ratio, Floor::of(row.0, row.1).and_then(|floor| floor.cpu));
    let rate = |row: &Row| (row.1.rate_ratio, Floor::of(row.0, row.1).and_then(|floor| floor.rate));
    panel(&area, NAMES, "CPU time a call (less is better)", &rows, cpu)?;
    panel(&area, NAMES + PANEL + GAP, "Calls a second (more is better)", &rows, rate)?;
    area.present().map_err(|error| anyhow!("{}: {error}", file.display()))
}

/// Without delay: 16 calls at once for standard streams, 64 for the rest; where a run had others, its most.
fn rows(report: &Report) -> Vec<Row<'_>> {
    let runs: Vec<&Run> = report.runs.iter().filter(|run| run.delay_ms == 0).collect();
    let of = |subject: Subject, in_flight: u16| {
        let of = |run: &&Run| run.entries.iter().any(|entry| entry.name == subject.name());
        let chosen = runs.iter().copied().find(|run| run.in_flight == in_flight).filter(of);
        let run = chosen.or_else(|| runs.iter().copied().filter(of).max_by_key(|run| run.in_flight))?;
        Some((run, run.entries.iter().find(|entry| entry.name == subject.name())?))
    };
    let http = [Subject::Nginx, Subject::Rest, Subject::Stateless, Subject::Session, Subject::LegacySse];
    let stdio = [Subject::Pipes, Subject::Sockets];
    let http = http.into_iter().filter_map(|subject| of(subject, 64));
    http.chain(stdio.into_iter().filter_map(|subject| of(subject, 16))).collect()
}

fn panel(
    area: &Area<'_>,
    left: i32,
    title: &str,
    rows: &[Row<'_>],
    figure: impl Fn(&Row<'_>) -> (Spread, Option<f64>),
) -> anyhow::Result<()> {
    let greatest =
        rows.iter().map(|row| figure(row).0.max.max(figure(row).1.unwrap_or(1.0))).fold(1.0, f64::max);
    #[expect(clippy::cast_possible_truncation, reason = "a place within a picture")]
    let at = |ratio: f64| left + (ratio / greatest * f64::from(PANEL - VALUES)).round() as i32;
    let bottom = HEAD + ROW * i32::try_from(rows.len())?;
    words(area, (left, 14), HPos::Left, 18, title)?;
    for (place, row) in (0..).zip(rows) {
        let (spread, bound) = figure(row);
        let (top, middle) = (HEAD + ROW * place + 6, HEAD + ROW * place + ROW / 2);
        let colour = if Subject::named(&row.1.name) == Some(Subject::Nginx) { OTHERS } else { OURS };
        let bar = [(left, top), (at(spread.median), top + ROW - 12)];
        area.draw(&Rectangle::new(bar, colour.mix(0.8).filled())).map_err(failed)?;
        line(area, [(at(spread.min), middle), (at(spread.max), middle)], WORDS.stroke_width(2))?;
        if let Some(bound) = bound {
            line(area, [(at(bound), top - 4), (at(bound), top + ROW - 8)], BOUND.stroke_width(3))?;
        }
        let median = format!("{:.2}", spread.median);
        words(area, (left + PANEL, middle), HPos::Right, 15, &median)?;
    }
    line(area, [(at(1.0), HEAD - 6), (at(1.0), bottom)], WORDS.stroke_width(1))?;
    words(area, (at(1.0), HEAD - 14), HPos::Center, 15, "1.0")
}

fn line(area: &Area<'_>, ends: [(i32, i32); 2], style: ShapeStyle) -> anyhow::Result<()> {
    area.draw(&PathElement::new(ends, style)).map_err(failed)
}

fn words(area: &Area<'_>, at: (i32, i32), from: HPos, height: i32, words: &str) -> anyhow::Result<()> {
    let style =
        TextStyle::from(("sans-serif", height).into_font()).color(&WORDS).pos(Pos::new(from, VPos::Center));
    area.draw(&Text::new(words, at, style)).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("no picture: {error}")
}
