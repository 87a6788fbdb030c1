//! The features that are measured, and how a server is started that has one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonwebtoken::Algorithm;

use super::beside::{self, AUDIENCE, Issuer, Redis};
use super::stand::server::Start;
use super::upstream;

/// The servers without a feature: the second shows the noise.
pub(crate) const PLAIN: &str = "none";

/// A server with a feature.
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    /// The server that it is compared with, by name.
    pub(crate) beside: &'static str,
    pub(crate) start: Start,
    /// What its clients show.
    pub(crate) token: Option<String>,
}

/// What the servers are started with.
pub(crate) struct Place<'a> {
    pub(crate) program: PathBuf,
    pub(crate) upstream: String,
    /// For files: keys, tokens, trails.
    pub(crate) folder: &'a Path,
    pub(crate) issuer: &'a Issuer,
    pub(crate) redis: Option<&'a Redis>,
}

impl Place<'_> {
    fn plain(&self) -> Start {
        Start::new(&self.program, &self.upstream)
    }

    fn file(&self, name: &str, text: &str) -> anyhow::Result<String> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    fn flags(&self, flags: &[&str]) -> Start {
        let mut start = self.plain();
        start.arguments.extend(flags.iter().map(|&flag| flag.to_owned()));
        start
    }

    /// Every feature that can be had here.
    pub(crate) async fn features(&self) -> anyhow::Result<Vec<Feature>> {
        let plain = |name, start| Feature { name, beside: PLAIN, start, token: None };
        let trail = |name: &str| self.folder.join(name).display().to_string();
        let mut features = vec![
            plain(PLAIN, self.plain()),
            plain("none, again", self.plain()),
            plain("masking", self.flags(&["--personal-data", "masked"])),
            plain("audit trail", self.flags(&["--audit-log", &trail("trail")])),
        ];
        let key = self.file("audit-key", "a-key-of-the-bench-that-nobody-else-has-or-wants")?;
        let keyed = self.flags(&["--audit-log", &trail("keyed-trail"), "--audit-key", &key]);
        features.push(plain("audit trail with a key", keyed));
        features.extend(self.inbound()?);
        features.extend(self.towards_the_upstream().await?);
        Ok(features)
    }

    /// Those at the server's door.
    fn inbound(&self) -> anyhow::Result<Vec<Feature>> {
        let made =
            fintecture_mcp::access::NewToken::random().ok_or_else(|| anyhow::anyhow!("no randomness"))?;
        let token = secrecy::ExposeSecret::expose_secret(&made.token).to_owned();
        let tokens = self.file("tokens", &format!("agent customers:read {}\n", made.digest))?;
        // An agent may make 3,000 calls a minute by default, which is less than this load.
        let door = ["--limit", "calls-per-minute=1000000000", "--auth-tokens", &tokens];
        let one = |name, beside, start| Feature { name, beside, start, token: Some(token.clone()) };
        let mut features = vec![one("inbound token", PLAIN, self.flags(&door))];
        if let Some(redis) = self.redis {
            let key = self.file("store-key", "0123456789abcdef0123456789abcdef")?;
            let store = ["--store", &redis.url, "--store-key", &key];
            features.push(one(
                "Redis store, with the token",
                "inbound token",
                self.flags(&[&door[..], &store].concat()),
            ));
        }
        for (name, algorithm) in [("JWT (RS256)", Algorithm::RS256), ("JWT (ES256)", Algorithm::ES256)] {
            let start = self.flags(&[
                "--limit",
                "calls-per-minute=1000000000",
                "--oauth-issuer",
                self.issuer.name(),
                "--oauth-audience",
                AUDIENCE,
            ]);
            features.push(Feature { name, beside: PLAIN, start, token: Some(self.issuer.token(algorithm)?) });
        }
        Ok(features)
    }

    /// Those on the way to the upstream.
    async fn towards_the_upstream(&self) -> anyhow::Result<Vec<Feature>> {
        let plain = |name, start| Feature { name, beside: PLAIN, start, token: None };
        let with = |mut start: Start, variables: &[(&str, &str)]| {
            start
                .variables
                .extend(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
            start
        };
        let key = self.file("signing-key", &beside::rsa_key()?)?;
        let signing = [("FINTECTURE_APP_ID", "bench"), ("FINTECTURE_PRIVATE_KEY_FILE", key.as_str())];
        let mut application = self.plain();
        application.variables.retain(|(name, _)| name != "FINTECTURE_CUSTOMER_TOKEN");
        let secret = [("FINTECTURE_APP_ID", "bench"), ("FINTECTURE_APP_SECRET", "secret-of-the-bench")];
        let (address, root) = beside::tls(upstream::routes(Arc::default())).await?;
        let root = self.file("root.pem", &root)?;
        let mut behind_tls = Start::new(&self.program, &format!("https://{address}"));
        behind_tls = with(behind_tls, &[("FINTECTURE_CA_FILE", &root)]);
        Ok(vec![
            plain("signature", with(self.plain(), &signing)),
            plain("client credentials", with(application, &secret)),
            plain("TLS to the upstream", behind_tls),
        ])
    }
}
