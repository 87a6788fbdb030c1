//! `fintecture-mcp simulator`: its settings, every problem at once, and its run.

use std::net::SocketAddr;
use std::path::Path;

use super::listen;
use super::signals::stop_on_signals;
use crate::cli::SimulatorArgs;
use crate::config::{LogFormat, Problems, loopback_address};
use crate::domain::Environment;
use crate::simulator::{self, Fault, Faults, PublicKey, SimulatorConfig};
use crate::telemetry;

/// The values of `provider_id` that are worth offering: those with which the simulator plays a part.
pub(super) fn provider_ids(environment: Environment) -> &'static [&'static str] {
    use crate::simulator::provider::{FAILED, INSTANT, NEVER, SLOW};
    match environment {
        Environment::Simulator => &[INSTANT, SLOW, FAILED, NEVER],
        Environment::Sandbox | Environment::Production => &[],
    }
}

/// Checks the flags.
///
/// # Errors
/// Every problem, those found before included.
pub(super) fn settings(
    args: SimulatorArgs,
    mut problems: Problems,
) -> Result<(SocketAddr, SimulatorConfig), Problems> {
    let listen = loopback_address("--listen", &args.listen, &mut problems);
    let faults = faults(&args.fault, args.fault_seed.as_deref(), &mut problems);
    let public_key = args.public_key.and_then(|path| public_key(&path, &mut problems));
    let listen = problems.or(listen)?;
    Ok((listen, SimulatorConfig { token: args.token, public_key, faults }))
}

/// Runs the simulator until a signal ends it.
///
/// # Errors
/// When it cannot listen, or the listener fails for good.
pub(super) async fn run((address, config): (SocketAddr, SimulatorConfig)) -> anyhow::Result<()> {
    telemetry::start(LogFormat::Text);
    let shutdown = stop_on_signals()?;
    let listener = listen(address).await?;
    tracing::info!(
        "the simulator of the Fintecture Customers API answers at http://{}",
        listener.local_addr()?
    );
    Ok(simulator::serve(listener, config, shutdown).await?)
}

/// Without a seed each run fails in its own way; it is logged, so that the run can be seen again.
fn faults(texts: &[String], seed: Option<&str>, problems: &mut Problems) -> Faults {
    let mut faults = Vec::new();
    for text in texts {
        match text.parse::<Fault>() {
            Ok(fault) => faults.push(fault),
            Err(invalid) => problems.add(format!("--fault {text}: {invalid}")),
        }
    }
    let seed = seed.map_or_else(
        || uuid::Uuid::new_v4().as_u64_pair().0,
        |seed| {
            if texts.is_empty() {
                problems.add("--fault-seed does nothing without --fault");
            }
            seed.parse().unwrap_or_else(|_| {
                problems.add(format!("--fault-seed must be a whole number from 0 to {}", u64::MAX));
                0
            })
        },
    );
    Faults::new(faults, seed)
}

fn public_key(path: &Path, problems: &mut Problems) -> Option<PublicKey> {
    let read = std::fs::read(path).map_err(|error| error.to_string());
    let key = read.and_then(|pem| PublicKey::from_pem(&pem).map_err(|invalid| invalid.to_string()));
    key.map_err(|error| problems.add(format!("--public-key {}: {error}", path.display()))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(faults: &[&str], seed: Option<&str>) -> SimulatorArgs {
        SimulatorArgs {
            listen: "127.0.0.1:0".to_owned(),
            token: None,
            public_key: None,
            fault: faults.iter().map(|&fault| fault.to_owned()).collect(),
            fault_seed: seed.map(str::to_owned),
        }
    }

    #[test]
    fn good_flags_become_settings() {
        let (_, config) =
            settings(args(&["hang", "status=503:0.2@reads"], Some("7")), Problems::default()).unwrap();
        assert_eq!(config.faults, Faults::parse(["hang", "status=503:0.2@reads"], 7).unwrap());
        assert!(config.public_key.is_none());
        let seed = || settings(args(&[], None), Problems::default()).unwrap().1.faults.seed();
        assert_ne!(seed(), seed());
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let wrong = SimulatorArgs {
            listen: "nowhere".to_owned(),
            public_key: Some("/does/not/exist.pem".into()),
            ..args(&["oops", "hang:2"], Some("-1"))
        };
        let problems = settings(wrong, Problems::default()).unwrap_err().to_string();
        let flags: Vec<_> = problems.lines().map(|line| line.split([':', ' ']).next().unwrap()).collect();
        assert_eq!(flags, ["--listen", "--fault", "--fault", "--fault-seed", "--public-key"]);
        assert!(problems.contains("--fault oops: there is no such fault"), "{problems}");
        let alone = settings(args(&[], Some("7")), Problems::default()).unwrap_err().to_string();
        assert_eq!(alone, "--fault-seed does nothing without --fault");
    }
}
