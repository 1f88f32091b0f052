//! The bytes of a connection: TCP or TLS, with what arrives under guard.

mod guard;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::{Address, Tls};
use crate::error::Cause;

pub(crate) use guard::Guarded;

/// A connection's two directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// Whom encrypted connections trust, read once: the client crate reads the system's certificates
/// anew for every connection.
#[derive(Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Reads the certificates that `tls` names.
    pub(crate) fn load(tls: &Tls) -> Result<Self, Cause> {
        let mut roots = RootCertStore::empty();
        match &tls.ca {
            Some(file) => {
                let unreadable = |why: &dyn std::fmt::Display| {
                    Cause::Setting(format!("the certificates of {}: {why}", file.display()))
                };
                let certificates = CertificateDer::pem_file_iter(file);
                for certificate in certificates.map_err(|error| unreadable(&error))? {
                    let certificate = certificate.map_err(|error| unreadable(&error))?;
                    roots.add(certificate).map_err(|error| unreadable(&error))?;
                }
            }
            // Single certificates of a system that cannot be read are no reason to trust none.
            None => drop(
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
            ),
        }
        if roots.is_empty() {
            let none = "there is no certificate to trust; name a PEM file by the parameter ca";
            return Err(Cause::Setting(none.to_owned()));
        }
        // Named here, because with several in the program the default one cannot be chosen.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Cause::Setting(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// Opens the bytes of a connection to `address`, whose name is looked up each time.
pub(crate) async fn open(address: &Address, trust: Option<&Trust>) -> io::Result<Box<dyn Duplex>> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
    tcp.set_nodelay(true)?;
    let Some(trust) = trust else { return Ok(Box::new(tcp)) };
    let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
    let tls = TlsConnector::from(trust.0.clone()).connect(name, tcp).await?;
    Ok(Box::new(tls))
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read {
            let arrived = buffer.filled().get(before..).unwrap_or_default();
            if arrived.is_empty() {
                // To the parser, half an answer at the end is bad grammar; it is a broken connection.
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            if self.guard.check(arrived).is_err() {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
