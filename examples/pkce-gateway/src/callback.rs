//! `GET /callback`: the upstream's response, bound to the client's challenge, and sent on as the gateway's own.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use pkce_tower::{AuthorizationCode, Rejection};

use crate::gateway::Gateway;
use crate::grant::{Grant, digest};
use crate::parameters::Parameters;
use crate::reply::OAuthError;
use crate::respond::{page, see_other, with_cookies};
use crate::transaction::{REMEMBERED, Transaction};

const OURS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// Shows a page, and redirects nobody, until the transaction is known to belong to this browser.
pub(crate) async fn callback(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let gone = || page(StatusCode::BAD_REQUEST, "This sign-in is not known in this browser. Please start again.");
    let Some(parameters) = Parameters::parse(query.unwrap_or_default().as_bytes()) else { return gone() };
    let Some(id) = parameters.one("state") else { return gone() };
    let Some(transaction) = gateway.find(id, &headers).await else {
        tracing::warn!("a callback in another browser than the one it was begun in, or one without a transaction");
        return gone();
    };
    // Whatever follows, this transaction has ended.
    let cookies = [gateway.cookies.remove(&transaction.id)];
    let clients = gateway.clients();
    let client = clients.iter().find(|client| client.id == transaction.client_id);
    if !client.is_some_and(|client| client.has_redirect_uri(&transaction.redirect_uri)) {
        return with_cookies(gone(), &cookies);
    }
    let redirect = match code(&gateway, &parameters, &transaction).await {
        Ok(code) => transaction.redirect("code", code.as_str(), &gateway.issuer),
        Err(OAuthError { error, description, uri }) => transaction
            .redirect("error", &error, &gateway.issuer)
            .with_optional("error_description", description.as_deref())
            .with_optional("error_uri", uri.as_deref()),
    };
    see_other(redirect, &cookies)
}

/// Returns the gateway's own code, bound, or the error for the client (RFC 6749 §4.1.2.1).
async fn code(
    gateway: &Gateway,
    parameters: &Parameters,
    transaction: &Transaction,
) -> Result<AuthorizationCode, OAuthError> {
    if transaction.is_expired() {
        let description = Some("the sign-in took too long".to_owned());
        return Err(OAuthError { description, ..error("access_denied") });
    }
    if parameters.is_ambiguous(&OURS) {
        tracing::warn!("the upstream's response has a parameter more than once");
        return Err(error("server_error"));
    }
    // Another server's response may hold a code that is not meant for this upstream (RFC 9207 §1).
    if !gateway.upstream.is_issuer(parameters.one("iss")) {
        tracing::warn!("the upstream's response has another iss than the upstream, or none where one is required");
        return Err(error("server_error"));
    }
    let upstream_code = match (parameters.one("code"), parameters.one("error")) {
        (Some(code), None) if is_code(code) => code,
        (None, Some(said)) => {
            let text = |name| parameters.one(name).map(str::to_owned);
            let (description, uri) = (text("error_description"), text("error_uri"));
            let said = OAuthError { error: said.to_owned(), description, uri }.checked();
            return Err(said.filter(OAuthError::is_for_the_client).unwrap_or_else(|| error("server_error")));
        }
        _ => return Err(error("server_error")),
    };
    let bound = bind(gateway, upstream_code, transaction).await;
    bound.map_err(|rejected| error(rejected.rejection().error().as_str()))
}

/// Binds the transaction and the upstream's code, so that each comes through once, and then the gateway's own code, with
/// its grant.
///
/// The first two are marks and nothing more: presented as a code they are rejected, because their grant is not a code's.
/// Each passage has a grant of its own, because a store may take two identical bindings for one that was sent twice.
async fn bind(
    gateway: &Gateway,
    upstream_code: &str,
    transaction: &Transaction,
) -> Result<AuthorizationCode, Rejection> {
    let challenge = || transaction.challenge.clone();
    let passage = AuthorizationCode::generate()?;
    for mark in [format!("transaction {}", transaction.id), format!("upstream {}", digest(upstream_code))] {
        gateway.pkce.bind(&mark, challenge()).grant(passage.as_str()).lifetime(REMEMBERED).await?;
    }
    let code = AuthorizationCode::generate()?;
    let grant = Grant {
        code: digest(code.as_str()),
        upstream_code: upstream_code.to_owned(),
        upstream_verifier: transaction.verifier.clone(),
    };
    let sealed = gateway.seal.seal(&grant)?;
    let bind = gateway.pkce.bind(&code, challenge()).client_id(&transaction.client_id);
    bind.redirect_uri(&transaction.redirect_uri).grant(&sealed).await?;
    Ok(code)
}

/// `1*VSCHAR` (RFC 6749 A.11), and no longer than a code that can be bound.
fn is_code(text: &str) -> bool {
    text.len() <= 4096 && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

fn error(error: &str) -> OAuthError {
    OAuthError { error: error.to_owned(), description: None, uri: None }
}
