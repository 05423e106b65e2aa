//! The Eclipse Paho client, reduced to operations that report their end as a [`Signal`].

use std::fs;
use std::future::Future;
use std::io;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::Sender;
use paho_mqtt::{
    AsyncClient, ConnectOptions, ConnectOptionsBuilder, CreateOptionsBuilder, DisconnectOptions, Error,
    Message, PersistenceType, Properties, PropertyCode, ServerResponse, SslOptions, SslOptionsBuilder, Token,
};

use super::problem::LEAST_PACKET;
use super::signal::{LastOnTopic, Signal, What};
use super::{BrokerSettings, Outgoing, Problem, own_files};
use crate::settings::{Credentials, secret_file};
use crate::system::threads;

/// A dead link is noticed after 2.5 times this at the latest (measured: 12.5 s).
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Paho looks at it every 3 s only, so that an attempt ends after 3 to 7 s.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// What the project's own brokers take as a payload, and room for a topic. A plain broker would send whatever
/// somebody has retained, and Paho would make room for it, again on each connect.
pub(super) const LARGEST_PACKET: u32 = 2 * 1024 * 1024 + 64 * 1024;
/// Paho refuses more publishes than this that it has not begun to send.
const MAX_UNSENT: i32 = 1_000;

/// One client, until a connection is lost with messages in flight; see [`PahoClient::renew`].
///
/// A client is never destroyed: `MQTTAsync_destroy` waits for Paho's threads for up to seconds, and they may
/// hold a name look-up. The end of the process does it better.
pub(super) struct PahoClient {
    client: ManuallyDrop<AsyncClient>,
    settings: BrokerSettings,
    options: ConnectOptions,
    /// Where to connect to; `None` leaves it to Paho, which takes one address of the name.
    address: Option<SocketAddr>,
    /// Files that a person may mend: when they changed last, as far as is known here.
    files: Vec<(PathBuf, Option<Changed>)>,
    /// Why one of these cannot be used by now, in words.
    unusable: Option<String>,
    signals: Sender<Signal>,
    /// Counts the clients: one that was left behind may still have something to say.
    clients: u64,
    operations: u64,
}

/// An operation under way. When it has ended, [`What::Ended`] with its number comes, and
/// [`Operation::result`] has its result.
pub(super) struct Operation {
    number: u64,
    token: Token,
    early: Option<Outcome>,
    wake: Arc<Ended>,
}

/// How an operation ended.
pub(super) type Outcome = Result<Response, Failure>;

/// What the broker answered.
pub(super) struct Response {
    /// To `CONNECT`: what the broker lacks that the programs need, if anything.
    pub lacks: Option<Problem>,
    /// To `SUBSCRIBE`: a reason code a topic.
    pub granted: Vec<i32>,
}

/// Why an operation did not succeed.
pub(super) enum Failure {
    /// The library knows the cause.
    Known(Problem),
    /// The library says "failure".
    Unknown,
}

impl PahoClient {
    pub(super) fn new(settings: &BrokerSettings, signals: Sender<Signal>) -> anyhow::Result<Self> {
        let client = make(settings, 0, &signals)?.client;
        let options = connect_options(settings, None)?;
        Ok(Self {
            client,
            settings: settings.clone(),
            options,
            address: None,
            files: files(settings),
            unusable: None,
            signals,
            clients: 0,
            operations: 0,
        })
    }

    /// Takes a new client, and leaves the old one as it is, which costs some kilobytes.
    ///
    /// When a write fails, Paho 1.3.16 frees a message of level 1 or 2 that it still has on the list of those
    /// to send again (`MQTTAsync_processCommand`: `MQTTAsync_freeCommand` after `SOCKET_ERROR`). On the next
    /// connect it sends the freed memory, or frees it once more: `free(): invalid pointer`. So a client with
    /// such a list must never connect again. Besides, a new one sends nothing of which we have said that it
    /// was not delivered.
    pub(super) fn renew(&mut self) -> anyhow::Result<()> {
        self.take(make(&self.settings, self.clients + 1, &self.signals)?);
        Ok(())
    }

