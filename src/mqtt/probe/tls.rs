//! Why TLS does not come up: the handshake once more, by the rules that Paho goes by, with the verdict that
//! Paho keeps to itself.

use std::net::{IpAddr, SocketAddr, TcpStream};

use openssl::error::ErrorStack;
use openssl::ssl::{self, HandshakeError, Ssl, SslContext, SslFiletype, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::{X509, X509VerifyResult};

use super::{Endpoint, Problem, STEP, speaks_tls};

/// Why somebody who takes connections does not take ours; `None` if TLS is not to blame.
pub(super) fn cause(stream: TcpStream, address: SocketAddr, endpoint: &Endpoint) -> Option<Problem> {
    let host = endpoint.url.host();
    stream.set_read_timeout(Some(STEP)).ok()?;
    let ssl = prepare(endpoint).ok()?;
    match ssl.connect(stream) {
        Ok(mut stream) => {
            // With TLS 1.3 a broker says only now that it wants a certificate.
            let said = stream.ssl_read(&mut [0]).err()?;
            alert(&said, endpoint)
        }
        Err(HandshakeError::Failure(failure)) => {
            let verdict = failure.ssl().verify_result();
            certificate(verdict, host)
                .or_else(|| alert(failure.error(), endpoint))
                .or_else(|| not_tls(address))
        }
        Err(HandshakeError::SetupFailure(_) | HandshakeError::WouldBlock(_)) => not_tls(address),
    }
}

/// Makes a connection secure, by the same rules.
pub(crate) fn secure(stream: TcpStream, endpoint: &Endpoint) -> Result<SslStream<TcpStream>, ()> {
    let ssl = prepare(endpoint).map_err(|_| ())?;
    ssl.connect(stream).map_err(|_| ())
}

/// The certificate that is shown at an address, whether it is trusted or not. Nothing is said over this
/// connection.
pub(crate) fn shown_certificate(endpoint: &Endpoint, address: SocketAddr) -> Option<X509> {
    let stream = TcpStream::connect_timeout(&address, STEP).ok()?;
    stream.set_read_timeout(Some(STEP)).ok()?;
    let mut ssl = prepare(endpoint).ok()?;
    ssl.set_verify(SslVerifyMode::NONE);
    ssl.connect(stream).ok()?.ssl().peer_certificate()
}

/// As Paho prepares it: the system's authorities only where no file is given, and the host's name compared.
fn prepare(endpoint: &Endpoint) -> Result<Ssl, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_verify(SslVerifyMode::PEER);
    match &endpoint.ca_file {
        Some(file) => context.set_ca_file(file)?,
        None => context.set_default_verify_paths()?,
    }
    if let Some(own) = &endpoint.certificate {
        context.set_certificate_chain_file(&own.certificate)?;
        context.set_private_key_file(&own.key, SslFiletype::PEM)?;
    }
    let mut ssl = Ssl::new(&context.build())?;
    let host = endpoint.url.host();
    if let Ok(address) = host.parse::<IpAddr>() {
        ssl.param_mut().set_ip(address)?;
    } else {
        ssl.set_hostname(host)?;
        ssl.param_mut().set_host(host)?;
    }
    Ok(ssl)
}

/// What the verdict on the broker's certificate says; the numbers stand in OpenSSL's `x509_vfy.h`.
fn certificate(verdict: X509VerifyResult, host: &str) -> Option<Problem> {
    Some(match verdict.as_raw() {
        0 => return None,
        9 => Problem::CertificateTooEarly,
        10 => Problem::CertificateExpired,
        2 | 18..=21 => Problem::CertificateNotTrusted,
        62 | 64 => Problem::CertificateOfAnother(host.to_owned()),
        _ => Problem::CertificateRefused(verdict.error_string()),
    })
}

/// What the broker has said as an alert.
fn alert(error: &ssl::Error, endpoint: &Endpoint) -> Option<Problem> {
    let mut reasons = error
        .ssl_error()?
        .errors()
        .iter()
        .filter_map(openssl::error::Error::reason);
    let words = reasons.find(|words| words.contains("alert"))?;
    let is_of_certificate = words.contains("certificate") || words.contains("unknown ca");
    Some(if words.contains("certificate required") {
        Problem::CertificateWanted
    } else if is_of_certificate && endpoint.certificate.is_some() {
        Problem::OwnCertificateRefused(words)
    } else {
        Problem::TlsRefused(words)
    })
}

fn not_tls(address: SocketAddr) -> Option<Problem> {
    let stream = TcpStream::connect_timeout(&address, STEP).ok()?;
    (!speaks_tls(stream).ok()?).then_some(Problem::NotTls)
}
