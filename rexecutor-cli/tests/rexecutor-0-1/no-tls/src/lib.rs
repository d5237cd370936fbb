//! What sqlx needs of native-tls to compile, without any encryption: whoever connects with it gets an error.

use std::{
    error, fmt,
    io::{self, Read, Write},
};

#[derive(Debug)]
pub struct Error;

pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this program was built without encrypted connections")
    }
}

impl error::Error for Error {}

pub enum HandshakeError<S> {
    Failure(Error),
    WouldBlock(MidHandshakeTlsStream<S>),
}

pub struct MidHandshakeTlsStream<S>(S);

impl<S> MidHandshakeTlsStream<S> {
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.0
    }

    pub fn handshake(self) -> std::result::Result<TlsStream<S>, HandshakeError<S>> {
        Err(HandshakeError::Failure(Error))
    }
}

pub struct TlsStream<S>(S);

impl<S: Read + Write> TlsStream<S> {
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.0
    }

    pub fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Read> Read for TlsStream<S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl<S: Write> Write for TlsStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub struct Certificate;

impl Certificate {
    pub fn from_pem(_: &[u8]) -> Result<Self> {
        Err(Error)
    }
}

pub struct Identity;

impl Identity {
    pub fn from_pkcs8(_: &[u8], _: &[u8]) -> Result<Self> {
        Err(Error)
    }
}

pub struct TlsConnector;

impl TlsConnector {
    pub fn builder() -> TlsConnectorBuilder {
        TlsConnectorBuilder
    }

    pub fn connect<S: Read + Write>(&self, _: &str, _: S) -> std::result::Result<TlsStream<S>, HandshakeError<S>> {
        Err(HandshakeError::Failure(Error))
    }
}

pub struct TlsConnectorBuilder;

impl TlsConnectorBuilder {
    pub fn danger_accept_invalid_certs(&mut self, _: bool) -> &mut Self {
        self
    }

    pub fn danger_accept_invalid_hostnames(&mut self, _: bool) -> &mut Self {
        self
    }

    pub fn add_root_certificate(&mut self, _: Certificate) -> &mut Self {
        self
    }

    pub fn identity(&mut self, _: Identity) -> &mut Self {
        self
    }

    pub fn build(&self) -> Result<TlsConnector> {
        Ok(TlsConnector)
    }
}
