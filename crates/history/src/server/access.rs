//! Access: who we are to a server, and whom we take it for. Secrets are never shown.
//!
//! Servers elsewhere are asked through the proxy that `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY` names, the first of them
//! that is set, unless `NO_PROXY` lists the host; servers on this machine are asked directly.

use crate::HistoryError;
use base64::prelude::{BASE64_STANDARD, Engine};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// A file of certificates is no longer than this.
const PEM_BYTES_MAX: u64 = 16 << 20;

/// How a server is asked.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// What goes into the `Authorization` header.
    pub authorization: Option<Authorization>,
    /// The tenant, for Mimir, Cortex and Thanos: `X-Scope-OrgID`.
    pub tenant: Option<String>,
    /// Certificates of authorities to trust instead of the system's, in PEM.
    pub ca: Option<PathBuf>,
    /// Our own certificate with its chain, and its key, in PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// A request that takes longer has failed, in seconds; 300 unless said otherwise, a week at most.
    pub timeout_seconds: Option<u64>,
    /// The wait before the second try of a request, in milliseconds; 1000 unless said otherwise. Each next one is twice as
    /// long, a longer one if the server asks for it.
    pub retry_wait_ms: Option<u64>,
}

/// What proves who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A bearer token.
    Bearer(String),
    /// User and password.
    Basic(String, String),
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Authorization::Bearer(_) => "Bearer(..)",
            Authorization::Basic(..) => "Basic(..)",
        })
    }
}

impl Authorization {
    /// The header's value.
    pub(super) fn header(&self) -> String {
        match self {
            Authorization::Bearer(token) => format!("Bearer {token}"),
            Authorization::Basic(user, password) => {
                format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
            }
        }
    }

    /// A text without our secrets, which a server may have repeated in it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        let header = self.header();
        let sent = header.rsplit(' ').next().unwrap_or_default();
        let secret = match self {
            Authorization::Bearer(token) => token,
            Authorization::Basic(_, password) => password,
        };
        [sent, secret]
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_string(), |text, secret| text.replace(*secret, "(secret)"))
    }
}

/// TLS as [`Access`] says it; the system's authorities are asked only where nothing else was named.
///
/// # Errors
///
/// Where a file that is named cannot be read, or is no certificate or key.
pub fn tls(access: &Access) -> Result<TlsConfig, HistoryError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = match &access.ca {
        Some(path) => certificates(path)?,
        None => {
            let system = rustls_native_certs::load_native_certs().certs;
            system.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
        }
    };
    let identity = access.identity.as_ref();
    let identity = identity.map(|(certificate, key)| identity_of(certificate, key, &provider)).transpose()?;
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .client_cert(identity)
        .build())
}

/// Our certificate and its key; that they belong together is seen here, where it is an error: the client would panic.
fn identity_of(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<ClientCert, HistoryError> {
    let chain = certificates(certificate)?;
    let private =
        PrivateKey::from_pem(&contents(key)?).map_err(|error| HistoryError::malformed(key, "PEM", error))?;
    let chain_der = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let key_der = PrivateKeyDer::try_from(private.der().to_vec())
        .map_err(|error| HistoryError::malformed(key, "PEM", error))?;
    CertifiedKey::from_der(chain_der, key_der, provider).map_err(|error| {
        let problem = format!("it is not the key of {}: {error}", certificate.display());
        HistoryError::malformed(key, "PEM", problem)
    })?;
    Ok(ClientCert::new_with_certs(&chain, private))
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, HistoryError> {
    let pem = contents(path)?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| HistoryError::malformed(path, "PEM", error))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(HistoryError::malformed(path, "PEM", "there is no certificate in it"));
    }
    Ok(certificates)
}

fn contents(path: &Path) -> Result<Vec<u8>, HistoryError> {
    use std::io::Read;
    let mut contents = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| HistoryError::io(path, error))?;
    file.take(PEM_BYTES_MAX).read_to_end(&mut contents).map_err(|error| HistoryError::io(path, error))?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let check = |user: &str, password: &str, expect: &str| {
            let authorization = Authorization::Basic(user.into(), password.into());
            assert_eq!(authorization.header(), expect);
            assert!(!format!("{authorization:?}").contains(user));
        };
        // RFC 7617, section 2.
        check("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        check("test", "123\u{a3}", "Basic dGVzdDoxMjPCow==");
        check("ab", "c", "Basic YWI6Yw==");
        assert_eq!(Authorization::Bearer("t".into()).header(), "Bearer t");
    }
}
