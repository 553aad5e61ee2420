//! What PKCE does not stop: the verifier is the right one.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::Ipv4Addr;

use pkce_core::CodeVerifier;
use url::Url;

use crate::attacks::outcome::{Outcome, summary};
use crate::attacks::{ATTACKER, Attack, Group};
use crate::user::{CALLBACK, CLIENT, Result, S256, challenge, form, sign_in_as};
use crate::wire::{FORM, Said, Wire};

pub(super) const GROUP: Group = Group {
    title: "What PKCE does not stop",
    idea: "PKCE shows that whoever redeems a code has begun its flow. It does not show who allowed it, nor to whose browser \
           the code came. Each of these passes PKCE and is served; then it is played again, with the defence that stops it.",
    attacks: &[
        Attack {
            name: "pasted-redirect",
            tried: "ConsentFix: the user pastes the redirect to the attacker",
            hope: "The attacker begins a flow of a command line client, with a verifier of their own, and has the user sign in. \
                   The browser ends at a loopback address where nothing listens, and the user is talked into pasting its URL.",
            rule: "The verifier is the right one: the attacker made it. Stopped by a host that binds the address of the user’s \
                   browser with the code, and refuses another one’s token request. A short code lifetime makes it harder, and \
                   so does a consent page that names the client.",
            clauses: &["RFC 8252 §8.1", "RFC 9700 §4.5"],
            play: |wire| Box::pin(pasted_redirect(wire)),
        },
        Attack {
            name: "browser-swapping",
            tried: "browser swapping: the redirect leaks to the browser that began",
            hope: "The attacker begins at an honest client and has the user open the authorization request. The redirect with \
                   the code leaks, by a log or the history, and the attacker opens it in the browser that began.",
            rule: "State, session and verifier fit: they are all of the attacker’s browser. Stopped by a response that does not \
                   leak (form_post, no referrer, a short code lifetime), and here by the host that compares the addresses.",
            clauses: &["RFC 9700 §4.2.4", "RFC 9700 §4.3.1"],
            play: |wire| Box::pin(browser_swapping(wire)),
        },
        Attack {
            name: "session-fixation",
            tried: "session fixation: the user finishes what the attacker began",
            hope: "The attacker begins at a client and has the user open the authorization request. The client finds the flow \
                   by its state alone, and the user’s tokens are in the attacker’s session.",
            rule: "The client has the verifier of that flow and sends it. Stopped by the client: the state must belong to the \
                   session of the browser that comes back with it.",
            clauses: &["RFC 6749 §10.12", "RFC 9700 §4.7.1"],
            play: |wire| Box::pin(session_fixation(wire)),
        },
        Attack {
            name: "cross-user-injection",
            tried: "cross-user injection: the user opens the attacker’s redirect",
            hope: "The attacker signs in with an account of their own and keeps the redirect. The user opens it, and works in \
                   the attacker’s account without knowing.",
            rule: "Code and verifier are of one flow, so they fit. Stopped by the client, as before: this browser has begun \
                   nothing of that state.",
            clauses: &["RFC 6749 §10.12", "RFC 9700 §4.7.1"],
            play: |wire| Box::pin(cross_user_injection(wire)),
        },
    ],
};

/// Where the attacker is; all others are at 127.0.0.1. macOS has it only after `ifconfig lo0 alias 127.0.0.2`.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// The host that compares the addresses.
const SAME_ADDRESS: &str = "/same-address";
/// The two browsers.
const ALICE: &str = "alice";
const MALLORY: &str = "mallory";

/// A client with a session for each flow: found by its state, begun by a browser.
#[derive(Default)]
struct Client {
    flows: HashMap<String, (&'static str, CodeVerifier)>,
    /// Whether the browser that comes back must be the one that began.
    compares: bool,
}

impl Client {
    fn comparing() -> Self {
        Self { compares: true, ..Self::default() }
    }

    /// A browser begins: the query of its authorization request.
    fn begin(&mut self, browser: &'static str) -> Result<String> {
        let (state, verifier) = (CodeVerifier::generate()?.as_str().to_owned(), CodeVerifier::generate()?);
        let query = query(&state, &verifier);
        self.flows.insert(state, (browser, verifier));
        Ok(query)
    }

