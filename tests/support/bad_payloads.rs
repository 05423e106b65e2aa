//! Payloads that no program of this project sends, each with what the programs say of it.
use super::bench::Node::{self, Broker1, Broker2};

/// Stands in payloads that have room for it, and must be on no screen.
pub const SECRET: &str = "PWNED";

/// A payload that is refused.
#[derive(Clone)]
pub struct Bad {
    pub payload: Vec<u8>,
    /// How the reason begins.
    pub why: &'static str,
}

impl Bad {
    /// The same, said of the sensors that a topic carries: on those of card 2, sensors 1 to 3 and 4 to 6
    /// change places.
    pub fn on(&self, topic: &str) -> Self {
        let mut bad = self.clone();
        if !topic.ends_with("/card2") {
            return bad;
        }
        // Some write the number as an escape.
        for (key, at) in [(&b"sensor_"[..], 7), (b"sensor_\\u003", 12)] {
            for place in 0..bad.payload.len().saturating_sub(at) {
                if bad.payload[place..].starts_with(key) {
                    let number = &mut bad.payload[place + at];
                    *number = match *number {
                        b'1'..=b'3' => *number + 3,
                        b'4'..=b'6' => *number - 3,
                        other => other,
                    };
                }
            }
        }
        bad
    }
}

/// The topics that are retained, each with the brokers where somebody may put something on it.
pub const KEPT: [(&str, Node); 6] = [
    ("sensors/card1", Broker1),
    ("sensors/card1", Broker2),
    ("sensors/card2", Broker1),
    ("sensors/card2", Broker2),
    ("sensors/all", Broker1),
    ("sensors/all", Broker2),
];

/// Whether the bridge carries what is said on a retained topic at this broker to the other one.
pub fn crosses((topic, broker): (&str, Node)) -> bool {
    (topic == "sensors/card1") == (broker == Broker1)
}

const NOT_JSON: &str = "not JSON";
const WRONG_FORM: &str = "not of the form that this topic has";
const NO_SENSOR: &str = "speaks of no sensor of this topic";
/// Where it depends on how far the reader gets.
const EITHER: &str = "not ";

/// What is no JSON, or no text at all; bad on every topic that carries JSON.
const NO_JSON: &[(&str, &[&[u8]])] = &[
    ("empty message", &[b""]),
    (
        NOT_JSON,
        &[
            b"PWNED is not JSON",
            b"\xff\xfe\xfd",
            b"\0",
            b"\0\0\0\0\0\0\0\0",
            b" \t\r\n ",
            br#"""#,
            b"{",
            b"}",
            br#"{"sensor_1": false, "sensor_4": fal"#,
            b"\xef\xbb\xbf{\"sensor_1\": false, \"sensor_4\": false}",
            b"\xff\xfe{\0\"\0s\0\"\0:\x001\0}\0",
            b"{'sensor_1': false, 'sensor_4': false}",
            b"{sensor_1: false, sensor_4: false}",
            br#"{"sensor_1": False, "sensor_4": False}"#,
            br#"{"sensor_1": false, "sensor_4": false,}"#,
            br#"{"sensor_1": false /* PWNED */, "sensor_4": false}"#,
            br#"{"sensor_1": NaN, "sensor_4": NaN}"#,
            br#"{"sensor_1": -Infinity, "sensor_4": Infinity}"#,
            br#"{"sensor_1": 01, "sensor_4": 0x1}"#,
            br#"{"sensor_1": false}{"sensor_4": false}"#,
            br#"{"sensor_1": false, "sensor_4": false} PWNED"#,
            b"{\"sensor_1\": false, \"sensor_4\": false}\0",
            b"\x1b]0;PWNED\x07\x1b[2J\x1b[31mPWNED",
            b"\x9b2J\x9d0;PWNED\x9c",
            b"\r\n\x08\x08\x7fPWNED\x0c\x0b",
            "\u{202e}\u{2066}\u{200b}\u{feff}PWNED".as_bytes(),
        ],
    ),
    (
        EITHER,
        &[
            b"{\"sensor_1\": true, \"\xff\": 1}",
            b"{\"sensor_1\xc0\x80\": true}",
            b"{\"sensor_1\": true, \"x\": \"\xed\xa0\x80\"}",
            b"{\"sensor_1\": \"\xff\xfePWNED\"}",
            b"{\"sensor_1\n\": false, \"sensor_4\": false, \"a\x1bb\": 1}",
        ],
    ),
];

