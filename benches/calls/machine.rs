//! Where a run was made, when, and of what.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use procfs::{CpuInfo, Current, Meminfo};
use serde::{Deserialize, Serialize};

/// The crates that a call goes through.
const CRATES: [&str; 6] = ["axum", "hyper", "reqwest", "rmcp", "serde_json", "tokio"];
const LOCK: &str = include_str!("../../Cargo.lock");

/// The surroundings of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The day, in UTC.
    pub(crate) date: String,
    /// The processor.
    pub(crate) processor: String,
    /// Its cores, as far as this run may use them.
    pub(crate) cores: usize,
    /// Memory, in GB of a thousand million bytes.
    pub(crate) memory_gb: u64,
    /// The kernel.
    pub(crate) kernel: String,
    /// What was measured and with what, by name.
    pub(crate) versions: BTreeMap<String, String>,
}

impl Machine {
    /// This one, now, with this server.
    pub(crate) fn here(server: &Path) -> anyhow::Result<Self> {
        let (processors, kernel) = (CpuInfo::current()?, procfs::sys::kernel::Version::current()?);
        let mut versions: BTreeMap<String, String> =
            CRATES.iter().filter_map(|name| Some(((*name).to_owned(), locked(name)?))).collect();
        for (name, command, flag) in [
            ("fintecture-mcp", server, "--version"),
            ("nginx", Path::new("nginx"), "-v"),
            ("rustc", Path::new("rustc"), "--version"),
        ] {
            versions.extend(version(command, flag).map(|version| (name.to_owned(), version)));
        }
        Ok(Self {
            date: jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
            processor: processors.model_name(0).unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gb: Meminfo::current()?.mem_total / 1_000_000_000,
            kernel: format!("{}.{}.{}", kernel.major, kernel.minor, kernel.patch),
            versions,
        })
    }
}

/// The version of a crate in the lock file; the last where there are several.
fn locked(name: &str) -> Option<String> {
    let (_, rest) = LOCK.rsplit_once(&format!("\nname = \"{name}\"\nversion = \""))?;
    rest.split('"').next().map(str::to_owned)
}

/// The version that a program tells, where it is installed.
fn version(program: &Path, flag: &str) -> Option<String> {
    let said = Command::new(program).arg(flag).output().ok()?;
    let said = String::from_utf8([said.stdout, said.stderr].concat()).ok()?;
    let version =
        said.split([' ', '/', '\n']).find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    version.map(str::to_owned)
}