    /// Makes a new client in the place of one that hangs: a thread does it, since the library hands none out
    /// while it looks up a name. [`What::Renewed`] brings it.
    pub(super) fn renew_later(&self) -> io::Result<()> {
        let (settings, number, signals) = (self.settings.clone(), self.clients + 1, self.signals.clone());
        threads::start("client", move || {
            let made = make(&settings, number, &signals).ok();
            let _ = signals.send(Signal(What::Renewed(made)));
        })?;
        Ok(())
    }

    /// Takes a new client from now on, and leaves the old one as it is.
    pub(super) fn take(&mut self, made: NewClient) {
        self.client = made.client;
        self.clients = made.number;
    }

    /// Whether a signal comes from the client in use.
    pub(super) const fn is_of(&self, client: u64) -> bool {
        client == self.clients
    }

    /// The address of the next attempts.
    pub(super) fn use_address(&mut self, address: Option<SocketAddr>) -> anyhow::Result<()> {
        if address != self.address {
            self.options = connect_options(&self.settings, address)?;
            self.address = address;
        }
        Ok(())
    }

    /// The address of the last attempt; `None` if Paho has chosen it.
    pub(super) const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Whether a file with a password or with certificates has changed since it was read.
    pub(super) fn files_have_changed(&self) -> bool {
        self.files.iter().any(|(file, known)| changed_at(file) != *known)
    }

    /// Whether there are files that may change.
    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Takes the password as it is now. One that cannot be read leaves the last one: it may be replaced at
    /// this moment. A secret that others can read is not used any more.
    fn read_again(&mut self) {
        if !self.files_have_changed() {
            return;
        }
        self.files = files(&self.settings);
        self.unusable = None;
        if let Some(Credentials {
            username,
            file: Some(file),
            ..
        }) = &self.settings.credentials
        {
            match Credentials::read(username.clone(), file.clone()) {
                Ok(credentials) => self.settings.credentials = Some(credentials),
                // One that is gone, or empty while it is written, has been read before.
                Err(why) => {
                    let exposed = why.downcast::<secret_file::Exposed>();
                    self.unusable = exposed.ok().map(|why| why.to_string());
                }
            }
        }
        if let Some(own) = &self.settings.certificate
            // Of a key with a passphrase the library would ask on the terminal.
            && let Err(why) = own_files::certificate(own)
        {
            self.unusable.get_or_insert_with(|| format!("{why:#}"));
        }
        if let Ok(options) = connect_options(&self.settings, self.address) {
            self.options = options;
        }
    }

    /// Begins an attempt, if there is nothing against it here.
    pub(super) fn connect(&mut self) -> Result<Operation, Problem> {
        self.read_again();
        if let Some(why) = &self.unusable {
            return Err(Problem::SecretUnusable(why.clone()));
        }
        let token = self.client.connect(self.options.clone());
        Ok(self.track(token))
    }

    /// Asks for all subscriptions in one packet.
    pub(super) fn subscribe(&mut self) -> Operation {
        let (topics, qos): (Vec<_>, Vec<_>) = self
            .settings
            .subscriptions
            .iter()
            .map(|(topic, qos)| (topic.as_str(), i32::from(*qos)))
            .unzip();
        let token = self.client.subscribe_many(&topics, &qos);
        self.track(token)
    }

    pub(super) fn publish(&mut self, message: Outgoing) -> Operation {
        let token = self.client.publish(message.into());
        self.track(token.into())
    }

    /// At once, whatever is in flight: who wants to wait for deliveries has done so before.
    pub(super) fn disconnect(&mut self) -> Operation {
        let token = self.client.disconnect(DisconnectOptions::default());
        self.track(token)
    }

