//! The bridge's connections as Mosquitto's own file describes them.

use std::path::PathBuf;

use crate::settings::Secret;

/// One connection of the bridge.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BridgeConnection {
    pub(super) name: String,
    /// `host[:port]` of broker 1.
    pub(super) address: String,
    pub(super) client_id: String,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) ca_file: Option<PathBuf>,
    /// An option that changes how the bridge connects in a way that is not known here.
    pub(super) unusual: Option<&'static str>,
}

const UNUSUAL: [&str; 5] = [
    "bridge_insecure",
    "bridge_capath",
    "bridge_certfile",
    "bridge_psk",
    "bridge_alpn",
];

/// The connections that have an address.
pub(super) fn parse(text: &str) -> Vec<BridgeConnection> {
    let mut connections: Vec<BridgeConnection> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let (option, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let value = value.trim();
        if option == "connection" {
            connections.push(BridgeConnection {
                name: value.to_owned(),
                client_id: value.to_owned(),
                ..BridgeConnection::default()
            });
            continue;
        }
        let Some(connection) = connections.last_mut() else {
            continue;
        };
        match option {
            // Several may stand there, and the first is tried first.
            "address" | "addresses" => {
                value
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut connection.address);
            }
            "remote_clientid" | "clientid" => value.clone_into(&mut connection.client_id),
            "remote_username" | "username" => connection.username = Some(value.to_owned()),
            "remote_password" | "password" => connection.password = Some(Secret(value.to_owned())),
            "bridge_cafile" => connection.ca_file = Some(value.into()),
            _ => {
                let unusual = UNUSUAL.into_iter().find(|unusual| option == *unusual);
                connection.unusual = connection.unusual.or(unusual.filter(|_| value != "false"));
            }
        }
    }
    connections.retain(|connection| !connection.address.is_empty());
    connections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_has_its_own_name_address_and_password() {
        let connections = parse(
            "# the bridge\nconnection board2_bridge_in\naddress 10.0.0.1:8883\nremote_clientid board2_bridge_in\nremote_username board2_bridge_in\nremote_password secret one\nbridge_cafile /etc/dualboard/peer/ca.crt\ntopic card1 in 2 sensors/ sensors/\n\nconnection board2_bridge_out\naddress 10.0.0.1:8883 10.0.0.9\nconnection nowhere\n",
        );
        let [first, second] = &connections[..] else {
            panic!("{connections:?}");
        };
        assert_eq!(first.password, Some(Secret("secret one".to_owned())));
        assert_eq!(
            first.ca_file.as_deref(),
            Some("/etc/dualboard/peer/ca.crt".as_ref())
        );
        assert_eq!(
            (second.name.as_str(), second.address.as_str()),
            ("board2_bridge_out", "10.0.0.1:8883")
        );
        assert_eq!(second.username, None);
    }

    #[test]
    fn an_option_that_is_not_imitated_is_named() {
        let of = |line: &str| parse(&format!("connection a\naddress b\n{line}\n"))[0].unusual;
        assert_eq!(of("bridge_insecure true"), Some("bridge_insecure"));
        assert_eq!(of("bridge_insecure false"), None);
        assert_eq!(of("keepalive_interval 5"), None);
    }
}
