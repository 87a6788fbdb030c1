//! The section about performance in a Markdown file: rewritten between two marks, from the figures alone.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

use crate::report::Report;
use crate::table;

const BEGIN: &str = "<!-- performance: written by `cargo bench --bench calls -- --readme FILE` -->";
const END: &str = "<!-- performance: end -->";

/// Rewrites what stands between the marks of this file; the picture, where there is one, stands before the tables.
pub(crate) fn rewrite(file: &Path, report: &Report, picture: Option<&Path>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let marks = || format!("{} holds no two lines {BEGIN} and {END}", file.display());
    let (before, rest) = text.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    let section = section(report, picture)?;
    Ok(std::fs::write(file, format!("{before}{BEGIN}\n{section}\n{END}{after}"))?)
}

fn section(report: &Report, picture: Option<&Path>) -> anyhow::Result<String> {
    let machine = &report.machine;
    let versions: Vec<String> =
        machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut text = format!(
        "\nMeasured on {} on {} cores of an {} with {} GB, Linux {}, which the client and the upstream share with the \
        server: {}.\n",
        machine.date,
        machine.cores,
        machine.processor,
        machine.memory_gb,
        machine.kernel,
        versions.join(", "),
    );
    if let Some(picture) = picture {
        let name = picture.to_str().context("the picture has a name that Markdown can hold")?;
        write!(
            text,
            "\n![CPU time a call and rate of each wire, as shares of a bare passthrough]({name})\n"
        )?;
    }
    for run in &report.runs {
        write!(text, "\n{}", table::of(report, run))?;
    }
    Ok(text)
}