    /// The topic to which the broker said no, if there is one.
    pub(super) fn refused<'a>(&'a self, granted: &[i32]) -> Option<&'a str> {
        let pairs = self.settings.subscriptions.iter().zip(granted);
        pairs
            .filter(|(_, code)| **code >= 0x80)
            .map(|((topic, _), _)| topic.as_str())
            .next()
    }

    /// How many operations were begun; tells attempts apart.
    pub(super) const fn operations(&self) -> u64 {
        self.operations
    }

    fn track(&mut self, token: Token) -> Operation {
        self.operations += 1;
        let wake = Arc::new(Ended {
            number: self.operations,
            signals: self.signals.clone(),
        });
        let mut operation = Operation {
            number: self.operations,
            token,
            early: None,
            wake,
        };
        operation.early = operation.poll();
        if operation.early.is_some() {
            operation.wake.wake_by_ref();
        }
        operation
    }
}

impl Operation {
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The result, once. A token gives it only once as well.
    pub(super) fn result(&mut self) -> Option<Outcome> {
        self.early.take().or_else(|| self.poll())
    }

    fn poll(&mut self) -> Option<Outcome> {
        let waker = self.wake.clone().into();
        match Pin::new(&mut self.token).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => Some(
                result
                    .map(|response| Response::from(&response))
                    .map_err(|error| Failure::from(&error)),
            ),
            Poll::Pending => None,
        }
    }
}

/// Paho's thread wakes it with a lock of the library held: it sends, and nothing else.
struct Ended {
    number: u64,
    signals: Sender<Signal>,
}

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let _ = self.signals.send(Signal(What::Ended(self.number)));
    }
}

/// When a file was written, and when its rights were set.
type Changed = [(i64, i64); 2];

fn files(settings: &BrokerSettings) -> Vec<(PathBuf, Option<Changed>)> {
    let password = settings
        .credentials
        .iter()
        .filter_map(|credentials| credentials.file.as_ref());
    let own = settings.certificate.iter();
    let own = own.flat_map(|own| [&own.certificate, &own.key]);
    let files = password.chain(&settings.ca_file).chain(own);
    files.map(|file| (file.clone(), changed_at(file))).collect()
}

fn changed_at(file: &Path) -> Option<Changed> {
    let meta = fs::metadata(file).ok()?;
    Some([
        (meta.mtime(), meta.mtime_nsec()),
        (meta.ctime(), meta.ctime_nsec()),
    ])
}

/// A client of the library, and which one of this program.
pub(super) struct NewClient {
    client: ManuallyDrop<AsyncClient>,
    number: u64,
}

fn make(settings: &BrokerSettings, number: u64, signals: &Sender<Signal>) -> anyhow::Result<NewClient> {
    let create = CreateOptionsBuilder::new()
        .server_uri(settings.url.to_string())
        .client_id(&settings.client_id)
        .persistence(PersistenceType::None)
        .max_buffered_messages(MAX_UNSENT)
        .finalize();
    let client =
        AsyncClient::new(create).with_context(|| format!("preparing an MQTT client for {}", settings.url))?;
    forward(&client, number, signals);
    let client = ManuallyDrop::new(client);
    Ok(NewClient { client, number })
}

/// Callbacks run on Paho's threads with a lock of the library held: they send, and nothing else. All of them,
/// and the ends of operations, go into one channel, so that their order is the order in which Paho saw them.
fn forward(client: &AsyncClient, number: u64, signals: &Sender<Signal>) {
    let sender = signals.clone();
    let mut last = LastOnTopic::default();
    client.set_message_callback(move |_, message| {
        // Paho marks the end of a connection by `None`; that is said by the callbacks below.
        if let Some(message) = message {
            let superseded = last.note(&message, sender.len());
            let _ = sender.send(Signal(What::Arrived(number, Box::new(message), superseded)));
        }
    });
    let sender = signals.clone();
    client.set_connection_lost_callback(move |_| {
        let _ = sender.send(Signal(What::Lost(number, Problem::Lost)));
    });
    let sender = signals.clone();
    client.set_disconnected_callback(move |_, _, reason| {
        let code = u8::try_from(reason as i32).unwrap_or_default();
        let _ = sender.send(Signal(What::Lost(number, Problem::from_reason(code))));
    });
}

