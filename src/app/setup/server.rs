//! The server that a client is to use, as the flags of `setup` describe it, checked as the server will check it.

use std::path::{Path, PathBuf};

use url::Url;

use super::secret_file::{self, PLACEHOLDER};
use super::{command, kept};
use crate::cli::{self, Command, Flag, NAME, Parsed, SetupArgs};
use crate::config::{Problems, Serve, ServeFlags, variables};
use crate::domain::{Environment, is_loopback};
use crate::setup::{Client, Existing, Places, Question, Scope, Server};

/// A server for a client's file.
pub(super) struct Planned {
    pub(super) server: Server,
    pub(super) questions: Vec<Question>,
    /// What the person has to know or do, a line each.
    pub(super) notes: Vec<String>,
}

/// Reads the flags. `None` where they are wrong; the problems say how.
pub(super) fn read(
    args: &SetupArgs,
    client: Client,
    scope: Scope,
    places: &Places,
    existing: Option<&Existing>,
    problems: &mut Problems,
) -> Option<Planned> {
    match &args.url {
        Some(url) => address(args, url, client, problems),
        None => program(args, client, scope, places, existing, problems),
    }
}

fn address(args: &SetupArgs, url: &str, client: Client, problems: &mut Problems) -> Option<Planned> {
    if !client.takes_addresses() {
        problems.add(format!(
            "--url: {} reads no addresses from its file; add this one under Settings, Connectors",
            client.title()
        ));
        return None;
    }
    if let Err(reason) = check_address(url) {
        problems.add(format!("--url {reason}"));
        return None;
    }
    let variable = variables::MCP_TOKEN.variable.name;
    let id = format!("{}-mcp-token", args.name);
    let reference = client.reference(variable, &id).filter(|_| args.bearer);
    let (questions, notes) = match reference {
        None => (Vec::new(), Vec::new()),
        Some(_) if client.asks() => {
            let description = "Bearer token for the server (fintecture-mcp)".to_owned();
            let note = format!("{} asks for the token when it connects, and keeps it.", client.title());
            (vec![Question { id, description }], vec![note])
        }
        Some(_) => {
            let note =
                format!("{} takes the token from {variable}: set it where it is started.", client.title());
            (Vec::new(), vec![note])
        }
    };
    let authorization = reference.map(|reference| format!("Bearer {reference}"));
    Some(Planned { server: Server::Address { url: url.to_owned(), authorization }, questions, notes })
}

fn check_address(url: &str) -> Result<(), &'static str> {
    let Ok(url) = Url::parse(url) else { return Err("must be an address such as http://127.0.0.1:8080/mcp") };
    if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) {
        return Err("must be https, or http on this machine: tokens and personal data go there");
    }
    let has_more = !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
    if has_more || url.query().is_some() {
        return Err("must have no user, password, query or fragment: they would stand in the client's file");
    }
    if url.path() == "/" {
        return Err("must have its path, such as http://127.0.0.1:8080/mcp");
    }
    Ok(())
}

fn program(
    args: &SetupArgs,
    client: Client,
    scope: Scope,
    places: &Places,
    existing: Option<&Existing>,
    problems: &mut Problems,
) -> Option<Planned> {
    let before = problems.len();
    let kept = kept::read(existing, problems);
    let environment = &*kept.environment(args.environment.as_deref(), problems);
    let mut given = given_variables(&args.variable, problems);
    let told = serve_flags(&args.serve_flags, problems);
    let (words, flags, mut notes) = match cli::serve_flags(&args.serve_flags) {
        Some(flags) => all_flags(&kept.flags, flags, problems),
        None => (Vec::new(), told, Vec::new()),
    };
    if client == Client::ClaudeDesktop && args.serve_flags.iter().any(|word| word.contains("${")) {
        problems.add(format!("behind --: {} puts nothing into placeholders: write it out", client.title()));
    }
    let mut questions = Vec::new();
    let token = variables::CUSTOMER_TOKEN;
    let variable = token.variable.name;
    // The client keeps the answer by this id: a sandbox's token must not come to production.
    let id = format!("{}-{environment}-token", args.name);
    let asked = client.reference(variable, &id).filter(|_| client.asks());
    let home = client.home().zip(places.home.to_str());
    let stays = kept.sort(environment, &given, |value| asked.as_deref() == Some(value), home);
    let mut set = given.clone();
    set.extend(stays.set);
    given.extend(stays.shown);
    let needs_token = environment != Environment::Simulator.as_str()
        && !set.iter().any(|(name, _)| kept::is_credential(name));
    if needs_token {
        if let Some(reference) = asked {
            let description = format!("Fintecture customer token ({environment})");
            questions.push(Question { id, description });
            let what = "the customer token when it starts the server";
            notes.push(format!("{} asks for {what}, and keeps it.", client.title()));
            set.push((variable.to_owned(), PLACEHOLDER.to_owned()));
            given.push((variable.to_owned(), reference));
        } else {
            let file = token_file(environment, places);
            set.push((token.file_name(), file.to_str()?.to_owned()));
            given.push((token.file_name(), in_clients_words(&file, client, scope, places)?));
        }
    }
    notes.extend(set.iter_mut().filter_map(secret_file::note));
    check(environment, flags, &set, problems);
    if problems.len() > before {
        return None;
    }
    let (command, mut arguments) = command::command(scope).map_err(|reason| problems.add(reason)).ok()?;
    arguments.extend(["--environment".to_owned(), environment.to_owned()]);
    arguments.extend(words);
    if environment == Environment::Simulator.as_str() {
        notes.push("It plays on the built-in simulator: everything in it is made up.".to_owned());
    }
    let server = Server::Program { command, arguments, variables: given, dropped: stays.dropped };
    Some(Planned { server, questions, notes })
}