/// JSON that is no report.
const NO_REPORT: &[(&str, &[&str])] = &[
    (
        WRONG_FORM,
        &[
            "null",
            "true",
            "7",
            r#""sensor_1""#,
            "[]",
            "[false, false, false]",
            r#"[{"sensor_1": false, "sensor_4": false}]"#,
            r#"{"sensor_1": "PWNED", "sensor_4": "PWNED"}"#,
            "{\"sensor_1\": \"\u{202e}PWNED\\u001b]0;PWNED\\u0007\"}",
            r#"{"sensor_1": "false", "sensor_4": "false"}"#,
            r#"{"sensor_1": 0, "sensor_4": 0}"#,
            r#"{"sensor_1": 1.0, "sensor_4": 1e0}"#,
            r#"{"sensor_1": [false], "sensor_4": [false]}"#,
            r#"{"sensor_1": {"state": false}, "sensor_4": {}}"#,
            r#"{"sensor_1": true, "sensor_1": false, "sensor_4": false}"#,
            r#"{"sensor_1": false, "sensor_1": false}"#,
            "{\"sensor_1\": true, \"sensor_\\u0031\": false}",
            r#"{"sensor_1": false, "versions": {}, "versions": {}}"#,
            r#"{"sensor_1": false, "versions": []}"#,
            r#"{"sensor_1": false, "versions": "PWNED"}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [9, 9, 9]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": []}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [9]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [2, 1, 2, 2, 2]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [2, 1, 2, 2, 2, 3, 2, 4, 2, 5, 2, 6, 2, 7, 2, 8, 2, 9, 2, 10, 2, 11]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [1.5, 1]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": ["1", 1]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [-1, 1]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [1, 18446744073709551616]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [18446744073709551616, 1]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [2, [1, 2, 2]]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [9, 9], "sensor_1": [8, 8]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [18446744073709551615, 1]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [9007199254740992, 1]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [1, 4294967296]}}"#,
            r#"{"sensor_1": false, "versions": {"sensor_1": [2, 1, 9007199254740992, 2]}}"#,
            r#"{"sensor_1": false, "changed": {"sensor_1": "PWNED"}}"#,
            r#"{"sensor_1": false, "changed": {"sensor_1": 9223372036854775808}}"#,
            r#"{"sensor_1": false, "changed": [1764930243]}"#,
        ],
    ),
    (
        NO_SENSOR,
        &[
            "{}",
            r#"{"sensor_9": false, "PWNED": true}"#,
            r#"{"SENSOR_1": false, "Sensor_4": false}"#,
            r#"{"sensor_1 ": false, " sensor_4": false}"#,
            "{\"sensor_\u{ff11}\": false, \"sensor_\u{664}\": false}",
            "{\"sensor_1\u{200b}\": false, \"\u{feff}sensor_4\": false}",
            "{\"\u{202e}PWNED\u{200b}\\u001b[2J\\u009b31m\": true}",
            r#"{"sensor_01": false, "sensor1": false, "1": false}"#,
            r#"{"sensors": {"sensor_1": false, "sensor_4": false}}"#,
            r#"{"versions": {"sensor_1": [9, 9], "sensor_4": [9, 9]}}"#,
        ],
    ),
    (
        EITHER,
        &[
            r#"{"sensor_1": 1e999, "sensor_4": 1e999}"#,
            r#"{"sensor_1": false, "x": 1e}"#,
            "{\"sensor_1\": false, \"x\": \"\\x1b\"}",
        ],
    ),
    (NOT_JSON, &[r#"{"sensor_1": NULL}"#]),
];

/// JSON that is no heartbeat.
const NO_HEARTBEAT: &[(&str, &[&str])] = &[(
    WRONG_FORM,
    &[
        "null",
        "{}",
        "[true, 1, 2]",
        r#"{"alive": true}"#,
        r#"{"life": 7}"#,
        r#"{"alive": 1, "life": 7}"#,
        r#"{"alive": "PWNED", "life": 7}"#,
        r#"{"alive": false, "life": -1}"#,
        r#"{"alive": false, "life": 4294967296}"#,
        r#"{"alive": false, "life": 7.5}"#,
        r#"{"alive": true, "alive": false, "life": 7}"#,
        r#"{"alive": true, "life": 7, "uptime_ms": -5}"#,
        r#"{"alive": true, "life": 7, "uptime_ms": 1e30}"#,
        r#"{"alive": true, "life": 7, "uptime_ms": null}"#,
        r#"{"alive": true, "life": 7, "has": []}"#,
        r#"{"alive": true, "life": 7, "has": {"sensor_1": true}}"#,
        r#"{"alive": true, "life": 7, "heard": {"sensor_1": [9007199254740992, 0]}}"#,
        r#"{"alive": true, "life": 7, "era": 4294967296}"#,
        r#"{"alive": true, "life": 7, "takes_over": 1}"#,
        r#"{"alive": true, "life": 7, "joined": true}"#,
        r#"{"alive": true, "life": 7, "quarantined": {"sensor_1": [9]}}"#,
        "{\"alive\": true, \"life\": 7, \"other_live\": \"\\u001b[2JPWNED\"}",
    ],
)];

/// All that is no report: on `sensors/card1`, `sensors/all` and the like.
pub fn no_reports() -> Vec<Bad> {
    with_common(NO_REPORT)
}

/// The same, said of the sensors that a topic carries.
pub fn no_reports_on(topic: &str) -> Vec<Bad> {
    no_reports().iter().map(|bad| bad.on(topic)).collect()
}

/// All that is no heartbeat.
pub fn no_heartbeats() -> Vec<Bad> {
    with_common(NO_HEARTBEAT)
}

fn with_common(rest: &[(&'static str, &[&str])]) -> Vec<Bad> {
    let bad = |payload: &[u8], why| Bad {
        payload: payload.to_vec(),
        why,
    };
    let mut all = made();
    for (why, payloads) in NO_JSON {
        all.extend(payloads.iter().map(|payload| bad(payload, *why)));
    }
    for (why, payloads) in rest {
        all.extend(payloads.iter().map(|payload| bad(payload.as_bytes(), *why)));
    }
    all
}

/// Too large or too deep to be written out.
fn made() -> Vec<Bad> {
    let good = "{\"sensor_1\": false, \"sensor_4\": false, \"alive\": true, \"life\": 7";
    let bad = |payload: Vec<u8>, why| Bad { payload, why };
    vec![
        bad("[".repeat(10_000).into_bytes(), EITHER),
        bad("{\"sensor_1\":".repeat(1_000).into_bytes(), EITHER),
        bad("{\"a\":[".repeat(1_500).into_bytes(), EITHER),
        bad(
            format!(
                "{{\"sensor_1\": {}false{}}}",
                "[".repeat(5_000),
                "]".repeat(5_000)
            )
            .into_bytes(),
            WRONG_FORM,
        ),
        bad(format!("{good}}}{}", " ".repeat(16_384)).into_bytes(), "164"),
        bad(vec![b'7'; 16_385], "16385 bytes, more than 16384"),
        // The largest that the project's brokers let through.
        bad(vec![b'7'; 20_480], "20480 bytes, more than 16384"),
    ]
}
