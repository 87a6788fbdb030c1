//! `serve`: the settings are read and checked, the parts built and handed to each other, and ended in order.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::parts::Parts;
use super::people::People;
use super::{
    Failed, access, approvals, audit, in_one_thread, listen, load, network, signals, simulate, store,
    upstream,
};
use crate::access::Access;
use crate::audit::Trail;
use crate::calls::{CallLimits, Calls, CallsConfig, Completions};
use crate::capability::Capabilities;
use crate::config::{Approvers, Limits, PersonalData, Problems, Serve, ServeFlags, Transport, variables};
use crate::domain::Environment;
use crate::fintecture::Fintecture;
use crate::mcp::{FormsCount, Server, Short};
use crate::pages;
use crate::rest::{Rest, RestConfig};
use crate::telemetry::{self, Metrics, Traces};
use crate::tools::Tools;
use crate::transports::{self, Exposition, HttpConfig, Workers};

/// Parts whose settings have been found good.
struct Prepared {
    transport: Transport,
    read_only: bool,
    upstream: upstream::Prepared,
    approvals: approvals::Prepared,
    access: Access,
    people: Option<People>,
    approvers: Approvers,
    http: HttpConfig,
    calls: CallsConfig,
    seals: store::Seals,
    capabilities: Arc<Capabilities>,
}

/// Serves until it is told to end.
///
/// # Errors
/// What is wrong with flags, variables and files, all at once; what went wrong later.
pub(super) fn run(flags: ServeFlags, problems: Problems) -> Result<(), Failed> {
    let (settings, capabilities) = read(flags, problems)?;
    telemetry::start(settings.log_format);
    let traces = settings.traces.clone();
    let prepared = prepare(settings, capabilities)?;
    // Outlives the runtime: the last spans are sent when everything else has ended.
    let environment = prepared.upstream.environment().as_str();
    let traces = traces.as_ref().map(|collector| Traces::start(collector, environment));
    let _traces = traces.transpose().map_err(Failed::Usage)?;
    let workers = Workers::start().context("cannot start a thread a core")?;
    // They outlive the transport: a write goes on there when its client has left.
    in_one_thread(serve(prepared, workers.clone()))
}

fn read(flags: ServeFlags, mut problems: Problems) -> Result<(Serve, Arc<Capabilities>), Failed> {
    let read = |name: &str| std::env::var(name).ok();
    variables::refuse_unreadable(&mut problems);
    variables::refuse_unknown(
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()),
        &mut problems,
    );
    let capabilities = load(flags.capabilities.as_deref());
    let settings = Serve::read(flags, &variables::Variables::new(&read), problems);
    let draft = match (settings, &capabilities) {
        (Ok(settings), Ok(capabilities)) => return Ok((settings, Arc::clone(capabilities))),
        (Ok(settings), Err(_)) => settings.into(),
        (Err(draft), _) => *draft,
    };
    let (_, mut problems) = Parts::of(draft);
    if let Err(refused) = capabilities {
        problems.add(refused);
    }
    Err(problems.into())
}

/// Checks what the settings alone do not show. What is wrong is told at once, a line each.
fn prepare(mut settings: Serve, capabilities: Arc<Capabilities>) -> Result<Prepared, Failed> {
    let Serve { transport, read_only, personal_data, .. } = settings;
    let kept = store::build(&settings.store, &settings.upstream);
    let (approvers, limits) = (settings.access.approvers, call_limits(&settings.limits));
    let (stop_writes, audit) = (settings.stop_writes.clone(), settings.audit.take());
    let (parts, mut problems) = Parts::of(settings.into());
    let Parts {
        upstream: Some(upstream),
        approvals: Some(approvals),
        access: Some((access, people)),
        http: Some(http),
    } = parts
    else {
        if let Err(error) = kept {
            problems.add(format!("{error:#}"));
        }
        return Err(problems.into());
    };
    let kept = kept?;
    let environment = upstream.environment();
    let trail = audit::open(audit, environment, &capabilities)?;
    let personal_data = personal_data.unwrap_or(PersonalData::default_of(environment));
    let calls = CallsConfig {
        stop_writes,
        masks_personal_data: personal_data == PersonalData::Masked,
        confirm: approvals.confirm(environment),
        limits,
        store: kept.store,
        trail,
    };
    let seals = kept.seals;
    Ok(Prepared {
        transport,
        read_only,
        upstream,
        approvals,
        access,
        people,
        approvers,
        http,
        calls,
        seals,
        capabilities,
    })
}

fn call_limits(limits: &Limits) -> CallLimits {
    CallLimits {
        in_flight: limits.calls_in_flight,
        in_flight_per_principal: limits.calls_in_flight_per_principal,
        per_minute: limits.calls_per_minute,
        verifications_per_day: limits.verifications_per_day,
    }
}