/// The flags that are given over those that stay, as words and as the server reads them, and what is told of them.
fn all_flags(
    kept: &[Flag],
    given: Vec<Flag>,
    problems: &mut Problems,
) -> (Vec<String>, ServeFlags, Vec<String>) {
    let is_given = |flag: &&Flag| given.iter().any(|other| other.name == flag.name);
    let stay = kept.iter().filter(|flag| !is_given(flag)).map(|flag| format!("--{}", flag.name));
    let stay: Vec<String> = stay.collect();
    let note = (!stay.is_empty()).then(|| format!("Kept as the entry has it: {}.", stay.join(", ")));
    let words: Vec<String> = cli::lay_over(kept.to_vec(), given).iter().flat_map(Flag::words).collect();
    let flags = serve_flags(&words, problems);
    (words, flags, note.into_iter().collect())
}

/// What stands in `--variable`, checked name by name.
fn given_variables(texts: &[String], problems: &mut Problems) -> Vec<(String, String)> {
    let mut given: Vec<(String, String)> = Vec::new();
    for text in texts {
        let Some((name, value)) = text.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            problems.add("--variable must be NAME=VALUE");
            continue;
        };
        let is_file = variables::SECRETS.iter().any(|secret| secret.file_name() == name);
        if variables::SECRETS.iter().any(|secret| secret.variable.name == name) {
            problems.add(format!(
                "--variable {name}: a secret never goes into a client's file: put it into a file, and give {name}_FILE"
            ));
        } else if variables::holds_secret(name) {
            problems.add(format!(
                "--variable {name}: it may hold a secret, which never goes into a client's file: set it where the client is started"
            ));
        } else if let Some(how) = variables::unfilled(value) {
            problems.add(format!("--variable {name} is {how}"));
        } else if name == variables::ENVIRONMENT.name {
            problems.add(format!("--variable {name}: say --environment"));
        } else if given.iter().any(|(other, _)| other == name) {
            problems.add(format!("--variable {name} is given twice"));
        } else if is_file || variables::ALL.iter().any(|known| known.name == name) {
            // A client starts the server in a folder of its own.
            let is_path = is_file || name == variables::CA_FILE.name;
            let path = std::path::absolute(value).ok().filter(|_| is_path);
            let value = path.and_then(|path| path.to_str().map(str::to_owned)).unwrap_or(value.to_owned());
            given.push((name.to_owned(), value));
        } else {
            problems.add(format!("--variable {name} is not a variable of {NAME}; --help lists them"));
        }
    }
    given
}

/// The flags behind `--`, as the server's own command line takes them.
fn serve_flags(words: &[String], problems: &mut Problems) -> ServeFlags {
    let line = [NAME, "serve"].into_iter().map(str::to_owned).chain(words.iter().cloned());
    match cli::parse(line.map(Into::into)) {
        Ok(Parsed::Run(command, wrong)) => {
            for line in wrong.to_string().lines() {
                problems.add(format!("behind --: {line}"));
            }
            let Command::Serve(args) = *command else { return ServeFlags::default() };
            let flags = ServeFlags::from(*args);
            if flags.transport.as_deref().is_some_and(|transport| transport != "stdio") {
                problems.add("behind --: a client that starts the server speaks to it over stdio");
            }
            if flags.environment.is_some() {
                problems.add("behind --: say --environment before it");
            }
            flags
        }
        Ok(Parsed::Show(_)) => {
            problems.add("behind --: only flags of a server that runs");
            ServeFlags::default()
        }
        Err(wrong) => {
            for line in wrong.to_string().lines() {
                problems.add(format!("behind --: {line}"));
            }
            ServeFlags::default()
        }
    }
}

/// Reads the settings as the server will.
fn check(environment: &str, flags: ServeFlags, set: &[(String, String)], problems: &mut Problems) {
    let flags = ServeFlags { environment: Some(environment.to_owned()), transport: None, ..flags };
    let read = |name: &str| set.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    if let Err(wrong) = Serve::read(flags, &variables::Variables::new(&read), Problems::default()) {
        for line in wrong.problems.to_string().lines() {
            problems.add(line);
        }
    }
}

/// Where the token of an environment is looked for, in a folder of this program's own.
fn token_file(environment: &str, places: &Places) -> PathBuf {
    places.settings.join(NAME).join(format!("{environment}-customer-token"))
}

/// A path as it stands in the client's file: in a project's, where every user has a home of their own, below it.
fn in_clients_words(file: &Path, client: Client, scope: Scope, places: &Places) -> Option<String> {
    let below = file.strip_prefix(&places.home).ok().and_then(Path::to_str);
    match (scope, client.home(), below) {
        (Scope::Project, Some(home), Some(below)) => Some(format!("{home}/{below}")),
        _ => file.to_str().map(str::to_owned),
    }
}
