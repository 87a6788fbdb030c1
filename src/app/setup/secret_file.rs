//! Files of secrets that the server will read: they may still have to be made when its entry is written.

use std::path::Path;

use crate::config::variables::{SECRETS, STORE_URL};

/// Stands for a secret that is not there yet while the settings are checked.
pub(super) const PLACEHOLDER: &str = "a-secret-to-be-set";

/// What the person still has to do about the file that a variable names, if it is one of a secret's. One that is not
/// there gives way to the placeholder: the settings are checked as they will be once it is made.
pub(super) fn note(variable: &mut (String, String)) -> Option<String> {
    let secret = SECRETS.iter().find(|secret| secret.file_name() == variable.0)?;
    let name = secret.variable.name;
    let file = Path::new(&variable.1);
    if !file.exists() {
        // An address is a setting, too, that decides what else is checked: it has to be there.
        if name == STORE_URL.variable.name {
            return None;
        }
        let said = how_to_make(name, file);
        *variable = (name.to_owned(), PLACEHOLDER.to_owned());
        return Some(said);
    }
    let is_open = crate::secret::is_readable_by_others(file);
    is_open.then(|| format!("Others than you may read {}: chmod 600 it.", file.display()))
}

fn how_to_make(name: &str, file: &Path) -> String {
    let shown = file.display();
    let folder = quoted(file.parent().unwrap_or(file));
    let path = quoted(file);
    format!(
        "Put {name} into {shown}, readable by you alone. This asks for it, ended by Enter and Ctrl-D:\n  mkdir -p {folder} && (umask 077 && cat > {path})"
    )
}

/// A path as a word for a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}
