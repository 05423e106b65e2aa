//! What a connection beyond this machine lacks, and that nobody makes such a one without being told to.

use serde::{Deserialize, Serialize};

use super::{BadUrl, BrokerUrl};
use crate::settings::BrokerAccess;

/// What a connection lacks that leaves this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exposure {
    /// It is not encrypted: whoever can listen on the way has all that is said, a password too.
    pub is_plain: bool,
    /// Nothing proves who this program is.
    pub is_anonymous: bool,
}

impl Exposure {
    /// What a connection to this broker lacks. One within this machine lacks nothing.
    #[must_use]
    pub fn of(url: &BrokerUrl, has_credential: bool) -> Self {
        let leaves = !url.is_loopback();
        Self {
            is_plain: leaves && !url.tls(),
            is_anonymous: leaves && !has_credential,
        }
    }

    /// What it lacks, in words; `None` if nothing.
    #[must_use]
    pub const fn words(self) -> Option<&'static str> {
        match (self.is_plain, self.is_anonymous) {
            (true, true) => Some("not encrypted, no password"),
            (true, false) => Some("not encrypted"),
            (false, true) => Some("no password"),
            (false, false) => None,
        }
    }
}

/// Why a broker is not spoken to in the way that the settings say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// Its address cannot be used.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// It would be spoken to unencrypted or anonymously, and nobody has said that this may be.
    #[error(
        "{url} is not on this machine, and the connection would have {}: {}, or accept it with --insecure",
        lacking(*.lacks),
        remedy(*.lacks)
    )]
    Exposed {
        /// The broker's address.
        url: String,
        /// What is missing.
        lacks: Exposure,
    },
}

/// The broker's address, and what the connection to it lacks.
///
/// # Errors
/// An address that cannot be used, and a connection that lacks something without `--insecure`.
pub fn permitted(access: &BrokerAccess) -> Result<(BrokerUrl, Exposure), NotPermitted> {
    let url: BrokerUrl = access.url.parse()?;
    let lacks = Exposure::of(&url, access.has_credential());
    if access.insecure || lacks == Exposure::default() {
        return Ok((url, lacks));
    }
    let url = url.to_string();
    Err(NotPermitted::Exposed { url, lacks })
}

const fn lacking(lacks: Exposure) -> &'static str {
    match (lacks.is_plain, lacks.is_anonymous) {
        (true, true) => "no encryption and no credential",
        (true, false) => "no encryption",
        _ => "no credential",
    }
}

const fn remedy(lacks: Exposure) -> &'static str {
    match (lacks.is_plain, lacks.is_anonymous) {
        (true, true) => "write mqtts:// and give --username with --password-file, or --cert with --key",
        (true, false) => "write mqtts://",
        _ => "give --username with --password-file, or --cert with --key",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::BrokerUser;

    fn access(url: &str, has_user: bool, insecure: bool) -> BrokerAccess {
        BrokerAccess {
            url: url.to_owned(),
            user: has_user.then(|| BrokerUser {
                name: "display".to_owned(),
                password_file: "/no/such/file".into(),
            }),
            ca_file: None,
            certificate: None,
            insecure,
        }
    }

    #[test]
    fn beyond_loopback_only_tls_with_a_credential_is_spoken_unless_it_is_accepted() {
        for (url, has_user, words) in [
            ("mqtts://10.0.0.1", true, None),
            ("mqtt://localhost", false, None),
            ("mqtt://127.9.9.9", false, None),
            ("mqtt://[::1]", false, None),
            ("mqtt://10.0.0.1", true, Some("not encrypted")),
            ("mqtts://10.0.0.1", false, Some("no password")),
            ("mqtt://10.0.0.1", false, Some("not encrypted, no password")),
            ("mqtt://board1", false, Some("not encrypted, no password")),
        ] {
            assert_eq!(
                permitted(&access(url, has_user, false)).is_ok(),
                words.is_none(),
                "{url}"
            );
            let (_, lacks) = permitted(&access(url, has_user, true)).expect("it is accepted");
            assert_eq!(lacks.words(), words, "{url}");
        }
    }

    #[test]
    fn the_refusal_says_what_to_give() {
        let said = |url, has_user| {
            permitted(&access(url, has_user, false))
                .expect_err("it is refused")
                .to_string()
        };
        assert_eq!(
            said("mqtt://10.0.0.1", false),
            "mqtt://10.0.0.1:1883 is not on this machine, and the connection would have no encryption and no credential: \
             write mqtts:// and give --username with --password-file, or --cert with --key, or accept it with --insecure"
        );
        assert!(
            said("mqtt://10.0.0.1", true)
                .ends_with("no encryption: write mqtts://, or accept it with --insecure")
        );
        assert!(said("mqtts://10.0.0.1", false).contains("no credential: give --username"));
    }
}
