//! An authorization request, as an adapter judges it.

use pkce_core::adapter::Request;
use pkce_core::{AuthorizationRequest, CodeChallenge, MemoryStore, Pkce, Policy, Reason, Rejection};
use serde::de::DeserializeOwned;

/// What an authorization request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requested {
    Challenge(CodeChallenge),
    NoChallenge,
    Tolerated,
    NoCode,
}

pub(crate) fn read_query(request: &Request<'_>, policy: &Policy) -> Result<Requested, Rejection> {
    read(|| AuthorizationRequest::from_query(request, policy), policy).map(|(requested, ())| requested)
}

pub(crate) fn read_form(request: &Request<'_>, policy: &Policy) -> Result<Requested, Rejection> {
    read_form_as::<Vec<(String, String)>>(request, policy).map(|(requested, _)| requested)
}

pub(crate) fn read_form_as<T: DeserializeOwned>(
    request: &Request<'_>,
    policy: &Policy,
) -> Result<(Requested, T), Rejection> {
    read(|| AuthorizationRequest::from_form(request, policy), policy)
}

pub(crate) fn read_parameters(parameters: &[(&str, &str)], policy: &Policy) -> Result<Requested, Rejection> {
    let read = read(|| AuthorizationRequest::from_parameters(parameters.iter().copied(), policy), policy);
    read.map(|(requested, ())| requested)
}

fn read<T>(request: impl Fn() -> AuthorizationRequest<T>, policy: &Policy) -> Result<(Requested, T), Rejection> {
    let pkce = Pkce::builder(MemoryStore::new()).policy(policy.clone()).build();
    let required = pkce.challenge(request());
    let (pending, form) = pkce.optional_challenge(request())?;
    let requested = match (pending, required.map_err(|rejection| rejection.reason())) {
        (Some(pending), required) => {
            assert_eq!(required.as_ref().map(|(same, _)| same), Ok(&pending));
            pending.challenge().map_or(Requested::Tolerated, |challenge| Requested::Challenge(challenge.clone()))
        }
        (None, Err(Reason::ResponseTypeWithoutCode)) => Requested::NoCode,
        (None, Err(Reason::ChallengeRequired)) => Requested::NoChallenge,
        (None, Ok((pending, _))) if pending.challenge().is_none() => Requested::NoChallenge,
        (None, required) => panic!("optional, but required is {:?}", required.map(|(pending, _)| pending)),
    };
    Ok((requested, form))
}
