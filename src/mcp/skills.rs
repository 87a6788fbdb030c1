//! The skill as the skills extension (SEP-2640) has it: an entry with a digest for each file, the files as resources,
//! and the folders that they stand in.
//!
//! Whoever may do less reads a shorter skill, so that its digests are others, too: entry and files always come from
//! one [`Skill`]. Whoever is offered none finds no skill, no file and no folder.

use std::collections::BTreeSet;

use rmcp::ErrorData;
use rmcp::model::{
    DIRECTORY_MIME_TYPE, Resource, Skill as Entry, SkillFrontmatter, SkillResource, SkillResources,
};
use serde_json::Value;

use super::resources::MARKDOWN;
use crate::domain::Scopes;
use crate::tools::{Skill, SkillFile, Tools};

/// Where the files of skills stand.
pub(super) const SCHEME: &str = "skill://";
/// The file that a skill is known by.
const ENTRY: &str = "SKILL.md";

/// The skills as they stand in `skills/list`.
pub(super) fn list(tools: &Tools, scopes: Scopes) -> Vec<Entry> {
    tools.skill(scopes).iter().map(entry).collect()
}

/// One skill, by the address of its `SKILL.md`.
///
/// # Errors
/// Invalid params, where nobody with these rights is offered one there.
pub(super) fn get(tools: &Tools, scopes: Scopes, uri: &str) -> Result<Entry, ErrorData> {
    let skill = tools.skill(scopes).map_err(|why| ErrorData::invalid_params(why, None))?;
    let known = address(&skill, ENTRY);
    if uri == known {
        return Ok(entry(&skill));
    }
    Err(ErrorData::invalid_params(format!("there is no such skill; the only one is {known}"), None))
}

/// The files as they stand in `resources/list`, for clients that know resources alone.
pub(super) fn resources(tools: &Tools, scopes: Scopes) -> Vec<Resource> {
    let skill = tools.skill(scopes);
    skill.iter().flat_map(|skill| skill.files.iter().map(|file| resource(skill, file))).collect()
}

/// A file, by its address, and its path for the record: `kyc-check/SKILL.md`.
pub(super) fn file(tools: &Tools, scopes: Scopes, uri: &str) -> Option<(String, String)> {
    let path = uri.strip_prefix(SCHEME)?;
    let skill = tools.skill(scopes).ok()?;
    let file = skill
        .files
        .into_iter()
        .find(|file| path.strip_prefix(skill.name) == Some(&format!("/{}", file.path)))?;
    Some((file.text, path.to_owned()))
}

/// What stands directly in a folder of a skill.
///
/// # Errors
/// Invalid params, where there is no such folder.
pub(super) fn directory(tools: &Tools, scopes: Scopes, uri: &str) -> Result<Vec<Resource>, ErrorData> {
    let skill = tools.skill(scopes).map_err(|why| ErrorData::invalid_params(why, None))?;
    let within = format!("{uri}/");
    let below: Vec<(&SkillFile, String)> = skill
        .files
        .iter()
        .filter_map(|file| Some((file, address(&skill, file.path).strip_prefix(&within)?.to_owned())))
        .collect();
    // What is no folder has nothing below it; the scheme alone is none.
    if below.is_empty() || !uri.starts_with(&format!("{SCHEME}{}", skill.name)) {
        let message = format!("that is no folder of a skill; the only skill's is {SCHEME}{}", skill.name);
        return Err(ErrorData::invalid_params(message, None));
    }
    let folders: BTreeSet<&str> =
        below.iter().filter_map(|(_, rest)| rest.split_once('/').map(|(folder, _)| folder)).collect();
    let folders = folders
        .into_iter()
        .map(|folder| Resource::new(format!("{within}{folder}"), folder).with_mime_type(DIRECTORY_MIME_TYPE));
    let files = below.iter().filter(|(_, rest)| !rest.contains('/')).map(|(file, _)| resource(&skill, file));
    Ok(files.chain(folders).collect())
}

fn entry(skill: &Skill) -> Entry {
    let mut front_matter = SkillFrontmatter::new(skill.name, skill.description.clone());
    let more = skill.front_matter.iter().filter(|(key, _)| !["name", "description"].contains(&key.as_str()));
    front_matter.extra.extend(more.map(|(key, value): (&String, &Value)| (key.clone(), value.clone())));
    let digest =
        |file: &SkillFile| SkillResource::from_bytes(address(skill, file.path), file.text.as_bytes());
    let files = skill.files.iter().map(digest).collect();
    Entry::new(address(skill, ENTRY), front_matter, SkillResources::Files(files))
}

fn resource(skill: &Skill, file: &SkillFile) -> Resource {
    let uri = address(skill, file.path);
    let resource = if file.path == ENTRY {
        Resource::new(uri, skill.name)
            .with_title(format!("Skill: {}", skill.title))
            .with_description(skill.description.clone())
    } else {
        let name = file.path.rsplit('/').next().unwrap_or(file.path);
        Resource::new(uri, name).with_description(format!("Belongs to the skill {}.", skill.name))
    };
    resource.with_mime_type(MARKDOWN).with_size(file.text.len() as u64)
}

fn address(skill: &Skill, path: &str) -> String {
    format!("{SCHEME}{}/{path}", skill.name)
}
