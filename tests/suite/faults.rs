//! Faults that other servers shipped, where no other sentence has them whole. The list is in `docs/requirements.md`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use pkce_core::{AuthorizationCode, CodeVerifier, MemoryStore, Policy};
use pkce_tests::{Adapter, Client, Issued, Result, Server, allow, location, on_both_servers, parameter};
use playground::{Flow, S256, Said, Wire, challenge, form};
use sha2::{Digest as _, Sha256};

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

on_both_servers! {
    how_a_client_authenticates_changes_nothing_about_pkce,
    a_failed_attempt_does_not_make_the_next_one_easier("--allow-missing-challenge"),
    a_failed_attempt_that_burns_the_code_does_not_either("--allow-missing-challenge", "--burn-on-mismatch"),
    one_requests_challenge_is_not_the_nexts("--allow-missing-challenge"),
    a_challenge_that_is_sent_twice_binds_two_codes,
    a_code_that_was_made_but_not_bound_is_worth_nothing("--allow-missing-challenge"),
    a_store_gets_hashes_of_the_code_and_of_the_verifier_alone(own),
}

/// CVE-2024-22258: a confidential client's verifier went unchecked.
async fn how_a_client_authenticates_changes_nothing_about_pkce(server: &Server) -> Result<()> {
    for client in [Client::SPA, Client::WEB, Client::WEB_BY_BODY] {
        let refused = location(&server.wire.get(&client.authorize(&[])).await?)?;
        assert_eq!(parameter(&refused, "error").as_deref(), Some("invalid_request"), "{client:?}");

        let issued = client.go(server.wire, &[]).await?;
        let grant = [("grant_type", "authorization_code"), ("code", issued.code.as_str())];
        for verifier in [None, Some(""), Some("a"), Some(GUESS), Some(challenge(&issued.verifier).as_str())] {
            let request: Vec<_> = grant.into_iter().chain(verifier.map(|value| ("code_verifier", value))).collect();
            refuses(&client.token(server.wire, &request).await?);
        }
        assert_eq!(issued.redeem(server.wire, &[]).await?.status, 200, "{client:?}");
    }
    Ok(())
}

/// The wrong verifier used up the record of the challenge, and the next request passed without one.
async fn a_failed_attempt_does_not_make_the_next_one_easier(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    for _ in 0..2 {
        for verifier in [GUESS, "", "a", &challenge(&flow.verifier)] {
            refuses(&server.wire.post_form("/token", &flow.token_request(&[("code_verifier", verifier)])).await?);
            refuses(&server.wire.post_form("/token", &flow.token_request(&[])).await?);
        }
    }
    assert_eq!(flow.redeem(server.wire).await?.status, 200);
    refuses(&server.wire.post_form("/token", &flow.token_request(&[])).await?);
    Ok(())
}

async fn a_failed_attempt_that_burns_the_code_does_not_either(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    refuses(&server.wire.post_form("/token", &flow.token_request(&[("code_verifier", GUESS)])).await?);
    for _ in 0..2 {
        refuses(&server.wire.post_form("/token", &flow.token_request(&[])).await?);
        refuses(&flow.redeem(server.wire).await?);
    }
    Ok(())
}

/// A session kept the challenge for the next request of the same user.
async fn one_requests_challenge_is_not_the_nexts(server: &Server) -> Result<()> {
    let (wire, first) = (server.wire, CodeVerifier::generate()?);
    let derived = challenge(&first);
    // All the pages are open at once: one with a challenge, one without, and one with another.
    let bound = wire.get(&Client::SPA.authorize(&[("code_challenge", &derived), S256])).await?;
    let free = wire.get(&Client::SPA.authorize(&[])).await?;
    let second = CodeVerifier::generate()?;
    let other = wire.get(&Client::SPA.authorize(&[("code_challenge", &challenge(&second)), S256])).await?;

    let (free, other, bound) = (code(wire, &free).await?, code(wire, &other).await?, code(wire, &bound).await?);
    let downgrade = redeem(wire, &free, Some(&first)).await?;
    assert_eq!((downgrade.status, downgrade.error().as_deref()), (400, Some("invalid_request")));
    for (code, verifiers) in [(&bound, [Some(&second), None]), (&other, [Some(&first), None])] {
        for verifier in verifiers {
            refuses(&redeem(wire, code, verifier).await?);
        }
    }
    for (code, verifier) in [(&free, None), (&bound, Some(&first)), (&other, Some(&second))] {
        assert_eq!(redeem(wire, code, verifier).await?.status, 200);
    }
    Ok(())
}

