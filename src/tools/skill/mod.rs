//! The agent skill: what an agent without these tools at hand reads about them, as the files of a folder.
//!
//! Made of the words of the capability files (a prompt is its procedure), of the tools' tables and of what each kind
//! of error asks for; the templates in `templates/skill` join them. Whoever may do less reads less: the skill goes
//! with its prompt, and names only what is offered. Knows neither where the files are written nor how they are served.

mod errors;
mod front_matter;
mod pages;

use serde_json::{Map, Value};

use super::definition::{Definition, Offer};
use super::prompts::Prompts;
use crate::capability::{Capabilities, SkillWords, ToolWords};

/// The skill that there is.
const SKILL: &str = "kyc-check";
/// The prompt that is its procedure, and decides who is offered it.
const PROMPT: &str = "kyc_check";
/// The tool in whose file its words stand.
const TOOL: &str = "verify_identity";

/// A skill, as it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    /// Its name, and that of its folder: `kyc-check`.
    pub name: &'static str,
    /// What a person reads.
    pub title: String,
    /// What it does and when to use it.
    pub description: String,
    /// The fields at the head of its `SKILL.md`, `name` and `description` among them.
    pub front_matter: Map<String, Value>,
    /// `SKILL.md`, then what it refers to.
    pub files: Vec<SkillFile>,
}

/// One file of a skill. All are Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillFile {
    /// Where it stands in the skill's folder, with `/`: `references/tools.md`.
    pub path: &'static str,
    /// Its text.
    pub text: String,
}

/// The skills that must stand in the file of a tool.
pub(super) fn needs(tool: &str) -> Vec<&'static str> {
    if tool == TOOL { vec![SKILL] } else { Vec::new() }
}

/// What a skill is made of.
pub(super) struct Source<'a> {
    pub(super) definitions: &'a [(Definition, ToolWords)],
    pub(super) prompts: &'a Prompts,
    pub(super) words: Option<&'a SkillWords>,
}

/// The words of the skill, where the files state it.
pub(super) fn words(capabilities: &Capabilities) -> Option<&SkillWords> {
    capabilities.skill(SKILL)
}

impl Source<'_> {
    /// The skill as somebody with these rights reads it.
    ///
    /// # Errors
    /// Why there is none for them.
    pub(super) fn write(&self, offer: Offer) -> Result<Skill, String> {
        let prompt = self
            .prompts
            .get(PROMPT, offer.scopes)
            .map_err(|why| format!("the skill {SKILL} is the procedure of a prompt: {why}"))?;
        let words = self.words.ok_or_else(|| format!("the capability files state no skill {SKILL}"))?;
        let front_matter = front_matter::fields(words);
        let others = self.prompts.list(offer.scopes).filter(|other| other.name != PROMPT);
        let material = pages::Material {
            front_matter: front_matter::text(&front_matter),
            prompt,
            others: others.collect(),
            definitions: self.definitions,
            offer,
        };
        let files =
            material.files().map_err(|error| format!("the skill {SKILL} could not be written: {error}"))?;
        Ok(Skill {
            name: words.skill,
            title: prompt.title.clone(),
            description: words.description.clone(),
            front_matter,
            files,
        })
    }
}
