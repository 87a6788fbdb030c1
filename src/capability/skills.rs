//! Agent skills: read from `exposes[skill].skills`, and checked against those that the code offers.
//!
//! A file states what stands in the front matter of a `SKILL.md`; its text is made elsewhere, of the prompts and the
//! words of the tools. So what the format would take a text or a right from is refused, not passed over.

use super::document::Document;
use super::names;
use super::needs::ToolNeeds;
use super::reader::{At, Placed, Report, Spot};
use super::refusal::did_you_mean;
use super::words::{Bound, SkillWords, checked, checked_optional};

const ADAPTER: &[&str] = &["type", "address", "port", "namespace", "description", "authentication", "skills"];
const SKILL: &[&str] = &[
    "description",
    "license",
    "compatibility",
    "metadata",
    "allowed-tools",
    "argument-hint",
    "user-invocable",
    "disable-model-invocation",
    "location",
    "tools",
];

/// What the format has and a skill of this server has not, and why.
const NOT_TAKEN: [(&str, &str); 6] = [
    ("allowed-tools", "is not taken: what needs no question is decided where the agent runs"),
    ("argument-hint", "is not read: a SKILL.md has no such field"),
    ("user-invocable", "is not read: a SKILL.md has no such field"),
    ("disable-model-invocation", "is not read: a SKILL.md has no such field"),
    ("location", "is not read: the text is made of the prompts and of the tools' words"),
    ("tools", "is not read: a skill has the tools of all files"),
];

/// Written by the server itself: which version the text is of.
const VERSION: &str = "version";

/// The skill adapter under `exposes`.
pub(super) struct SkillAdapter {
    skills: Vec<Skill>,
    /// Where a missing skill would stand.
    place: Spot,
}

struct Skill {
    name: String,
    description: Option<Placed<String>>,
    license: Option<Placed<String>>,
    compatibility: Option<Placed<String>>,
    metadata: Vec<(String, Placed<String>)>,
    spot: Spot,
}

/// Reads a skill adapter.
pub(super) fn read(adapter: &At<'_>, report: &mut Report) -> Option<SkillAdapter> {
    let fields = adapter.fields(ADAPTER, report)?;
    // No socket is opened for it, but without it the file would not be one of the format.
    fields.required("port", report);
    fields.required_text("namespace", report);
    let skills = fields.required("skills", report)?;
    let entries = skills.entries(report)?.entries;
    Some(SkillAdapter {
        skills: entries.iter().filter_map(|(name, at)| skill(name, at, report)).collect(),
        place: skills.spot.clone(),
    })
}

fn skill(name: &str, at: &At<'_>, report: &mut Report) -> Option<Skill> {
    let fields = at.fields(SKILL, report)?;
    for (key, why) in NOT_TAKEN {
        if let Some(field) = fields.get(key) {
            report.refuse(&field.spot, why);
        }
    }
    let metadata = fields.get("metadata").and_then(|at| at.entries(report));
    let metadata = metadata.map(|metadata| metadata.entries).unwrap_or_default();
    Some(Skill {
        name: name.to_owned(),
        description: fields.required_text("description", report),
        license: fields.get("license").and_then(|at| at.text(report)),
        compatibility: fields.get("compatibility").and_then(|at| at.text(report)),
        metadata: metadata
            .iter()
            .filter_map(|(key, at)| Some(((*key).to_owned(), at.text(report)?)))
            .collect(),
        spot: at.spot.clone(),
    })
}

/// The words of the skills of a file; what is wrong with them is in the report.
pub(super) fn check(
    document: &Document,
    needs: &ToolNeeds,
    tools: &[ToolNeeds],
    report: &mut Report,
) -> Vec<SkillWords> {
    let adapter = document.skills.as_ref();
    let skills = adapter.map(|adapter| adapter.skills.as_slice()).unwrap_or_default();
    let mut words = Vec::new();
    for skill in skills {
        let Some(name) = needs.skills.iter().find(|name| **name == skill.name) else {
            let hint = did_you_mean(&skill.name, needs.skills.iter().copied());
            report.refuse(&skill.spot, format!("is no skill that this file may have{hint}"));
            continue;
        };
        words.push(words_of(skill, name, tools, report));
    }
    for name in needs.skills.iter().filter(|name| !skills.iter().any(|skill| skill.name == **name)) {
        let (place, what) = match (adapter, &document.exposes) {
            (Some(adapter), _) => (adapter.place.member(name), "is missing".to_owned()),
            (None, Some(exposes)) => (exposes.clone(), format!("has no skill adapter with `{name}`")),
            (None, None) => continue,
        };
        report.refuse_absent(&place, format!("{what}: the server offers this skill"));
    }
    words
}

fn words_of(skill: &Skill, name: &'static str, tools: &[ToolNeeds], report: &mut Report) -> SkillWords {
    let stated = [&skill.description, &skill.license, &skill.compatibility];
    for text in stated.into_iter().flatten().chain(skill.metadata.iter().map(|(_, text)| text)) {
        refuse_markup(text, report);
        names::check(&text.value, &text.spot, tools, report);
    }
    let metadata = skill.metadata.iter().map(|(key, value)| {
        refuse_key(key, &value.spot, report);
        (key.clone(), checked(Some(value), Bound::METADATA, report))
    });
    SkillWords {
        skill: name,
        metadata: metadata.collect(),
        description: checked(skill.description.as_ref(), Bound::SKILL, report),
        license: checked_optional(skill.license.as_ref(), Bound::METADATA, report),
        compatibility: checked_optional(skill.compatibility.as_ref(), Bound::COMPATIBILITY, report),
    }
}

/// Readers in use end the front matter at any `---`, and agents refuse a description that could hold markup.
fn refuse_markup(text: &Placed<String>, report: &mut Report) {
    for mark in ["---", "<", ">"] {
        if text.value.contains(mark) {
            report.refuse(&text.spot, format!("holds `{mark}`, which readers of a SKILL.md take for markup"));
        }
    }
}

fn refuse_key(key: &str, spot: &Spot, report: &mut Report) {
    if key == VERSION {
        report.refuse(spot, "is written by the server: its own version");
    } else if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        report.refuse(spot, "the name of a field of metadata has letters, digits and -_. alone");
    }
}
