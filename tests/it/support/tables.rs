//! The tables of the documentation, so that a test can hold them to what happens.

use std::path::Path;

/// A page of the documentation.
pub(crate) fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The first table under this heading, its head first, cell by cell, without the marks of code.
pub(crate) fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let lines = page.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let table: Vec<Vec<String>> = lines.filter(|line| !line.starts_with("|---")).map(cells).collect();
    assert!(table.len() > 1, "there is no table under {heading:?}");
    table
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|');
    // An escaped bar is part of a cell.
    let line = line.replace("\\|", "\u{0}");
    line.split('|').map(|cell| cell.trim().replace('`', "").replace('\u{0}', "|")).collect()
}
