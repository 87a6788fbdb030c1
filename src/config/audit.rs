//! Settings of the audit trail.

use std::path::PathBuf;

use super::{Problems, ServeFlags, Upstream};
use crate::domain::Environment;
use crate::secret::Secret;

/// Where the trail is written, and the key of its hashes.
#[derive(Debug)]
pub struct AuditSettings {
    /// The file.
    pub log: PathBuf,
    /// The key; without one anybody can make the hashes.
    pub key: Option<Secret>,
}

/// Reads them: none where there is no trail. In production over HTTP there must be one.
pub(super) fn read(
    flags: &ServeFlags,
    on_stdio: bool,
    upstream: Option<&Upstream>,
    problems: &mut Problems,
) -> Option<AuditSettings> {
    let is_production =
        matches!(upstream, Some(Upstream::Remote(remote)) if remote.environment == Environment::Production);
    let key = flags.audit_key.as_ref().and_then(|path| match Secret::from_file(path) {
        Ok(key) => Some(key),
        Err(error) => {
            problems.add(format!("--audit-key: the file {error}"));
            None
        }
    });
    let Some(log) = flags.audit_log.clone() else {
        if flags.audit_key.is_some() {
            problems.add("--audit-key needs --audit-log: there is no trail to use it for");
        }
        if is_production && !on_stdio {
            problems.add(
                "production over HTTP needs an audit trail: give --audit-log FILE (and --audit-key FILE, so that nobody without the key can rewrite it)",
            );
        }
        return None;
    };
    Some(AuditSettings { log, key })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::Serve;
    use super::super::variables::Variables;
    use super::*;

    fn serve(
        transport: &str,
        environment: Option<&str>,
        log: Option<&str>,
        key: Option<&str>,
    ) -> Result<Serve, String> {
        let mut variables = HashMap::new();
        if let Some(environment) = environment {
            variables.insert("FINTECTURE_ENVIRONMENT", environment.to_owned());
            variables.insert("FINTECTURE_CUSTOMER_TOKEN", "t".to_owned());
        }
        let get = |name: &str| variables.get(name).cloned();
        let flags = ServeFlags {
            transport: Some(transport.to_owned()),
            audit_log: log.map(PathBuf::from),
            audit_key: key.map(PathBuf::from),
            ..ServeFlags::default()
        };
        Serve::read(flags, &Variables::new(&get), Problems::default())
            .map_err(|draft| draft.problems.to_string())
    }

    #[test]
    fn production_over_http_has_a_trail() {
        let refused = serve("http", Some("production"), None, None).unwrap_err();
        assert!(refused.contains("production over HTTP needs an audit trail: give --audit-log"), "{refused}");
        let without = |refused: Result<Serve, String>| {
            refused.err().is_none_or(|refused| !refused.contains("needs an audit trail"))
        };
        assert!(without(serve("http", Some("production"), Some("audit.log"), None)));
        assert!(without(serve("stdio", Some("production"), None, None)));
        assert!(without(serve("http", Some("sandbox"), None, None)));
    }

    #[test]
    fn a_trail_is_of_a_named_environment() {
        let refused = serve("stdio", None, Some("audit.log"), None).unwrap_err();
        assert!(refused.contains("the environment must be named"), "{refused}");
    }

    #[test]
    fn a_key_is_a_file_and_for_a_trail() {
        let sandbox = Some("sandbox");
        let refused = serve("stdio", sandbox, None, Some("no-such-file")).unwrap_err();
        assert!(refused.contains("--audit-key: the file cannot be read"), "{refused}");
        assert!(refused.contains("--audit-key needs --audit-log"), "{refused}");
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, "canary-audit-key").unwrap();
        let read = serve("stdio", sandbox, Some("audit.log"), key.to_str()).unwrap();
        assert!(!format!("{read:?}").contains("canary"));
        assert!(read.audit.unwrap().key.is_some());
    }
}
