//! Flags of `simulator`, and how faults are written.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

/// How faults are written, for `--help`. The documentation of `simulator` says more.
const FAULTS: &str = "\
Faults: KIND[=VALUE][:PROBABILITY][#TIMES][@WHERE]
  PROBABILITY  from 0 to 1; default 1
  TIMES        happens so often and no more
  WHERE        reads, writes, token (the token endpoint) or an operation id; default all nine operations
  TIME         such as 200ms or 3s, up to 10 minutes
Tried in the order given: latency adds to what follows, of the others the first that is drawn happens.

  latency=TIME          waits, then goes on
  status=CODE           answers 300 to 599; nothing is done
  status-after=CODE     the same once it is done
  rate-limit=TIME       429 with Retry-After in seconds; nothing is done
  rate-limit-date=TIME  the same with an HTTP date
  reset-before          resets the connection; nothing is done
  reset-after           resets the connection once it is done
  late-commit=TIME      resets the connection; a write takes effect TIME later
  hang                  never answers; nothing is done
  hang-after            never answers once it is done
  truncate              done; half the body, less than Content-Length says
  truncate-chunked      done; a chunked body that is cut off
  garbage               done; a body of bytes that are no text
  html                  done; a page of HTML
  half-json             done; the first half of the JSON
  empty                 done; no body
  trickle=NB/s          done; the body at N bytes a second
  expire-token          401 though the token was good; nothing is done
  short-token=TIME      tokens of the token endpoint end after TIME, whatever they say

Examples: --fault reset-after:0.1@writes --fault expire-token#1 --fault status=503@token";

/// Flags of `simulator`.
#[derive(Debug, Args)]
#[command(after_help = FAULTS)]
pub(crate) struct SimulatorArgs {
    /// Where to listen; loopback only
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8090")]
    pub listen: String,
    /// The one bearer token to accept, beside those of its own token endpoint [default: any]
    #[arg(long, value_name = "T")]
    pub token: Option<SecretString>,
    /// Refuse requests that are not signed with the private key of this PEM public key
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Fail on purpose; may be given several times. See below
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// See the same faults again; the seed of every run is logged [default: random]
    #[arg(long, value_name = "N")]
    pub fault_seed: Option<String>,
}
