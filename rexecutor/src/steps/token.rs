//! Signals through a web hook: a signed text that says which job is meant, and which signal.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{StepsExt, executor};
use crate::{
    backend::{Backend, Signalled},
    clock::{Clock, SystemClock},
    global,
    manage::JobsError,
    model::JobId,
    validate,
};

/// Signs tokens, each of which lets whoever has it send one signal to one job until it expires; and takes them back.
///
/// A token is for a link in a mail, or for the address that a service calls when it is done. It has only letters, digits and a dot. It is
/// signed with HMAC-SHA-256, so that nobody can make or change one without the secret; what it says can be read by anybody. Every process
/// with the same secret takes it. Sending it twice changes nothing: the first signal of a name stands. It needs the feature
/// `signal-tokens`.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, prelude::*, steps::{Signalled, SignalTokens}};
///
/// #[job]
/// async fn order(_item: String, steps: Steps) -> Result<(), StepError> {
///     let paid: u32 = steps.wait("payment").await?;
///     println!("{paid} cents were paid");
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = InMemoryBackend::new();
/// let id = Order::builder().with_data("lamp".to_owned()).enqueue_to_backend(&backend).await?.id();
///
/// let tokens = SignalTokens::new(b"at least 32 bytes that nobody can guess")?;
/// let token = tokens.sign::<Order>(id, "payment", TimeDelta::days(7))?;
/// // … later, in the handler of the web hook:
/// let answer = tokens.signal_on_backend::<Order, _, _>(&token, &995, &backend).await?;
/// assert_eq!(answer, Signalled::Stored);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SignalTokens {
    /// The first one signs.
    secrets: Vec<Vec<u8>>,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    /// The executor.
    e: String,
    /// The job.
    j: i64,
    /// The signal.
    s: String,
    /// Until when, in seconds since 1970.
    x: i64,
}

/// Why a token is not made, or not taken.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The secret is too short to keep anybody from guessing it.
    #[error("a secret of {bytes} bytes; the least is {least}")]
    #[non_exhaustive]
    ShortSecret {
        /// How many bytes it has.
        bytes: usize,
        /// How many it must have.
        least: usize,
    },
    /// The signal's name is not acceptable, or the token would be valid for a negative time or for more than 1,000 years.
    #[error("no token can be made for this signal")]
    Invalid(#[from] validate::InvalidJob),
    /// It was not signed with any of the secrets, is not whole, or is for another executor's job.
    #[error("the token is not a valid one")]
    Forged,
    /// Its time is over.
    #[error("the token expired at {at}")]
    #[non_exhaustive]
    Expired {
        /// When.
        at: DateTime<Utc>,
    },
    /// The signal could not be sent.
    #[error(transparent)]
    Jobs(#[from] JobsError),
}

crate::debug_as_sentence!(TokenError);

impl SignalTokens {
    /// The fewest bytes of a secret: 32.
    pub const LEAST_SECRET_BYTES: usize = 32;

    /// Signs with this secret, of 32 bytes or more.
    ///
    /// # Errors
    ///
    /// [`TokenError::ShortSecret`].
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, TokenError> {
        Self { secrets: Vec::new() }.or_signed_with(secret)
    }

    /// Takes tokens that were signed with this secret, too: the one that was used before.
    ///
    /// # Errors
    ///
    /// [`TokenError::ShortSecret`].
    pub fn or_signed_with(mut self, secret: impl AsRef<[u8]>) -> Result<Self, TokenError> {
        let (bytes, least) = (secret.as_ref().len(), Self::LEAST_SECRET_BYTES);
        if bytes < least {
            return Err(TokenError::ShortSecret { bytes, least });
        }
        self.secrets.push(secret.as_ref().to_vec());
        Ok(self)
    }

    /// A token for one signal to one job, which is taken for so long from now on, to the second.
    ///
    /// # Errors
    ///
    /// [`TokenError::Invalid`].
    pub fn sign<E: StepsExt>(
        &self,
        job: impl Into<JobId>,
        signal: &str,
        valid_for: TimeDelta,
    ) -> Result<String, TokenError> {
        validate::step_name(signal)?;
        validate::step_delay(valid_for)?;
        let x = (SystemClock.now() + valid_for).timestamp();
        let claims = Claims { e: E::NAME.to_owned(), j: job.into().as_i64(), s: signal.to_owned(), x };
        let text = serde_json::to_vec(&claims).map_err(|error| JobsError::Encode(E::NAME, error))?;
        let secret = self.secrets.first().ok_or(TokenError::Forged)?;
        let signature = signed(secret, &text)?.finalize().into_bytes();
        Ok(format!("{}.{}", hex(&text), hex(&signature)))
    }

    /// Sends the signal that a token is for, with this value.
    ///
    /// # Errors
    ///
    /// [`TokenError::Forged`] and [`TokenError::Expired`], with which nothing was sent; and as
    /// [`StepsExt::signal`](super::StepsExt::signal).
    pub async fn signal<E: StepsExt, V: Serialize + Sync + ?Sized>(
        &self,
        token: &str,
        value: &V,
    ) -> Result<Signalled, TokenError> {
        let backend = global::backend().map_err(JobsError::from)?;
        self.signal_on_backend::<E, V, _>(token, value, &*backend).await
    }

    /// [`signal`](Self::signal) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// As [`signal`](Self::signal).
    pub async fn signal_on_backend<E: StepsExt, V: Serialize + Sync + ?Sized, B: Backend + ?Sized>(
        &self,
        token: &str,
        value: &V,
        backend: &B,
    ) -> Result<Signalled, TokenError> {
        let claims = self
            .read(token)
            .filter(|claims| claims.e == E::NAME || E::ALIASES.contains(&claims.e.as_str()))
            .ok_or(TokenError::Forged)?;
        let at = DateTime::from_timestamp(claims.x, 0).ok_or(TokenError::Forged)?;
        if at <= SystemClock.now() {
            return Err(TokenError::Expired { at });
        }
        Ok(executor::signal::<E, V, B>(JobId::from(claims.j), &claims.s, value, backend).await?)
    }

    fn read(&self, token: &str) -> Option<Claims> {
        let (text, signature) = token.split_once('.')?;
        let (text, signature) = (unhex(text)?, unhex(signature)?);
        // Compared in constant time.
        let is_ours = |secret: &Vec<u8>| signed(secret, &text).is_ok_and(|mac| mac.verify_slice(&signature).is_ok());
        self.secrets.iter().any(is_ours).then(|| serde_json::from_slice(&text).ok())?
    }
}

impl fmt::Debug for SignalTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignalTokens({} secrets)", self.secrets.len())
    }
}

fn signed(secret: &[u8], text: &[u8]) -> Result<Hmac<Sha256>, TokenError> {
    // A key of any length is taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| TokenError::Forged)?;
    mac.update(b"rexecutor signal 1\n");
    mac.update(text);
    Ok(mac)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
