//! The pages of a skill: what the templates in `templates/skill` are filled with.

use askama::Template;
use serde_json::{Map, Value, json};

use super::SkillFile;
use super::errors::advice;
use crate::capability::ToolWords;
use crate::tools::ErrorKind;
use crate::tools::definition::{ActionDefinition, Definition, Offer};
use crate::tools::dossier;
use crate::tools::prompts::Prompt;

/// How a value reads that the prompt would have been given.
const FROM_PERSON: &str = "(from the person)";
/// Members of every result: they are described once.
const IN_EVERY_RESULT: [&str; 4] = ["action", "environment", "hint", "error"];

/// What the pages are made of.
pub(super) struct Material<'a> {
    pub(super) front_matter: String,
    pub(super) prompt: &'a Prompt,
    pub(super) others: Vec<&'a Prompt>,
    pub(super) definitions: &'a [(Definition, ToolWords)],
    pub(super) offer: Offer,
}

#[derive(Template)]
#[template(path = "skill/SKILL.md")]
struct Entry<'a> {
    front_matter: &'a str,
    title: &'a str,
    about: &'a str,
    example: Example,
    procedure: String,
    from_person: &'static str,
    others: &'a [Task<'a>],
}

#[derive(Template)]
#[template(path = "skill/references/tools.md")]
struct ToolsPage<'a> {
    tools: Vec<ToolSection<'a>>,
}

#[derive(Template)]
#[template(path = "skill/references/errors.md")]
struct ErrorsPage {
    errors: [ErrorSection; ErrorKind::ALL.len()],
}

#[derive(Template)]
#[template(path = "skill/references/limits.md")]
struct LimitsPage {
    not_checked: &'static str,
}

#[derive(Template)]
#[template(path = "skill/references/other-tasks.md")]
struct OtherTasks<'a> {
    from_person: &'static str,
    others: &'a [Task<'a>],
}

/// A call that can be copied.
struct Example {
    tool: &'static str,
    call: String,
    arguments: Value,
}

struct Task<'a> {
    title: &'a str,
    description: &'a str,
    procedure: String,
}

struct ToolSection<'a> {
    name: &'static str,
    title: &'a str,
    description: &'a str,
    actions: Vec<ActionSection<'a>>,
    arguments: Vec<ArgumentLine<'a>>,
    results: String,
}

struct ActionSection<'a> {
    call: String,
    title: &'a str,
    description: &'a str,
    writes: bool,
    required: String,
    optional: String,
    example: Value,
}

struct ArgumentLine<'a> {
    name: &'a str,
    description: &'a str,
}

struct ErrorSection {
    kind: &'static str,
    when: &'static str,
    advice: &'static str,
}

impl Material<'_> {
    /// Every file, `SKILL.md` first.
    ///
    /// # Errors
    /// Where a page could not be written.
    pub(super) fn files(&self) -> Result<Vec<SkillFile>, askama::Error> {
        let others: Vec<Task<'_>> = self.others.iter().map(|prompt| task(prompt)).collect();
        let entry = Entry {
            front_matter: &self.front_matter,
            title: &self.prompt.title,
            about: &self.prompt.description,
            example: self.example(),
            procedure: self.prompt.procedure(FROM_PERSON),
            from_person: FROM_PERSON,
            others: &others,
        };
        let errors = ErrorKind::ALL.map(|kind| {
            let (when, advice) = advice(kind);
            ErrorSection { kind: kind.as_str(), when, advice }
        });
        let mut files = vec![
            file("SKILL.md", &entry)?,
            file("references/tools.md", &ToolsPage { tools: self.tools() })?,
            file("references/errors.md", &ErrorsPage { errors })?,
            file("references/limits.md", &LimitsPage { not_checked: dossier::NOT_CHECKED })?,
        ];
        if !others.is_empty() {
            let tasks = OtherTasks { from_person: FROM_PERSON, others: &others };
            files.push(file("references/other-tasks.md", &tasks)?);
        }
        Ok(files)
    }

    fn offered(&self) -> impl Iterator<Item = (&Definition, &ToolWords, Vec<&ActionDefinition>)> {
        self.definitions.iter().filter_map(|(definition, words)| {
            let actions: Vec<_> =
                definition.actions.iter().filter(|action| action.is_offered(self.offer)).collect();
            (!actions.is_empty()).then_some((definition, words, actions))
        })
    }

    /// The first call that reads and takes an argument.
    fn example(&self) -> Example {
        let calls = self.offered().flat_map(|(definition, _, actions)| {
            actions.into_iter().map(move |action| (definition.tool, action))
        });
        let mut reads = calls.filter(|(_, action)| !action.writes());
        let found = reads.find(|(_, action)| action.arguments.iter().any(|argument| argument.required));
        let (tool, action) = found.map_or(("", None), |(tool, action)| (tool, Some(action)));
        Example {
            tool,
            call: action.map(|action| call(tool, action)).unwrap_or_default(),
            arguments: action.map(arguments).unwrap_or_default(),
        }
    }

    fn tools(&self) -> Vec<ToolSection<'_>> {
        self.offered().map(|(definition, words, actions)| section(definition, words, &actions)).collect()
    }
}

fn section<'a>(
    definition: &'a Definition,
    words: &'a ToolWords,
    actions: &[&'a ActionDefinition],
) -> ToolSection<'a> {
    let taken = |name: &str| actions.iter().any(|action| action.argument(name).is_some());
    let arguments = words.arguments.iter().filter(|argument| taken(&argument.name));
    let members = definition.output_schema.get("properties").and_then(Value::as_object);
    let members = members.into_iter().flat_map(Map::keys).map(String::as_str);
    ToolSection {
        name: definition.tool,
        title: &words.title,
        description: &words.description,
        actions: actions.iter().filter_map(|action| action_section(definition.tool, action, words)).collect(),
        arguments: arguments
            .map(|argument| ArgumentLine { name: &argument.name, description: &argument.description })
            .collect(),
        results: named(members.filter(|member| !IN_EVERY_RESULT.contains(member))),
    }
}

fn action_section<'a>(
    tool: &str,
    action: &'a ActionDefinition,
    words: &'a ToolWords,
) -> Option<ActionSection<'a>> {
    let words = words.action(action.name)?;
    let names = |required: bool| {
        let wanted = action.arguments.iter().filter(move |argument| argument.required == required);
        named(wanted.map(|argument| argument.name.as_str()))
    };
    Some(ActionSection {
        call: call(tool, action),
        title: &words.title,
        description: &words.description,
        writes: action.writes(),
        required: names(true),
        optional: names(false),
        example: arguments(action),
    })
}

fn file(path: &'static str, page: &impl Template) -> Result<SkillFile, askama::Error> {
    Ok(SkillFile { path, text: page.render()?.trim_end().to_owned() + "\n" })
}

fn task(prompt: &Prompt) -> Task<'_> {
    Task { title: &prompt.title, description: &prompt.description, procedure: prompt.procedure(FROM_PERSON) }
}

/// `tool action`, as prompts write it.
fn call(tool: &str, action: &ActionDefinition) -> String {
    format!("{tool} {}", action.name)
}

/// What an action cannot do without, with values that it takes.
fn arguments(action: &ActionDefinition) -> Value {
    let required = action.arguments.iter().filter(|argument| argument.required);
    let values = required.map(|argument| (argument.name.clone(), argument.example.clone()));
    Value::Object(std::iter::once(("action".to_owned(), json!(action.name))).chain(values).collect())
}

/// Names in backticks, with commas between them.
fn named<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
