//! Flags of `serve` as words of a command line, for the files of clients that start the server with them.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ValueHint};

use super::{NAME, definition};

/// One flag, with what stands behind it: nothing, a value, or several where it may be given several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Its name, without dashes.
    pub name: String,
    /// Its values. Paths are absolute: a client starts the server in a folder of its own.
    pub values: Vec<String>,
    is_repeatable: bool,
    is_optional: bool,
}

/// The flags among the words behind `serve`, in their order; `None` where the words are none of `serve`'s.
pub(crate) fn serve_flags(words: &[String]) -> Option<Vec<Flag>> {
    let words = match words.split_first() {
        Some((first, rest)) if first == "serve" => rest,
        _ => words,
    };
    let line = [NAME, "serve"].into_iter().map(str::to_owned).chain(words.iter().cloned());
    let mut command = definition();
    let matches = command.try_get_matches_from_mut(line.map(OsString::from)).ok()?;
    let (_, matches) = matches.subcommand()?;
    let serve = command.find_subcommand("serve")?;
    let mut found = Vec::new();
    for arg in serve.get_arguments() {
        let id = arg.get_id().as_str();
        let is_typed = matches.value_source(id) == Some(ValueSource::CommandLine);
        if let Some(name) = arg.get_long().filter(|_| is_typed) {
            let raw = matches.get_raw(id).into_iter().flatten();
            let values = raw.map(|value| in_full(arg, value.to_str()?)).collect::<Option<Vec<_>>>()?;
            let flag = Flag {
                name: name.to_owned(),
                values,
                is_repeatable: matches!(arg.get_action(), ArgAction::Append),
                is_optional: arg.is_require_equals_set(),
            };
            found.push((matches.index_of(id), flag));
        }
    }
    found.sort_by_key(|(place, _)| *place);
    Some(found.into_iter().map(|(_, flag)| flag).collect())
}

fn in_full(arg: &Arg, value: &str) -> Option<String> {
    // A client puts something absolute into a placeholder that a path begins with.
    if arg.get_value_hint() != ValueHint::AnyPath || value.starts_with("${") {
        return Some(value.to_owned());
    }
    Some(std::path::absolute(value).ok()?.to_str()?.to_owned())
}

/// Lays flags over those that are there, of which none is lost: one that is given again gets its new value, and one
/// that may stand several times gets one more, unless it sets the same name.
pub(crate) fn lay_over(mut there: Vec<Flag>, given: Vec<Flag>) -> Vec<Flag> {
    for flag in given {
        match there.iter_mut().find(|other| other.name == flag.name) {
            None => there.push(flag),
            Some(other) if flag.is_repeatable => {
                for value in flag.values {
                    other.values.retain(|old| name_in(old) != name_in(&value));
                    other.values.push(value);
                }
            }
            Some(other) => *other = flag,
        }
    }
    there
}

fn name_in(value: &str) -> &str {
    value.split('=').next().unwrap_or(value)
}

impl Flag {
    /// As it stands on a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let name = &self.name;
        let one = |value: &String| match value.as_str() {
            "true" if self.is_optional => vec![format!("--{name}")],
            _ if self.is_optional || value.starts_with('-') => vec![format!("--{name}={value}")],
            _ => vec![format!("--{name}"), value.clone()],
        };
        self.values.iter().flat_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> Vec<Flag> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        serve_flags(&words).unwrap()
    }

    fn line(flags: &[Flag]) -> String {
        flags.iter().flat_map(Flag::words).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_come_back_as_they_were() {
        for same in [
            "",
            "--read-only --environment production --limit sessions=5 --limit streams=6",
            "--stop-writes /a/b --read-only=false",
            "--stop-writes ${workspaceFolder}/stop",
        ] {
            assert_eq!(line(&flags(same)), same);
        }
        assert_eq!(line(&flags("serve --read-only=true --log-format=json")), "--read-only --log-format json");
        assert!(serve_flags(&["demo".to_owned()]).is_none());
    }

    #[test]
    fn every_path_is_made_absolute() {
        for name in [
            "capabilities",
            "stop-writes",
            "auth-tokens",
            "tls-cert",
            "tls-key",
            "audit-log",
            "audit-key",
            "store-key",
        ] {
            let here = std::path::absolute("x").unwrap();
            assert_eq!(flags(&format!("--{name} x"))[0].values, [here.to_str().unwrap()], "{name}");
        }
    }

    #[test]
    fn none_is_lost_under_another() {
        let both = lay_over(
            flags("--read-only --limit a=1 --limit b=2 --confirm-writes always"),
            flags("--limit b=3 --confirm-writes auto --audit-log /a"),
        );
        assert_eq!(line(&both), "--read-only --limit a=1 --limit b=3 --confirm-writes auto --audit-log /a");
        assert_eq!(
            line(&lay_over(both, flags("--read-only=false"))).split(' ').next(),
            Some("--read-only=false")
        );
    }
}