    /// A browser comes back: the body of the token request, unless the client refuses.
    fn come_back(&mut self, browser: &str, location: &Url) -> Option<String> {
        let (began, verifier) = self.flows.remove(&parameter(location, "state"))?;
        (began == browser || !self.compares).then(|| token_request(location, &verifier))
    }
}

async fn pasted_redirect(wire: Wire) -> Result<Outcome> {
    let verifier = CodeVerifier::generate()?;
    let query = query("no client compares it", &verifier);
    let page = wire.get(&format!("/authorize?{query}")).await?;
    let pasted = sign_in_as(ALICE, wire, &page).await?;
    let served = wire.send("POST", "/token", &[FORM, ATTACKER], &token_request(&pasted, &verifier)).await?;

    let pasted = allowed(wire, &query).await?;
    stopped_by_the_address(wire, &served, &token_request(&pasted, &verifier)).await
}

async fn browser_swapping(wire: Wire) -> Result<Outcome> {
    // The client compares the browser, in vain: it is the attacker's each time.
    let mut client = Client::comparing();
    let page = wire.get(&format!("/authorize?{}", client.begin(MALLORY)?)).await?;
    let leaked = sign_in_as(ALICE, wire, &page).await?;
    let body = client.come_back(MALLORY, &leaked).ok_or("the client refused the browser that began")?;
    let served = wire.send("POST", "/token", &[FORM, ATTACKER], &body).await?;

    let leaked = allowed(wire, &client.begin(MALLORY)?).await?;
    let body = client.come_back(MALLORY, &leaked).ok_or("the client refused the browser that began")?;
    stopped_by_the_address(wire, &served, &body).await
}

async fn session_fixation(wire: Wire) -> Result<Outcome> {
    at_the_client(wire, MALLORY, ALICE, ALICE).await
}

async fn cross_user_injection(wire: Wire) -> Result<Outcome> {
    at_the_client(wire, MALLORY, MALLORY, ALICE).await
}

/// One browser begins, a user signs in, another browser comes back to the client: one that finds the flow by its state, then
/// one that compares the browser too.
async fn at_the_client(wire: Wire, began: &'static str, signs_in: &str, comes_back: &str) -> Result<Outcome> {
    let mut bodies = Vec::new();
    for mut client in [Client::default(), Client::comparing()] {
        let page = wire.get(&format!("/authorize?{}", client.begin(began)?)).await?;
        let location = sign_in_as(signs_in, wire, &page).await?;
        bodies.push(client.come_back(comes_back, &location));
    }
    let [Some(body), None] = &*bodies else { return Err("the clients do not differ".into()) };
    let served = wire.post_form("/token", body).await?;
    let (passed, right) = passed(wire, &served, signs_in).await?;
    Ok(Outcome { said: format!("{passed}; the browser compared: the client refuses"), right })
}

/// Alice's browser sends the authorization request to the host that compares the addresses: where it is sent.
async fn allowed(wire: Wire, query: &str) -> Result<Url> {
    let said = wire.get(&format!("{SAME_ADDRESS}/authorize?{query}")).await?;
    Ok(Url::parse(said.header("location").ok_or("no redirect")?)?)
}

/// The attacker redeems elsewhere, and again from the user's address; then comes a client of the user's own.
async fn stopped_by_the_address(wire: Wire, served: &Said, body: &str) -> Result<Outcome> {
    let (by_pkce, is_served) = passed(wire, served, ALICE).await?;
    let token = format!("{SAME_ADDRESS}/token");
    let elsewhere = match wire.post_form_from(ELSEWHERE, &token, ATTACKER, body).await {
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
            let said =
                format!("{by_pkce}; the addresses compared: not played, because this machine has no {ELSEWHERE}");
            return Ok(Outcome { said, right: is_served });
        }
        answered => answered?,
    };
    let again = wire.send("POST", &token, &[FORM, ATTACKER], body).await?;
    let mut own = Client::comparing();
    let location = allowed(wire, &own.begin(ALICE)?).await?;
    let own = wire.post_form(&token, &own.come_back(ALICE, &location).ok_or("the client refused its own")?).await?;
    let refused = |said: &Said| said.status == 400 && said.error().as_deref() == Some("invalid_grant");
    Ok(Outcome {
        said: format!(
            "{by_pkce}; the addresses compared: {}, then the user’s client: {}",
            summary(&elsewhere),
            own.status
        ),
        right: is_served && refused(&elsewhere) && refused(&again) && own.status == 200,
    })
}

/// What PKCE let pass: it was served, and the token speaks for this user.
async fn passed(wire: Wire, served: &Said, user: &str) -> Result<(String, bool)> {
    let bearer = format!("Bearer {}", served.member("access_token").unwrap_or_default());
    let me = wire.send("GET", "/me", &[("authorization", &bearer)], "").await?;
    let right = served.status == 200 && me.member("sub").as_deref() == Some(user);
    Ok((format!("by PKCE alone {}, {}’s token", summary(served), me.member("sub").unwrap_or_default()), right))
}

fn query(state: &str, verifier: &CodeVerifier) -> String {
    let challenge = challenge(verifier);
    form(&[
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", CALLBACK),
        ("state", state),
        ("code_challenge", &challenge),
        S256,
    ])
}

fn token_request(location: &Url, verifier: &CodeVerifier) -> String {
    form(&[
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("redirect_uri", CALLBACK),
        ("code", &parameter(location, "code")),
        ("code_verifier", verifier.as_str()),
    ])
}

fn parameter(location: &Url, name: &str) -> String {
    location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