fn connect_options(settings: &BrokerSettings, address: Option<SocketAddr>) -> anyhow::Result<ConnectOptions> {
    let mut builder = ConnectOptionsBuilder::new_v5();
    if let Some(address) = address {
        // Without TLS options Paho 1.3.16 prints each of these addresses on stdout. It does not use them for
        // `mqtt`.
        builder
            .server_uris(&[format!("mqtt://{address}")])
            .ssl_options(SslOptions::default());
    }
    // Never 0: Paho would clear its list of messages when the connection ends, and run into the fault
    // described at `renew`.
    let expiry = u32::try_from(settings.session_expiry.as_secs())
        .unwrap_or(u32::MAX)
        .max(1);
    let mut properties = Properties::new();
    properties
        .push_u32(PropertyCode::SessionExpiryInterval, expiry)
        .and_then(|()| properties.push_u32(PropertyCode::MaximumPacketSize, LARGEST_PACKET))
        .context("setting the session's expiry and the largest packet")?;
    builder
        .clean_start(false)
        .properties(properties)
        .keep_alive_interval(KEEP_ALIVE)
        .connect_timeout(CONNECT_TIMEOUT)
        // Whatever the broker allows: flow control is the broker's receive maximum.
        .max_inflight(i32::from(u16::MAX));
    if let Some(will) = &settings.will {
        builder.will_message(will.clone().into());
    }
    if let Some(credentials) = &settings.credentials {
        builder
            .user_name(&credentials.username)
            .password(credentials.password.0.as_str());
    }
    if settings.url.tls() {
        let mut tls = SslOptionsBuilder::new();
        // Without `verify` the host's name is not compared.
        tls.enable_server_cert_auth(true).verify(true);
        if let Some(file) = &settings.ca_file {
            tls.trust_store(file)
                .with_context(|| format!("using the certificates in {}", file.display()))?;
        }
        if let Some(own) = &settings.certificate {
            tls.key_store(&own.certificate)
                .and_then(|tls| tls.private_key(&own.key))
                .with_context(|| format!("using the certificate in {}", own.certificate.display()))?;
        }
        builder.ssl_options(tls.finalize());
    }
    Ok(builder.finalize())
}

impl From<Outgoing> for Message {
    fn from(outgoing: Outgoing) -> Self {
        let Outgoing {
            topic,
            payload,
            qos,
            retained,
        } = outgoing;
        let make = if retained { Self::new_retained } else { Self::new };
        make(topic, payload, i32::from(qos))
    }
}

impl From<&ServerResponse> for Response {
    fn from(response: &ServerResponse) -> Self {
        Self {
            lacks: lacking(response.properties()),
            granted: response.subscribe_many_response().unwrap_or_default(),
        }
    }
}

/// What a `CONNACK` says that the broker does not have. What it says nothing of it has (MQTT 5, 3.2.2.3).
fn lacking(properties: &Properties) -> Option<Problem> {
    let most = properties.get_val::<u32>(PropertyCode::MaximumPacketSize);
    if properties
        .get_int(PropertyCode::MaximumQos)
        .is_some_and(|most| most < 2)
    {
        Some(Problem::NoQos2)
    } else if properties.get_int(PropertyCode::RetainAvailable) == Some(0) {
        Some(Problem::NothingRetained)
    } else {
        most.filter(|most| *most < LEAST_PACKET)
            .map(Problem::SmallPackets)
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self::Known(match error {
            Error::ReasonCode(reason, _) => {
                Problem::from_reason(u8::try_from(*reason as i32).unwrap_or_default())
            }
            Error::TcpConnectTimeout => Problem::NoAnswer,
            Error::TcpConnectCompletionFailure => Problem::ClosedAtOnce,
            Error::ReceivedDisconnect(_)
            | Error::Disconnected
            | Error::OperationIncomplete
            | Error::SocketError(_) => Problem::Lost,
            _ => return Self::Unknown,
        })
    }
}
