//! Letting programs in by a token.

use axum::http::{HeaderMap, header, request::Parts};
use sha2::{Digest, Sha256};

use crate::access::{Access, Authorize, Denied};

/// Lets in programs that send the header `Authorization: Bearer TOKEN`, each as its token says; all others are not logged in.
///
/// A token should be 32 random bytes at least, in any writing. It is for programs that call the API: a browser cannot send it.
///
/// # Examples
///
/// ```
/// use rexecutor::backend::memory::InMemoryBackend;
/// use rexecutor_web::{Access, Role, bearer};
///
/// # let token = "0f6f2c7e5a3f4b0a9c1d8e7b6a5f4c3d";
/// let shop = Access::new("the shop", Role::Operator).only(["welcome_email"]);
/// let router: axum::Router = rexecutor_web::router(InMemoryBackend::new(), bearer([(token, shop)]));
/// # drop(router);
/// ```
pub fn bearer(tokens: impl IntoIterator<Item = (impl AsRef<[u8]>, Access)>) -> impl Authorize {
    let known: Vec<([u8; 32], Access)> =
        tokens.into_iter().map(|(token, access)| (Sha256::digest(token.as_ref()).into(), access)).collect();
    move |request: &Parts| {
        let given = token(&request.headers).ok_or(Denied::Unauthorized)?;
        // Digests are compared: how many of their bytes are right says nothing about the token.
        let given: [u8; 32] = Sha256::digest(given).into();
        let found = known.iter().find(|(token, _)| *token == given);
        found.map(|(_, access)| access.clone()).ok_or(Denied::Unauthorized)
    }
}

/// The token that a request has. No form and no link of a browser's can have one.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
