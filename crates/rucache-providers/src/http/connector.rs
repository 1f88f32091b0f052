//! Connections: TCP or TLS, made within the connect timeout.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{self, Either};
use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rucache_core::Runtime;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::error::ConfigError;

/// Makes connections; the HTTP client keeps them.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) timeout: Duration,
    pub(crate) runtime: Arc<dyn Runtime>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Line>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Line>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { tls, timeout, runtime } = self.clone();
        Box::pin(async move {
            let opening = pin!(open(uri, tls));
            match future::select(opening, runtime.sleep(timeout)).await {
                Either::Left((opened, _)) => opened.map(TokioIo::new),
                Either::Right(_) => Err(io::ErrorKind::TimedOut.into()),
            }
        })
    }
}

async fn open(uri: Uri, tls: Option<Arc<ClientConfig>>) -> io::Result<Line> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let tcp = TcpStream::connect((host, port)).await?;
    tcp.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Line(Box::pin(tcp))) };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Line(Box::pin(TlsConnector::from(tls).connect(name, tcp).await?)))
}

/// Whom encrypted connections of source `name` trust: the certificates in `ca`, or the system's.
pub(crate) fn trust(name: &str, ca: Option<&Path>) -> Result<Arc<ClientConfig>, ConfigError> {
    type Source = Box<dyn std::error::Error + Send + Sync>;
    let refuse =
        |source: Option<Source>| ConfigError::Certificates { name: name.to_owned(), source };
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            for certificate in
                CertificateDer::pem_file_iter(file).map_err(|error| refuse(Some(error.into())))?
            {
                let certificate = certificate.map_err(|error| refuse(Some(error.into())))?;
                roots.add(certificate).map_err(|error| refuse(Some(error.into())))?;
            }
        }
        // Single certificates of a system that cannot be read are no reason to trust none.
        None => {
            let native = rustls_native_certs::load_native_certs().certs;
            let _ = roots.add_parsable_certificates(native);
        }
    }
    if roots.is_empty() {
        return Err(refuse(None));
    }
    // Named here, because with several in the program the default one cannot be chosen.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(Some(error.into())))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The bytes of a connection, encrypted or not.
pub(crate) struct Line(Pin<Box<dyn Duplex>>);

trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Duplex for S {}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(context)
    }
}
