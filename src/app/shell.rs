//! `completions` and `man`, made from the command line's own definition.

use std::io;

use anyhow::Context;
use clap::Arg;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;
use clap_mangen::Man;

use super::Failed;
use crate::cli;
use crate::config::Problems;

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell, problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut with_values(cli::definition()), cli::NAME, &mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if shell == Shell::Bash {
        // clap_complete 4.6 spells a name with a dash in two ways there, and then knows no flag of a command
        // (https://github.com/clap-rs/clap/issues/6421).
        text = text.replace(&cli::NAME.replace('-', "__subcmd__"), &cli::NAME.replace('-', "__"));
    }
    super::print(text.trim_end());
    Ok(())
}

/// Prints the manual page: the program's, and the flags of each command behind it.
pub(super) fn manual(problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    let mut definition = cli::definition();
    // Commands are called by their whole names from here on.
    definition.build();
    let mut page = Vec::new();
    render(&definition, &mut page).context("the manual page")?;
    super::print(String::from_utf8_lossy(&page).trim_end());
    Ok(())
}

fn render(definition: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    Man::new(definition.clone()).render(page)?;
    let mut waiting: Vec<&clap::Command> = commands(definition).collect();
    while !waiting.is_empty() {
        let command = waiting.remove(0);
        let further: Vec<_> = commands(command).collect();
        if further.is_empty() {
            render_command(command, page)?;
        }
        waiting.splice(0..0, further);
    }
    Ok(())
}

/// The commands of a command, without clap's own `help`.
fn commands(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help")
}

/// A command as one section; what clap puts into sections of their own follows without a heading.
fn render_command(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut body = Vec::new();
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_uppercase();
    page.extend(format!(".SH \"{name}\"\n").bytes());
    for line in String::from_utf8_lossy(&body).lines().filter(|line| !line.starts_with(".SH ")) {
        page.extend(line.bytes().chain([b'\n']));
    }
    Ok(())
}

/// The values of flags such as `--transport stdio|http`, which the program itself checks later, are known to shells.
fn with_values(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match values(&arg) {
        Some(values) => arg.value_parser(PossibleValuesParser::new(values)),
        None => arg,
    });
    command.mut_subcommands(with_values)
}

/// The words in a value's name, where it lists them and nothing else.
fn values(arg: &Arg) -> Option<Vec<String>> {
    let names = arg.get_value_names()?.first()?;
    let is_word = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    (names.contains('|') && names.split('|').all(is_word))
        .then(|| names.split('|').map(str::to_owned).collect())
}
