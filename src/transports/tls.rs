//! TLS in this process: the certificate and its key from two files, which are read again on SIGHUP.
//!
//! Knows files and rustls. Knows nothing of connections' caps or of HTTP beyond the names of its versions.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto::aws_lc_rs},
    server::TlsStream,
};

/// Why there is no certificate to show. Names the file, quotes nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no PEM certificate in the file.
    #[error("{}: no PEM certificate in it", .0.display())]
    NoCertificate(PathBuf),
    /// There is no PEM private key in the file.
    #[error("{}: no PEM private key in it", .0.display())]
    NoKey(PathBuf),
    /// They do not go together.
    #[error("{} and {}: {error}", certificate.display(), key.display())]
    Unusable {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What rustls says.
        error: rustls::Error,
    },
}

/// The certificate that is shown to clients.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`] where they give nothing to show.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let config = ArcSwap::new(Arc::new(read(&certificate, &key)?));
        Ok(Self { certificate, key, config })
    }

    /// Reads both files again. Connections that are open go on; where the files are not good, the certificate before
    /// stays, and the log says why.
    pub fn reload(&self) {
        match read(&self.certificate, &self.key) {
            Ok(config) => {
                self.config.store(Arc::new(config));
                tracing::info!("read the TLS certificate again");
            }
            Err(error) => tracing::error!(%error, "the TLS certificate stays as it was"),
        }
    }

    /// Shakes hands.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config.load_full()).accept(stream).await
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let bytes =
        |path: &Path| fs::read(path).map_err(|error| TlsError::Unreadable { path: path.to_owned(), error });
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<_, _>>()
        .ok()
        .filter(|chain: &Vec<_>| !chain.is_empty())
        .ok_or_else(|| TlsError::NoCertificate(certificate.to_owned()))?;
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|_| TlsError::NoKey(key.to_owned()))?;
    let unusable =
        |error| TlsError::Unusable { certificate: certificate.to_owned(), key: key.to_owned(), error };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
