//! `docs/demo.svg` is what `demo` writes, as a picture: with ids and times that stay the same, and colours that can be
//! read on a light page and on a dark one.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use anstyle::{AnsiColor, Color, RgbColor};
use anstyle_svg::{Palette, Term};

use super::demo;
use crate::support::in_time;

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/demo.svg");
const TITLE: &str = "fintecture-mcp demo: a KYC story in a terminal";
const DESCRIPTION: &str = "An MCP client creates a customer, attaches a bank account, and has the identity \
    verified at banks that answer at once, slowly, or with a failure; a person, whom the demo plays as well, is asked \
    before each write; every call and what came back is shown, and at the end the dossier.";
/// Stands in for every time.
const TIME: &str = "2026-11-23T09:30:00Z";

const DARK: [(AnsiColor, RgbColor); 7] = [
    (AnsiColor::Black, RgbColor(0x0d, 0x11, 0x17)),
    (AnsiColor::White, RgbColor(0xe6, 0xed, 0xf3)),
    (AnsiColor::Cyan, RgbColor(0x79, 0xc0, 0xff)),
    (AnsiColor::Green, RgbColor(0x56, 0xd3, 0x64)),
    (AnsiColor::Yellow, RgbColor(0xe3, 0xb3, 0x41)),
    (AnsiColor::Red, RgbColor(0xff, 0x7b, 0x72)),
    (AnsiColor::Magenta, RgbColor(0xd2, 0xa8, 0xff)),
];
/// The same on a light page; what is black in a terminal is the page.
const LIGHT: [(&str, RgbColor); 7] = [
    ("bg", RgbColor(0xff, 0xff, 0xff)),
    ("fg", RgbColor(0x1f, 0x23, 0x28)),
    ("fg-cyan", RgbColor(0x05, 0x50, 0xae)),
    ("fg-green", RgbColor(0x11, 0x63, 0x29)),
    ("fg-yellow", RgbColor(0x7d, 0x4e, 0x00)),
    ("fg-red", RgbColor(0xa4, 0x0e, 0x26)),
    ("fg-magenta", RgbColor(0x66, 0x39, 0xba)),
];

#[tokio::test]
async fn the_picture_in_the_documentation_is_what_it_writes() {
    let mut command = demo();
    let output = in_time(command.env("CLICOLOR_FORCE", "1").output()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = settled(&String::from_utf8(output.stdout).unwrap());
    let picture = picture(&format!("\u{1b}[1m$ fintecture-mcp demo\u{1b}[0m\n{}", written.trim_end()));
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::create_dir_all(Path::new(PICTURE).parent().unwrap()).unwrap();
        std::fs::write(PICTURE, &picture).unwrap();
    }
    let kept = std::fs::read_to_string(PICTURE).unwrap_or_default();
    let differs = || {
        let (kept, now) = (kept.lines(), picture.lines());
        let pair = kept.chain(std::iter::repeat("")).zip(now).find(|(kept, now)| kept != now);
        pair.map_or_else(String::new, |(kept, now)| format!("\nit has: {kept}\nand not: {now}"))
    };
    assert!(kept == picture, "docs/demo.svg is old; CONTRIBUTING.md says how to renew it{}", differs());
}

/// Ids and times as if each run were the same.
fn settled(written: &str) -> String {
    let mut known = HashMap::new();
    let mut text = String::new();
    for (at, piece) in written.split("sim_").enumerate() {
        let Some((id, rest)) =
            piece.split_once('…').filter(|(id, _)| at > 0 && id.len() == "cus_000000".len())
        else {
            text.push_str(if at > 0 { "sim_" } else { "" });
            text.push_str(piece);
            continue;
        };
        let next = (known.len() + 1) * 2_442_737 % (1 << 24);
        let number = known.entry(id.to_owned()).or_insert(next);
        write!(text, "sim_{}{number:06x}…{rest}", &id[..4]).unwrap();
    }
    let mut pieces = text.split("_at=");
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| format!("{text}_at={TIME}{}", &piece[TIME.len()..]))
}

fn picture(written: &str) -> String {
    let mut palette = [RgbColor(0, 0, 0); 16];
    for (color, value) in DARK {
        palette[color as usize] = value;
    }
    let svg = Term::new()
        .palette(Palette(palette))
        .fg_color(Color::Ansi(AnsiColor::White))
        .bg_color(Color::Ansi(AnsiColor::Black))
        .render_svg(written);
    let (start, rest) = svg.split_once('\n').unwrap();
    let size = |name: &str| {
        let value = start.split_once(&format!(" {name}=\"")).unwrap().1;
        value.split_once("px\"").unwrap().0.to_owned()
    };
    let (width, height) = (size("width"), size("height"));
    let light = LIGHT.map(|(class, RgbColor(red, green, blue))| {
        format!("      .{class} {{ fill: #{red:02X}{green:02X}{blue:02X} }}\n")
    });
    let light = light.concat();
    let rest = rest.replacen(
        "  </style>\n",
        &format!("    @media (prefers-color-scheme: light) {{\n{light}    }}\n  </style>\n"),
        1,
    );
    format!(
        "<svg width=\"{width}px\" height=\"{height}px\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"title description\" xmlns=\"http://www.w3.org/2000/svg\">\n  \
         <title id=\"title\">{TITLE}</title>\n  <desc id=\"description\">{DESCRIPTION}</desc>\n{rest}"
    )
}

/// Each colour of the text against its page, as WCAG 2 counts it: 4.5 is what small text needs.
#[test]
fn its_colours_can_be_read() {
    let luminance = |RgbColor(red, green, blue)| {
        let channels = [red, green, blue];
        let linear = channels.map(|channel| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05
    };
    let contrast = |a, b| {
        let (a, b): (f64, f64) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    };
    for (page, texts) in
        [(DARK[0].1, DARK.map(|(_, value)| value)), (LIGHT[0].1, LIGHT.map(|(_, value)| value))]
    {
        for text in &texts[1..] {
            assert!(contrast(page, *text) >= 4.5, "{text:?} on {page:?}: {}", contrast(page, *text));
        }
    }
}
