//! `GET /callback`: the upstream's answer, bound to the client's challenge, and sent on as the gateway's own.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use pkce_tower::{AuthorizationCode, BindError};

use crate::answer::Refusal;
use crate::gateway::Gateway;
use crate::grant::{Grant, digest};
use crate::page::page;
use crate::parameters::Parameters;
use crate::random;
use crate::respond::{see_other, with_cookies};
use crate::transaction::Transaction;

/// How long a transaction, and a code of the upstream, is remembered, so that it comes through once: as long as a code
/// should live at most (RFC 6749 §4.1.2), a binding can, and no transaction does longer.
const REMEMBERED: Duration = Duration::from_secs(600);

const OURS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// Until the `state` is unsealed, and is known to belong to this browser, there is a page and no redirect.
pub(crate) async fn callback(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let gone = || page(StatusCode::BAD_REQUEST, "This sign-in is no longer valid. Please start again.");
    let Some(parameters) = Parameters::parse(query.unwrap_or_default().as_bytes()) else { return gone() };
    let sealed = parameters.one("state").map(|state| gateway.seal.unseal::<Transaction>(state));
    let Some(Some(transaction)) = sealed else {
        tracing::warn!("the state of a callback is not ours");
        return gone();
    };
    if !gateway.cookies.match_transaction(&headers, &transaction.id, &transaction.browser) {
        tracing::warn!("a callback in another browser than the one it was begun in");
        return gone();
    }
    // Whatever follows, this transaction has ended.
    let cookies = [gateway.cookies.remove(&transaction.id)];
    let client = gateway.client(&transaction.client_id);
    let is_registered = client.is_some_and(|client| client.has_redirect_uri(&transaction.redirect_uri));
    if transaction.is_expired() || !is_registered {
        return with_cookies(gone(), &cookies);
    }
    let redirect = match code(&gateway, &parameters, &transaction).await {
        Ok(code) => transaction.redirect("code", code.as_str(), &gateway.issuer),
        Err(refusal) => transaction
            .redirect("error", &refusal.error, &gateway.issuer)
            .with_optional("error_description", refusal.error_description.as_deref())
            .with_optional("error_uri", refusal.error_uri.as_deref()),
    };
    with_cookies(see_other(redirect), &cookies)
}

/// The gateway's own code, bound, or the error for the client (RFC 6749 §4.1.2.1).
async fn code(
    gateway: &Gateway,
    parameters: &Parameters,
    transaction: &Transaction,
) -> Result<AuthorizationCode, Refusal> {
    if parameters.is_ambiguous(&OURS) {
        tracing::warn!("the upstream's answer has a parameter more than once");
        return Err(error("server_error"));
    }
    // Somebody else's answer may hold a code that is not meant for this upstream (RFC 9207 §1).
    if !gateway.upstream.is_issuer(parameters.one("iss")) {
        tracing::warn!("the upstream's answer has another iss than the upstream");
        return Err(error("server_error"));
    }
    let upstream_code = match (parameters.one("code"), parameters.one("error")) {
        (Some(code), None) if is_code(code) => code,
        (None, Some(said)) => {
            let text = |name| parameters.one(name).map(str::to_owned);
            let (description, uri) = (text("error_description"), text("error_uri"));
            let said = Refusal { error: said.to_owned(), error_description: description, error_uri: uri };
            let said = said.checked().filter(Refusal::is_for_the_client);
            return Err(said.unwrap_or_else(|| error("server_error")));
        }
        _ => {
            tracing::warn!("the upstream's answer has neither a code nor an error, or both");
            return Err(error("server_error"));
        }
    };
    let unbound =
        |cause: Option<BindError>| error(cause.map_or("server_error", |cause| cause.reason().error().as_str()));
    bind(gateway, upstream_code, transaction).await.map_err(unbound)
}

/// Binds the transaction and the upstream's code, so that each comes through once, and then the gateway's own code, with
/// what it stands for.
///
/// The first two are marks and nothing more: presented as a code they are refused, because their grant is none of a code's.
/// It is this passage's own, because a store may take two bindings that are the same in everything for one that was sent twice.
async fn bind(
    gateway: &Gateway,
    upstream_code: &str,
    transaction: &Transaction,
) -> Result<AuthorizationCode, Option<BindError>> {
    let challenge = || transaction.challenge.clone();
    let passage = random::name::<16>().map_err(|_| None)?;
    for mark in [format!("transaction {}", transaction.id), format!("upstream {}", digest(upstream_code))] {
        gateway.pkce.bind(&mark, challenge()).grant(&passage).lifetime(REMEMBERED).await?;
    }
    let code = AuthorizationCode::generate().map_err(|_| None)?;
    let grant = Grant {
        code: digest(code.as_str()),
        client_id: transaction.client_id.clone(),
        redirect_uri: transaction.redirect_uri.clone(),
        upstream_code: upstream_code.to_owned(),
    };
    let sealed = gateway.seal.seal(&grant).map_err(|_| None)?;
    gateway.pkce.bind(&code, challenge()).grant(&sealed).await?;
    Ok(code)
}

/// `1*VSCHAR` (RFC 6749 A.11), and no longer than a code that can be bound.
fn is_code(text: &str) -> bool {
    text.len() <= 4096 && text.bytes().all(|octet| matches!(octet, 0x20..=0x7e))
}

fn error(error: &str) -> Refusal {
    Refusal { error: error.to_owned(), error_description: None, error_uri: None }
}