/// RFC 9700 §2.1.1 encourages servers to notice constant challenges. These do not, and each code is still used once.
async fn a_challenge_that_is_sent_twice_binds_two_codes(server: &Server) -> Result<()> {
    let one = Client::SPA.go(server.wire, &[]).await?;
    let derived = challenge(&one.verifier);
    let same = one.verifier.as_str().parse()?;
    let two = Client::SPA.sign_in(server.wire, same, &[("code_challenge", &derived), S256]).await?;
    assert_ne!(one.code, two.code);
    for issued in [&one, &two] {
        assert_eq!(issued.redeem(server.wire, &[]).await?.status, 200);
        refuses(&issued.redeem(server.wire, &[]).await?);
    }
    Ok(())
}

/// A store lost what was bound, and the server took that for a client without PKCE.
async fn a_code_that_was_made_but_not_bound_is_worth_nothing(server: &Server) -> Result<()> {
    let issued = Client::SPA.go(server.wire, &[]).await?;
    let unbound = Issued { code: AuthorizationCode::generate()?.as_str().to_owned(), ..issued };
    refuses(&unbound.redeem(server.wire, &[]).await?);
    refuses(&redeem(server.wire, &unbound.code, None).await?);
    Ok(())
}

/// RFC 7636 §7.2: whoever reads the store cannot present what is in it, not even of a `plain` challenge.
async fn a_store_gets_hashes_of_the_code_and_of_the_verifier_alone(adapter: Adapter) -> Result<()> {
    let store = Arc::new(Spy::default());
    let (server, _) = Server::with(adapter, Arc::clone(&store), Policy::new().allow_plain());
    for method in ["S256", "plain"] {
        let verifier = CodeVerifier::generate()?;
        let (text, derived) = (verifier.as_str().to_owned(), challenge(&verifier));
        let sent = if method == "plain" { &text } else { &derived };
        let pkce = [("code_challenge", sent.as_str()), ("code_challenge_method", method)];
        let issued = Client::SPA.sign_in(server.wire, verifier, &pkce).await?;

        let (digest, binding) = store.seen.lock().unwrap().pop().ok_or("nothing was bound")?;
        assert_eq!(digest, CodeDigest::of(issued.code.as_bytes()));
        assert_eq!(binding.method_str(), method);
        // The server also binds the client and the redirect URI, so the proof is a digest of the verifier's and of them.
        let of_verifier = URL_SAFE_NO_PAD.decode(&derived)?;
        let mut sealed = Sha256::new().chain_update(b"client and redirect URI\0").chain_update(of_verifier);
        for bound in [Client::SPA.id, Client::SPA.redirect_uri] {
            sealed = sealed.chain_update(u32::try_from(bound.len())?.to_le_bytes()).chain_update(bound);
        }
        let sealed = sealed.finalize();
        assert_eq!(binding.proof().map(|proof| &proof.as_bytes()[..]), Some(&sealed[..]));
        let grant = binding.grant().map(|octets| String::from_utf8_lossy(octets).into_owned()).unwrap_or_default();
        assert!([&issued.code, &text].iter().all(|secret| !grant.contains(secret.as_str())), "{grant}");
        assert_eq!(issued.redeem(server.wire, &[]).await?.status, 200);
    }
    Ok(())
}

type Stored<T> = std::result::Result<T, StoreError>;

/// A store that looks at what it is given to keep.
#[derive(Default)]
struct Spy {
    store: MemoryStore,
    seen: Mutex<Vec<(CodeDigest, Binding)>>,
}

#[async_trait]
impl ChallengeStore for Spy {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Stored<Inserted> {
        self.seen.lock().unwrap().push((*code, binding.clone()));
        self.store.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Stored<Redemption> {
        self.store.redeem(code, attempt).await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Stored<()> {
        self.store.restore(code, ticket).await
    }
}

async fn code(wire: Wire, page: &Said) -> Result<String> {
    Ok(parameter(&location(&allow(wire, page).await?)?, "code").ok_or("no code")?)
}

async fn redeem(wire: Wire, code: &str, verifier: Option<&CodeVerifier>) -> Result<Said> {
    let base = [("grant_type", "authorization_code"), ("client_id", "spa"), ("code", code)];
    let verifier = verifier.map(|verifier| ("code_verifier", verifier.as_str()));
    let request: Vec<_> = base.into_iter().chain(verifier).collect();
    Ok(wire.post_form("/token", &form(&request)).await?)
}

#[track_caller]
fn refuses(said: &Said) {
    assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_grant")), "{}", said.body);
}
