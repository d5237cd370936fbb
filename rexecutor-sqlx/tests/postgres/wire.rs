//! A wire to the server that is cut at the worst moment: when a transaction commits, or a statement that is one by itself.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Where the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never hears of the commit.
    Before = 1,
    /// It has committed, and nobody hears so.
    After = 2,
}

/// A relay in front of the server.
pub(crate) struct Wire {
    port: u16,
    /// The server's host and port.
    server: Arc<Mutex<(String, u16)>>,
    /// The statements that were sent.
    said: Arc<Mutex<String>>,
    /// Where a commit is cut; 0: nowhere.
    cut: Arc<AtomicU8>,
    /// How many commits pass before.
    passing: Arc<AtomicU8>,
}

impl Wire {
    pub(crate) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::default(),
            passing: Arc::default(),
            said: Arc::default(),
            server: Arc::default(),
        };
        wire.lead_to(url);
        let (cut, server, said) = (wire.cut.clone(), wire.server.clone(), wire.said.clone());
        let passing = wire.passing.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let address = server.lock().unwrap().clone();
                let server = TcpStream::connect(address).await.unwrap();
                tokio::spawn(relay(client, server, cut.clone(), passing.clone(), said.clone()));
            }
        });
        wire
    }

    /// To which server connections lead that are made from now on.
    pub(crate) fn lead_to(&self, url: &str) {
        let server: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        *self.server.lock().unwrap() = (server.get_host().to_owned(), server.get_port());
    }

    /// The server's address by this wire.
    pub(crate) fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let user = authority.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{scheme}://{user}127.0.0.1:{}/{path}{mark}sslmode=disable", self.port)
    }

    /// What was said so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// From here on.
    pub(crate) fn forget(&self) {
        self.said.lock().unwrap().clear();
    }

    /// Cuts the connection that commits next.
    pub(crate) fn cut_next_commit(&self, at: Cut) {
        self.cut_commit_after(0, at);
    }

    /// Cuts nothing any more.
    pub(crate) fn cut_no_commit(&self) {
        self.cut.store(0, Ordering::SeqCst);
    }

    /// Whether the cut that was asked for has been made.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) == 0
    }

    /// Lets so many commits pass, and cuts the connection of the one after them.
    pub(crate) fn cut_commit_after(&self, commits: u8, at: Cut) {
        self.passing.store(commits, Ordering::SeqCst);
        self.cut.store(at as u8, Ordering::SeqCst);
    }
}

async fn relay(
    client: TcpStream,
    server: TcpStream,
    cut: Arc<AtomicU8>,
    passing: Arc<AtomicU8>,
    said: Arc<Mutex<String>>,
) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let swallows = AtomicBool::new(false);
    // When either side ends, both are closed.
    tokio::select! {
        () = questions(from_client, to_server, &cut, &passing, &swallows, &said) => {}
        () = answers(from_server, to_client, &swallows) => {}
    }
}

/// Passes on the server's answers, until one is to be swallowed.
async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, swallows: &AtomicBool) {
    let mut chunk = vec![0; 65_536];
    while let Ok(length @ 1..) = server.read(&mut chunk).await {
        if swallows.load(Ordering::SeqCst) || client.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}

/// Passes on the client's messages, each of which says its length.
async fn questions(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    cut: &AtomicU8,
    passing: &AtomicU8,
    swallows: &AtomicBool,
    said: &Mutex<String>,
) {
    // The first message has no letter.
    let mut header = 4;
    let (mut is_open, mut has_executed) = (false, false);
    loop {
        let mut message = vec![0; header];
        if client.read_exact(&mut message).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes(message[header - 4..].try_into().unwrap());
        message.resize(header + length as usize - 4, 0);
        if client.read_exact(&mut message[header..]).await.is_err() {
            return;
        }
        header = 5;
        // `Q`uery and `P`arse have a statement's text in them.
        if message.starts_with(b"Q") || message.starts_with(b"P") {
            said.lock().unwrap().push_str(&String::from_utf8_lossy(&message[5..]));
        }
        // A statement outside of a transaction commits when the client says that it is through: `E`xecute, then `S`ync.
        let is_commit = match message[0] {
            b'Q' if message[5..].starts_with(b"COMMIT") => std::mem::take(&mut is_open),
            b'Q' => {
                is_open = message[5..].starts_with(b"BEGIN") || is_open && !message[5..].starts_with(b"ROLLBACK");
                false
            }
            b'E' => {
                has_executed = true;
                false
            }
            b'S' => std::mem::take(&mut has_executed) && !is_open,
            _ => false,
        };
        let less = |left: u8| left.checked_sub(1);
        let is_meant = is_commit && passing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err();
        let at = if is_meant { cut.swap(0, Ordering::SeqCst) } else { 0 };
        swallows.store(at == Cut::After as u8, Ordering::SeqCst);
        if at == Cut::Before as u8 || server.write_all(&message).await.is_err() {
            return;
        }
    }
}
