//! Traces, sent to a collector over OTLP (HTTP, protobuf). A thread of its own sends them, in batches, from a queue that
//! is bounded: where the collector is slow or gone, spans are lost, and no call waits or fails.
//!
//! The libraries read the standard `OTEL_` variables themselves; `config` has checked them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{SpanExporter as Otlp, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use url::Url;

use crate::domain::is_loopback;
use crate::{measures, traces};

/// Longest time for one request to the collector.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the last spans at the end of the program.
const LAST_CHANCE: Duration = Duration::from_secs(2);

/// The way to the collector. Dropped, it sends what is left, for two seconds at most: not within a runtime.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Records and sends spans from now on.
    ///
    /// # Errors
    /// Why there is no way to the collector. Quotes no header.
    pub(crate) fn start(collector: &Url, environment: &'static str) -> Result<Self, String> {
        let unusable = |_| "traces: the HTTP client cannot start".to_owned();
        let mut http = reqwest::blocking::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if is_loopback(collector) {
            http = http.no_proxy();
        }
        let exporter = Otlp::builder()
            .with_http()
            .with_http_client(http.build().map_err(unusable)?)
            .build()
            .map_err(|_| "traces: check the variables that begin with OTEL_EXPORTER_OTLP_".to_owned())?;
        let mut resource = Resource::builder().with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("deployment.environment.name", environment),
        ]);
        if !names_service() {
            resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
        }
        let exporter = Told { exporter, is_failing: AtomicBool::new(false) };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        global::set_tracer_provider(provider.clone());
        traces::record();
        Ok(Self(provider))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if self.0.shutdown_with_timeout(LAST_CHANCE).is_err() {
            tracing::warn!("the last spans were not taken by the collector of traces in time");
        }
    }
}

/// Whether the operator has named the service, in either of the two ways that there are.
fn names_service() -> bool {
    let is_set = |name: &str, holds: &str| {
        std::env::var(name).is_ok_and(|value| !value.is_empty() && value.contains(holds))
    };
    is_set("OTEL_SERVICE_NAME", "") || is_set("OTEL_RESOURCE_ATTRIBUTES", "service.name=")
}

/// Says once that spans are lost, and once that they are taken again. Why is not said: a collector may repeat what it
/// was sent, headers included.
#[derive(Debug)]
struct Told {
    exporter: Otlp,
    is_failing: AtomicBool,
}

impl SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let exported = self.exporter.export(batch).await;
        if exported.is_err() {
            measures::spans_lost(count);
        }
        match (self.is_failing.swap(exported.is_err(), Ordering::Relaxed), exported.is_err()) {
            (false, true) => tracing::warn!(
                "the collector of traces takes no spans: they are lost, and calls go on without them"
            ),
            (true, false) => tracing::info!("the collector of traces takes spans again"),
            _ => {}
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
