//! Counts what a client asks of a PostgreSQL server: a proxy that passes bytes on and reads the frames of one direction.
//!
//! A test of `rexecutor-sqlx` includes this file, too.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A proxy in front of a server, until it is dropped. Connections that are open then stay open.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The server's, but for the host and the port.
    url: String,
    asked: Arc<Asked>,
    accepting: tokio::task::JoinHandle<()>,
}

/// What all clients have asked for.
#[derive(Debug, Default)]
struct Asked {
    round_trips: AtomicUsize,
    statements: AtomicUsize,
}

impl Wire {
    /// In front of the server of this URL.
    pub(crate) async fn start(url: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let server: PgConnectOptions = url.parse()?;
        if server.get_socket().is_some() || server.get_host().starts_with('/') {
            return Err("only a TCP connection can be read: name a host and a port in the URL".into());
        }
        let (host, port) = (server.get_host().to_owned(), server.get_port());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = with_port(url, listener.local_addr()?.port());
        let asked = Arc::new(Asked::default());
        let counts = asked.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect((host.as_str(), port)).await {
                    tokio::spawn(pass_on(client, server, counts.clone()));
                }
            }
        });
        Ok(Self { url, asked, accepting })
    }

    /// By which the server is reached through this.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How often a client has asked and waited for the answer: each simple query, and each group of messages that ends in
    /// a sync. A sync by itself does not count: so a pool asks, when the work is done, whether its connection lives.
    pub(crate) fn round_trips(&self) -> usize {
        self.asked.round_trips.load(Ordering::SeqCst)
    }

    /// How many statements were carried out; a simple query counts once, however many it holds.
    pub(crate) fn statements(&self) -> usize {
        self.asked.statements.load(Ordering::SeqCst)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The same URL, but for a server at this port of this machine.
fn with_port(url: &str, port: u16) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let user = authority.rsplit_once('@').map_or(String::new(), |(user, _)| format!("{user}@"));
    format!("{scheme}://{user}127.0.0.1:{port}{rest}")
}

async fn pass_on(client: TcpStream, server: TcpStream, asked: Arc<Asked>) {
    // Else a small message may wait 40 ms for company.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let questions = async {
        let mut frames = Frames::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from_client.read(&mut buffer).await {
                Ok(read) if read > 0 => {
                    // Counted first: whoever has an answer finds its question counted.
                    frames.read(&buffer[..read], &asked);
                    if to_server.write_all(&buffer[..read]).await.is_err() {
                        return;
                    }
                }
                _ => return drop(to_server.shutdown().await),
            }
        }
    };
    let answers = async {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::join!(questions, answers);
}

/// Where in the stream of messages a client is.
#[derive(Debug, Default)]
struct Frames {
    /// The first message has no type.
    has_begun: bool,
    /// What has come of the next message's head.
    head: Vec<u8>,
    /// How many bytes of the present message are still to come.
    rest: usize,
    /// Whether something was asked since the last sync.
    has_asked: bool,
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8], asked: &Asked) {
        while !bytes.is_empty() {
            let passed = self.rest.min(bytes.len());
            self.rest -= passed;
            bytes = &bytes[passed..];
            let head = if self.has_begun { 5 } else { 8 };
            let taken = bytes.len().min(head - self.head.len());
            self.head.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.head.len() == head {
                self.begin(asked);
            }
        }
    }

    fn begin(&mut self, asked: &Asked) {
        let head = std::mem::take(&mut self.head);
        let number = |at: usize| head[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if !self.has_begun {
            // A request for encryption is answered, and the first message follows.
            const ENCRYPT: [usize; 2] = [80_877_103, 80_877_104];
            self.has_begun = !ENCRYPT.contains(&number(4));
            self.rest = number(0).saturating_sub(8);
            return;
        }
        self.rest = number(1).saturating_sub(4);
        let (round_trips, statements) = match head[0] {
            b'Q' => (1, 1),
            b'S' => (usize::from(self.has_asked), 0),
            b'E' => (0, 1),
            _ => (0, 0),
        };
        self.has_asked = !matches!(head[0], b'Q' | b'S');
        asked.round_trips.fetch_add(round_trips, Ordering::SeqCst);
        asked.statements.fetch_add(statements, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_everything_but_its_server() {
        let moved = |url| with_port(url, 7);
        assert_eq!(moved("postgres://me:a@b@db:1/app?x=y"), "postgres://me:a@b@127.0.0.1:7/app?x=y");
        assert_eq!(moved("postgresql://db/app"), "postgresql://127.0.0.1:7/app");
        assert_eq!(moved("postgres://db?x=y/z"), "postgres://127.0.0.1:7?x=y/z");
    }

    #[test]
    fn messages_are_counted_wherever_the_stream_is_cut() {
        let message = |kind: u8, body: &[u8]| {
            let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
            [&[kind], &length[..], body].concat()
        };
        let encrypt = [8_u32.to_be_bytes(), 80_877_103_u32.to_be_bytes()].concat();
        let begin = [12_u32.to_be_bytes(), 196_608_u32.to_be_bytes(), *b"user"].concat();
        let stream = [
            encrypt,
            begin,
            message(b'Q', b"BEGIN\0"),
            message(b'P', b"QSE QSE QSE\0"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'S', b""),
            message(b'S', b""),
            message(b'X', b""),
        ]
        .concat();
        for size in [1, 2, 3, 7, 1_000] {
            let (asked, mut frames) = (Asked::default(), Frames::default());
            stream.chunks(size).for_each(|bytes| frames.read(bytes, &asked));
            let counted = (asked.round_trips.into_inner(), asked.statements.into_inner());
            assert_eq!(counted, (2, 2), "in pieces of {size}");
        }
    }
}
