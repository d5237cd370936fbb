//! Tokens that show that a change comes from a page which was shown to whoever makes it.

use sha2::{Digest, Sha256};

/// What tokens are made of.
#[derive(Clone)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    /// One that no other process has.
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// The one that every process with these bytes has.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The token of somebody.
    pub(crate) fn token(&self, name: &str) -> String {
        // The name is digested first, so that what follows the secret has one length.
        let digest = Sha256::new().chain_update(self.0).chain_update(Sha256::digest(name.as_bytes())).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it is theirs. It takes as long for every wrong one.
    pub(crate) fn is_token(&self, name: &str, token: &str) -> bool {
        let expected = self.token(name);
        let differences = expected.bytes().zip(token.bytes()).fold(0, |known, (one, other)| known | (one ^ other));
        expected.len() == token.len() && differences == 0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_one_name_and_one_secret() {
        let (secret, other) = (Secret::of(b"one"), Secret::of(b"two"));
        let token = secret.token("ann");
        assert!(secret.is_token("ann", &token));
        assert!(!secret.is_token("bob", &token) && !other.is_token("ann", &token));
        assert!(!secret.is_token("ann", &token[1..]) && !secret.is_token("ann", ""));
        assert_ne!(Secret::random().token("ann"), Secret::random().token("ann"));
    }
}
