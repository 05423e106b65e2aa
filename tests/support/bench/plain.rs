//! A plain MQTT 3.1.1 client: it looks at what a broker holds, listens, and says what no program of this
//! project would say.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use paho_mqtt::{Client, ConnectOptionsBuilder, CreateOptionsBuilder, Message};

/// Generous: only failures wait for so long.
const DEADLINE: Duration = Duration::from_secs(30);

/// A topic that nobody else uses: what comes back on it came after everything that the broker had in store.
const MARKER: &str = "test/marker";

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct HeardMessage {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retained: bool,
}

/// A connected client.
pub struct PlainClient {
    client: Client,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Inbox {
    heard: Mutex<Vec<HeardMessage>>,
    changed: Condvar,
}

impl PlainClient {
    /// As the plain programs in use connect: under a name of their own, with a session that the broker keeps.
    pub fn named(url: &str, client_id: &str) -> Self {
        Self::connect(url, client_id, false).unwrap_or_else(|error| panic!("{client_id} at {url}: {error}"))
    }

    /// Without a name or a session.
    pub fn stranger(url: &str) -> Self {
        Self::connect(url, "", true).unwrap_or_else(|error| panic!("a stranger at {url}: {error}"))
    }

    fn connect(url: &str, client_id: &str, clean: bool) -> paho_mqtt::Result<Self> {
        let options = CreateOptionsBuilder::new()
            .server_uri(url.replace("mqtt://", "tcp://"))
            .client_id(client_id)
            .mqtt_version(paho_mqtt::MQTT_VERSION_3_1_1)
            .persistence(None)
            .finalize();
        let mut client = Client::new(options)?;
        client.set_timeout(DEADLINE);
        let messages = client.start_consuming();
        let inbox = Arc::new(Inbox::default());
        let its = Arc::clone(&inbox);
        let thread = std::thread::Builder::new().name("plain".into());
        let reading = thread.spawn(move || {
            for message in messages.into_iter().flatten() {
                its.lock().push(HeardMessage {
                    topic: message.topic().to_owned(),
                    payload: message.payload().to_vec(),
                    retained: message.retained(),
                });
                its.changed.notify_all();
            }
        });
        reading.expect("a thread");
        client.connect(ConnectOptionsBuilder::new_v3().clean_session(clean).finalize())?;
        Ok(Self { client, inbox })
    }

    /// Listens to a topic, with `QoS` 2.
    pub fn listen(self, topic: &str) -> Self {
        self.client
            .subscribe(topic, 2)
            .unwrap_or_else(|error| panic!("subscribing to {topic}: {error}"));
        self
    }

    /// Publishes with `QoS` 2, and returns when the broker has it.
    pub fn say(&self, topic: &str, payload: impl Into<Vec<u8>>, retained: bool) {
        let message = Message::new_retained(topic, payload, 2);
        let message = if retained {
            message
        } else {
            Message::new(topic, message.payload(), 2)
        };
        self.client
            .publish(message)
            .unwrap_or_else(|error| panic!("publishing on {topic}: {error}"));
    }

    /// All that has arrived so far.
    pub fn heard(&self) -> Vec<HeardMessage> {
        self.inbox.lock().clone()
    }

    /// Waits until what has arrived is as described.
    #[track_caller]
    pub fn wait_for(&self, what: &str, mut condition: impl FnMut(&[HeardMessage]) -> bool) {
        let start = Instant::now();
        let mut heard = self.inbox.lock();
        while !condition(&heard) {
            let left = DEADLINE.saturating_sub(start.elapsed());
            assert!(
                !left.is_zero(),
                "waited in vain for {what}; heard {} messages",
                heard.len()
            );
            heard = self
                .inbox
                .changed
                .wait_timeout(heard, left)
                .expect("no thread panics here")
                .0;
        }
    }

    /// How many messages have arrived on a topic.
    pub fn count(&self, topic: &str) -> usize {
        self.inbox
            .lock()
            .iter()
            .filter(|heard| heard.topic == topic)
            .count()
    }

    /// Waits for this many more messages on a topic.
    #[track_caller]
    pub fn wait_for_more(&self, count: usize, topic: &str) {
        let of = |heard: &[HeardMessage]| heard.iter().filter(|heard| heard.topic == topic).count();
        let before = self.count(topic);
        self.wait_for(&format!("{count} messages on {topic}"), |heard| {
            of(heard) >= before + count
        });
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Vec<HeardMessage>> {
        self.heard.lock().expect("no thread panics here")
    }
}

/// What a broker holds on a topic.
pub fn retained(url: &str, topic: &str) -> Option<Vec<u8>> {
    let client = PlainClient::stranger(url).listen(MARKER).listen(topic);
    client.say(MARKER, "", false);
    client.wait_for("the marker", |heard| {
        heard.iter().any(|heard| heard.topic == MARKER)
    });
    let held = client
        .heard()
        .into_iter()
        .find(|heard| heard.retained && heard.topic == topic);
    held.map(|heard| heard.payload)
}
