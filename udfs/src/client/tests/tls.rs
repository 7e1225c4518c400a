//! TLS with authorities and client certificates of one's own.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::security::{answer, declare};
use super::*;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of `authority` for `localhost`, and its key.
fn signed(authority: &Issuer, purpose: ExtendedKeyUsagePurpose) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![purpose];
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap(), key)
}

/// A server for so many connections that demands certificates of `authority`. Returns what each of them asked.
fn serve(authority: &Issuer, connections: usize) -> (String, JoinHandle<Vec<Result<String, String>>>) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.der().to_vec())).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let (cert, key) = signed(authority, ExtendedKeyUsagePurpose::ServerAuth);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let one = move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket).map_err(|error| error.to_string())?;
        }
        Ok(answer(StreamOwned::new(connection, socket), 200, "{}"))
    };
    (url, thread::spawn(move || (0..connections).map(|_| one()).collect()))
}

/// A file that is gone when this is.
struct Pem(PathBuf);

impl Pem {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("paceline-{name}-{}.pem", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Pem(path)
    }

    fn reference(&self) -> String {
        format!("file:{}", self.0.display())
    }
}

impl Drop for Pem {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

async fn send(url: &str, options: &[(&str, &str)]) -> Result<Reply, SendError> {
    let client = HttpClient::new(&declare(url, options).options, &Services::default()).unwrap();
    client.ready().await?;
    client.send(&Outgoing::json(Bytes::from(r#"{"id":1}"#))).await
}

#[tokio::test]
async fn a_client_shows_its_certificate_and_trusts_the_given_authority() {
    let ours = authority();
    let (cert, key) = signed(&ours, ExtendedKeyUsagePurpose::ClientAuth);
    let (ca, both) = (Pem::new("ca", &ours.pem()), Pem::new("both", &(cert.pem() + &key.serialize_pem())));
    let (cert, key) = (Pem::new("cert", &cert.pem()), Pem::new("key", &key.serialize_pem()));
    let [ca, both, cert, key] = [&ca, &both, &cert, &key].map(Pem::reference);
    let (url, server) = serve(&ours, 4);
    let trust = ("tls_ca", ca.as_str());
    assert_eq!(send(&url, &[trust, ("tls_client_cert", &cert), ("tls_client_key", &key)]).await.unwrap().status, 200);
    assert_eq!(send(&url, &[trust, ("tls_client_cert", &both)]).await.unwrap().status, 200);
    for options in [&[trust][..], &[("tls_client_cert", &both)]] {
        let error = send(&url, options).await.unwrap_err();
        assert!(matches!(error, SendError::Connection(_)), "{error:?}");
    }
    let asked = server.join().unwrap();
    assert!(asked[0].as_ref().unwrap().ends_with("\r\n\r\n{\"id\":1}"), "{asked:?}");
    assert!(asked[1].is_ok());
    assert_eq!(asked[2], Err("peer sent no certificates".to_owned()));
    assert!(asked[3].as_ref().unwrap_err().contains("UnknownCA"), "{asked:?}");
}

#[tokio::test]
async fn what_is_no_certificate_ends_the_job_and_is_not_shown() {
    let bad = Pem::new("bad", "hunter2");
    let (ours, reference) = (authority(), bad.reference());
    let (cert, key) = signed(&ours, ExtendedKeyUsagePurpose::ClientAuth);
    let other = signed(&ours, ExtendedKeyUsagePurpose::ClientAuth).1;
    let (cert, key) = (Pem::new("good-cert", &cert.pem()), Pem::new("good-key", &key.serialize_pem()));
    let other = Pem::new("other-key", &other.serialize_pem());
    let shown = async |options: &[(&str, &str)]| {
        let error = send("https://localhost:1/", options).await.unwrap_err();
        assert!(matches!(error, SendError::Credentials(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        error.to_string().replace(&reference, "BAD").replace(&cert.reference(), "CERT").replace(&key.reference(), "KEY")
    };
    expect!["tls_ca BAD has no certificates in PEM"].assert_eq(&shown(&[("tls_ca", &reference)]).await);
    expect!["tls_client_cert BAD is not a certificate and its key in PEM"]
        .assert_eq(&shown(&[("tls_client_cert", &reference)]).await);
    let options = [("tls_client_cert", &*cert.reference()), ("tls_client_key", &*reference)];
    expect!["tls_client_cert CERT with BAD is not a certificate and its key in PEM"].assert_eq(&shown(&options).await);
    let options = [("tls_client_cert", &*reference), ("tls_client_key", &*key.reference())];
    expect!["tls_client_cert BAD with KEY is not a certificate and its key in PEM"].assert_eq(&shown(&options).await);
    let options = [("tls_client_cert", &*cert.reference()), ("tls_client_key", &*other.reference())];
    expect!["no HTTP client can be made: builder error: keys may not be consistent: KeyMismatch"]
        .assert_eq(&shown(&options).await);
}
