//! Where traces go: the standard `OTEL_` variables, as far as a wrong one would lose traces without a word.
//!
//! The OpenTelemetry libraries read them, too: what is checked here is what they would pass over in silence.

use url::Url;

use super::Problems;
use super::variables::{self, Variables};

/// Reads where traces go; `None`: nowhere.
pub(super) fn read(variables: &Variables<'_>, problems: &mut Problems) -> Option<Url> {
    let own = variables.get(variables::OTEL_TRACES_ENDPOINT);
    let (variable, address) = match own {
        Some(address) => (variables::OTEL_TRACES_ENDPOINT, address),
        None => (variables::OTEL_ENDPOINT, variables.get(variables::OTEL_ENDPOINT)?),
    };
    let is = |name: &str, value: &str| {
        variables.named(name).is_some_and(|set| set.trim().eq_ignore_ascii_case(value))
    };
    if is(variables::OTEL_SDK_DISABLED.name, "true") || is(variables::OTEL_TRACES_EXPORTER.name, "none") {
        return None;
    }
    if !is(variables::OTEL_TRACES_EXPORTER.name, "otlp")
        && variables.is_set(variables::OTEL_TRACES_EXPORTER.name)
    {
        problems.add("OTEL_TRACES_EXPORTER must be otlp or none");
    }
    for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", variables::OTEL_PROTOCOL.name] {
        if variables.named(name).is_some_and(|protocol| protocol.trim() != "http/protobuf") {
            problems.add(format!("{name} must be http/protobuf: traces are sent in no other way"));
        }
    }
    for name in ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"] {
        if variables.named(name).is_some_and(|compression| compression.trim() != "none") {
            problems.add(format!("{name} must be none, or not be set: traces are sent uncompressed"));
        }
    }
    let url = Url::parse(&address).ok().filter(|url| {
        let has_user = !url.username().is_empty() || url.password().is_some();
        ["http", "https"].contains(&url.scheme()) && url.has_host() && !has_user
    });
    if url.is_none() {
        problems.add(format!(
            "{} must be an address such as http://127.0.0.1:4318, without a user in it: secrets belong into {}",
            variable.name,
            variables::OTEL_HEADERS.name
        ));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(set: &[(&str, &str)]) -> Result<Option<String>, String> {
        let get =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut problems = Problems::default();
        let url = read(&Variables::new(&get), &mut problems);
        problems.or(Some(url.map(|url| url.to_string()))).map_err(|problems| problems.to_string())
    }

    #[test]
    fn traces_are_on_where_a_collector_is_named() {
        let address = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert_eq!(read_from(&[]), Ok(None));
        assert_eq!(read_from(&[("OTEL_SERVICE_NAME", "x")]), Ok(None));
        assert_eq!(read_from(&[address]), Ok(Some("http://127.0.0.1:4318/".to_owned())));
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example/v1/traces");
        assert_eq!(read_from(&[address, own]), Ok(Some("https://traces.example/v1/traces".to_owned())));
        assert_eq!(read_from(&[address, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        assert_eq!(read_from(&[address, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
    }

    #[test]
    fn what_would_lose_traces_is_told_and_quoted_nowhere() {
        let problems = read_from(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:canary@127.0.0.1"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
        ]);
        insta::assert_snapshot!(problems.unwrap_err(), @r"
        OTEL_TRACES_EXPORTER must be otlp or none
        OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: traces are sent in no other way
        OTEL_EXPORTER_OTLP_COMPRESSION must be none, or not be set: traces are sent uncompressed
        OTEL_EXPORTER_OTLP_ENDPOINT must be an address such as http://127.0.0.1:4318, without a user in it: secrets belong into OTEL_EXPORTER_OTLP_HEADERS
        ");
        for wrong in ["collector:4318", "ftp://collector", "4318"] {
            assert!(read_from(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", wrong)]).is_err(), "{wrong}");
        }
    }
}