async fn serve(prepared: Prepared, workers: Workers) -> anyhow::Result<()> {
    let shutdown = signals::stop_on_signals()?;
    let Prepared { transport, read_only, access, people, approvers, http, calls, seals, .. } = prepared;
    let (environment, client, simulator) = upstream::ready(prepared.upstream).await?;
    let capabilities = prepared.capabilities;
    let fintecture = Arc::new(Fintecture::new(client, Arc::clone(&capabilities)));
    let listener = match transport {
        Transport::Stdio => None,
        Transport::Http(address) => Some(listen(address).await?),
    };
    let (store, trail) = (calls.store.clone(), calls.trail.clone());
    let pages_end = CancellationToken::new();
    let approvals = match &listener {
        None => prepared.approvals.on_stdio(environment, store.clone(), pages_end.clone()),
        Some(listener) => {
            let origin = network::origin(&http, listener.local_addr()?);
            let people = people.as_ref().map(|people| people.decide(approvers));
            prepared.approvals.on_http(origin, people, store.clone())
        }
    };
    if !read_only {
        approvals::warn_of_no_way(&approvals, calls.confirm, listener.is_none());
    }
    signals::Reloaded {
        fintecture: Arc::clone(&fintecture),
        approvals: Arc::clone(&approvals),
        access: access.clone(),
        store: store.clone(),
        tls: http.tls.clone(),
    }
    .on_hangup()?;
    store::look(&store);
    audit::keep(&trail)?;
    approvals.records(trail.clone());
    let words = capabilities.instructions();
    let tools = Arc::new(Tools::new(&capabilities, fintecture, environment, read_only));
    let calls = Calls::new(tools, Arc::clone(&approvals), Arc::new(seals.tasks), calls, shutdown.clone());
    let calls = Arc::new(calls);
    let completions = Completions::new(Arc::clone(&calls), simulate::provider_ids(environment));
    let forms_count = match (transport, approvers) {
        (Transport::Stdio, _) => FormsCount::OfAll,
        (Transport::Http(_), Approvers::Any) => FormsCount::OfAuthenticated,
        (Transport::Http(_), Approvers::Other) => FormsCount::OfNone,
    };
    let card = pages::card().context("the card")?;
    let server = Server::new(Arc::clone(&calls), completions, seals.questions, &words, forms_count, card);
    let short = Some(Short::of(&server).context("the name of this server")?);
    match listener {
        None => {
            tracing::info!(%environment, "serving over stdio");
            Box::pin(transports::serve_stdio(server, short, workers, shutdown)).await?;
        }
        Some(listener) => {
            network::raise_file_limit(&http);
            access::tell(&access);
            tell_address(&http, listener.local_addr()?, environment);
            let pages = match people {
                None => pages::routes(approvals, environment),
                Some(people) => {
                    let sealer = Arc::new(seals.pages);
                    pages::routes_for_people(approvals, environment, Arc::new(people), sealer)
                }
            };
            let rest = RestConfig {
                words,
                address: network::address(&http, listener.local_addr()?),
                authenticates: !access.is_open(),
            };
            let config = HttpConfig {
                short,
                rest: Some(Rest::new(Arc::clone(&calls), rest)),
                pages,
                access,
                shares_sessions: store.is_shared(),
                store,
                trail: trail.clone(),
                exposition: Some(exposition(environment, &trail)?),
                workers: Some(workers),
                ..http
            };
            transports::serve_http(listener, server, config, shutdown).await?;
        }
    }
    pages_end.cancel();
    // A write goes on to its end when its caller leaves; it has its own time budget.
    calls.writes_settled().await;
    trail.close().await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await?;
    }
    Ok(())
}

fn tell_address(http: &HttpConfig, address: SocketAddr, environment: Environment) {
    let scheme = if http.tls.is_some() { "https" } else { "http" };
    tracing::info!(%environment, "serving Streamable HTTP at {scheme}://{address}/mcp and legacy SSE at {scheme}://{address}/sse, and plain HTTP as {scheme}://{address}/openapi.json describes it");
}

/// What is shown at `/metrics`, recorded from now on.
fn exposition(environment: Environment, trail: &Trail) -> anyhow::Result<Exposition> {
    let metrics = Metrics::record(environment.as_str()).context("the metrics")?;
    tokio::spawn(metrics.clone().keep_up());
    let trail = trail.clone();
    Ok(Exposition::new(move || {
        let head = trail.head().map(|head| (head.seq, head.hash.to_string()));
        metrics.render(head.as_ref())
    }))
}
