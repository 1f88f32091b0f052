//! Encrypted connections: taken with a certificate that is trusted, refused with another.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rucache_providers::{ApiKind, Secret, Source, SourceConfig};
use rucache_ruc::{Answer, Cause, Provider};
use rucache_testkit::{ProviderFake, ProviderShape};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::setting::{Clock, ruc};

/// A certificate for `localhost` as PEM, and what a server needs to show it.
fn certificate() -> (String, TlsAcceptor) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// Decrypts in front of `fake`; the port.
async fn terminate(fake: &ProviderFake, acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = fake.url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let mut plain = TcpStream::connect(behind).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut plain).await;
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn only_trusted_certificates_are_taken() {
    let fake = ProviderFake::start(ProviderShape::Migo);
    let (pem, acceptor) = certificate();
    let (other_pem, _) = certificate();
    let port = terminate(&fake, acceptor).await;
    let file = std::env::temp_dir().join(format!("rucache-ca-{}.pem", std::process::id()));
    let mut answers = Vec::new();
    for trusted in [&pem, &other_pem] {
        std::fs::write(&file, trusted).unwrap();
        let mut config = SourceConfig::new(ApiKind::Migo);
        config.base_url = Some(format!("https://localhost:{port}"));
        config.ca = Some(file.clone());
        config.retries = 0;
        let token = Secret::new(ProviderFake::TOKEN, "test").unwrap();
        let source = Source::with_token(&config, token, Clock::new(), None).unwrap();
        answers.push(source.lookup(ruc(1)).await);
    }
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(answers[0], Answer::Found { .. }), "{:?}", answers[0]);
    assert!(matches!(&answers[1], Answer::Unavailable(u) if u.cause == Cause::Failed));
    assert_eq!(fake.calls().len(), 1);
}
