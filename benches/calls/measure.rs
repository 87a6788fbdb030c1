//! Measures: starts what one table needs, and puts it under load.

use std::path::Path;
use std::time::Duration;

use crate::options::{Options, Setting, Subject};
use crate::report::{Entry, Missing, Run};
use crate::stand::cases::{Case, Streams, interleave};
use crate::stand::clients::Wire;
use crate::stand::nginx;
use crate::stand::server::Start;
use crate::stand::upstream::Upstream;

/// The passthrough, which the ratios are to.
pub(crate) const PASSTHROUGH: &str = "passthrough";
/// A second one, at another place in each round: how far it lies from the first is noise.
pub(crate) const AGAIN: &str = "passthrough again";

/// Makes the figures of one table, with servers of its own: memory is of this load alone. What does not start is left out,
/// and says why; a wrong answer fails.
pub(crate) async fn run(options: &Options, server: &Path, setting: Setting) -> anyhow::Result<Run> {
    let upstream = Upstream::start(setting.delay)?;
    let start = Start::new(server, &upstream.url());
    let mut cases = vec![Case::passthrough(PASSTHROUGH, &upstream)?];
    let mut missing = Vec::new();
    let subjects = options.subjects();
    let half = subjects.len().div_ceil(2);
    for (place, &subject) in subjects.iter().enumerate() {
        if place == half {
            cases.push(Case::passthrough(AGAIN, &upstream)?);
        }
        match case(subject, &upstream, &start).await {
            Ok(case) => cases.push(case),
            Err(error) => {
                let (name, reason) = (subject.name().to_owned(), format!("{error:#}"));
                missing.push(Missing { name, reason });
            }
        }
    }
    if half >= subjects.len() {
        cases.push(Case::passthrough(AGAIN, &upstream)?);
    }
    let time = Duration::from_secs_f64(options.seconds);
    let rounds = interleave(&cases, setting.in_flight.into(), options.rounds.into(), time).await?;
    let limit = rounds.first().cloned().unwrap_or_default();
    let entries =
        cases.iter().zip(rounds).map(|(case, rounds)| Entry::new(&case.name, rounds, &limit)).collect();
    Ok(Run { delay_ms: setting.delay, in_flight: setting.in_flight, entries, missing })
}

async fn case(subject: Subject, upstream: &Upstream, start: &Start) -> anyhow::Result<Case> {
    let name = subject.name();
    let http = |wire| anyhow::Ok(Case::server(wire, start.http(name)?));
    match subject {
        Subject::Straight => Ok(Case::straight(name, upstream)),
        Subject::Nginx => Ok(Case::server(Wire::Get, nginx::start(name, upstream.part.address)?)),
        Subject::Stateless => http(Wire::Stateless),
        Subject::Session => http(Wire::Session),
        Subject::Watched => http(Wire::Watched),
        Subject::LegacySse => http(Wire::LegacySse),
        Subject::Rest => http(Wire::Rest),
        Subject::Pipes => Case::stdio(name, start, Streams::Pipes).await,
        Subject::Sockets => Case::stdio(name, start, Streams::Sockets).await,
    }
}
