//! Puts this server into a client's configuration: which file, which members, and not a byte of anybody else's.
//!
//! Texts are changed by what is added and by what of our own entry is replaced; the rest is copied as it stands.
//! Knows the clients and their files; not how this server is configured, nor who runs it.

mod client;
mod document;
mod entry;
mod file;
mod layout;
#[cfg(test)]
mod tests;

pub use client::{Client, Places, Scope};
pub use document::Broken;
pub use entry::{Existing, Question, Server};
pub use file::{ClientFile, FileError, create, lock};

use document::Document;
use entry::Standing;
use serde_json::{Map, Value};

/// What is to stand in a client's file.
#[derive(Debug)]
pub struct Wanted {
    /// Whose file.
    pub client: Client,
    /// What the server is called there.
    pub name: String,
    /// How it is reached.
    pub server: Server,
    /// What the client has to ask its user for.
    pub questions: Vec<Question>,
}

/// What became of a text.
#[derive(Debug)]
pub enum Merged {
    /// The entry stands there as it should.
    Same,
    /// The entry is new: this is the text with it.
    Added(String),
    /// The entry was there and is another now: the text, and what changed, a line each.
    Changed(String, Vec<String>),
}

/// Why a text is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is not what the client reads.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The name is another server's.
    #[error("the name \"{0}\" is another server's there: choose one with --name")]
    Taken(String),
    /// The name is this server's, in a container.
    #[error(
        "\"{0}\" starts this server in a container there, whose variables and paths are its own: change it by hand, or choose another --name"
    )]
    Contained(String),
}

/// What this server's entry of a name says in a client's text; `None` where there is none, or it is another's.
///
/// # Errors
/// [`Broken`] where the text is.
pub fn existing(client: Client, name: &str, text: &str) -> Result<Option<Existing>, Broken> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let entry = Document::parse(body, client.dialect())?.get(&[client.section(), name])?;
    Ok(entry.as_ref().and_then(entry::existing))
}

impl Wanted {
    /// The entry in a file that holds nothing else.
    #[must_use]
    pub fn alone(&self) -> String {
        let mut file = Map::new();
        if !self.questions.is_empty() {
            file.insert("inputs".to_owned(), self.questions.iter().map(Question::input).collect());
        }
        let entry = Value::Object(entry::entry(self.client, &self.server));
        let servers = Map::from_iter([(self.name.clone(), entry)]);
        file.insert(self.client.section().to_owned(), Value::Object(servers));
        layout::pretty(&Value::Object(file), "  ")
    }

    /// A client's text with the entry in it.
    ///
    /// # Errors
    /// [`Refused`] where the text is broken, or the name taken.
    pub fn merge(&self, text: &str) -> Result<Merged, Refused> {
        // Editors on Windows put a mark before the text, which is no part of the JSON.
        let (mark, body) = match text.strip_prefix('\u{feff}') {
            Some(body) => ("\u{feff}", body),
            None => ("", text),
        };
        let mut edited = body.to_owned();
        let (existing, told) = self.put_entry(&mut edited)?;
        for question in &self.questions {
            self.put_question(&mut edited, question)?;
        }
        let edited_all = || format!("{mark}{edited}");
        Ok(match existing {
            _ if edited == body => Merged::Same,
            true => Merged::Changed(edited_all(), told),
            false => Merged::Added(edited_all()),
        })
    }

    /// Whether there was one, and what of it changed.
    fn put_entry(&self, text: &mut String) -> Result<(bool, Vec<String>), Refused> {
        let (dialect, section) = (self.client.dialect(), self.client.section());
        let entry = entry::entry(self.client, &self.server);
        let path = [section, self.name.as_str()];
        let document = Document::parse(text, dialect)?;
        let Some(existing) = document.get(&path)? else {
            *text = document.set(&path, &Value::Object(entry))?;
            return Ok((false, Vec::new()));
        };
        let dropped = match &self.server {
            Server::Program { dropped, .. } => dropped.as_slice(),
            Server::Address { .. } => &[],
        };
        match entry::compare(&existing, &entry, dropped) {
            Standing::Foreign => Err(Refused::Taken(self.name.clone())),
            Standing::Contained => Err(Refused::Contained(self.name.clone())),
            Standing::OursOtherwise => {
                *text = document.set(&path, &Value::Object(entry))?;
                Ok((true, vec!["it is reached another way: the whole entry is replaced".to_owned()]))
            }
            Standing::Ours(changes) => {
                for change in &changes {
                    let names = change.path.iter().map(String::as_str);
                    let path: Vec<&str> = path.into_iter().chain(names).collect();
                    *text = Document::parse(text, dialect)?.set(&path, &change.value)?;
                }
                Ok((true, changes.into_iter().flat_map(|change| change.told).collect()))
            }
        }
    }

    /// A question that is there stays as it is, whatever words its user gave it.
    fn put_question(&self, text: &mut String, question: &Question) -> Result<(), Broken> {
        let document = Document::parse(text, self.client.dialect())?;
        let inputs = document.get(&["inputs"])?;
        let mut ids = inputs.iter().filter_map(Value::as_array).flatten().filter_map(|input| input.get("id"));
        if !ids.any(|id| *id == question.id) {
            *text = document.push("inputs", &question.input())?;
        }
        Ok(())
    }
}
