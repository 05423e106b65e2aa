//! The files of certificates and keys: Paho says "failure" of one that cannot be used, and asks for the
//! passphrase of a key on the terminal. So they are read once before it gets them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use crate::settings::{ClientCertificate, secret_file};

/// Looks at the certificates to trust.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub(super) fn authority(file: &Path) -> Result<()> {
    read_certificates(file, "--ca-file", "give the authority's")?;
    Ok(())
}

/// Looks at this program's own certificate and its key.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub(super) fn certificate(own: &ClientCertificate) -> Result<()> {
    let certificates = read_certificates(&own.certificate, "--cert", "give this program's own")?;
    let text = secret_file::read("key file", "--key", &own.key)?;
    let mut is_locked = false;
    let key = PKey::<Private>::private_key_from_pem_callback(text.as_bytes(), |_| {
        is_locked = true;
        Err(ErrorStack::get())
    });
    let key = key.map_err(|_| {
        let file = own.key.display();
        if is_locked {
            anyhow!("the key in {file} has a passphrase, which nobody can type at a start; give one without to --key")
        } else {
            anyhow!("{file} holds no private key in PEM form; give that of the certificate with --key")
        }
    })?;
    let public = certificates.first().map(|first| first.public_key());
    let fits = public.is_some_and(|public| public.is_ok_and(|public| public.public_eq(&key)));
    ensure!(
        fits,
        "the key in {} is not that of the first certificate in {}; give the two that were made together",
        own.key.display(),
        own.certificate.display()
    );
    Ok(())
}

fn read_certificates(file: &Path, option: &str, whose: &str) -> Result<Vec<X509>> {
    let text = fs::read(file).with_context(|| {
        format!(
            "cannot read the certificates {}; give a file that this user may read with {option}",
            file.display()
        )
    })?;
    let certificates = X509::stack_from_pem(&text).unwrap_or_default();
    ensure!(
        !certificates.is_empty(),
        "{} holds no certificate in PEM form; {whose} with {option}",
        file.display()
    );
    Ok(certificates)
}
