//! A certificate for loopback, under an authority made for one server.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

use crate::process::StartFailure;

/// What a server with TLS needs, and what its clients need, each as PEM.
pub(super) struct Certificate {
    /// The authority's certificate, which clients trust.
    pub(super) authority: String,
    /// The server's certificate.
    pub(super) server: String,
    /// The server's private key.
    pub(super) key: String,
}

impl Certificate {
    pub(super) fn generate() -> Result<Self, StartFailure> {
        Self::sign().map_err(|error| StartFailure::Other(format!("no certificate: {error}")))
    }

    fn sign() -> Result<Self, rcgen::Error> {
        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        // Names of their own: a certificate that names itself as its issuer is taken for self-signed.
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "rucache test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = params.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate()?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server = params.signed_by(&key, &issuer)?.pem();
        Ok(Self { authority, server, key: key.serialize_pem() })
    }
}
