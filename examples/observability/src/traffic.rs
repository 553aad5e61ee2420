//! Honest clients and attacks, so that there is something to see.

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use example_host::Host;
use pkce_tower::{CodeVerifier, Pkce, Policy};
use playground::{CALLBACK, CLIENT, Result, S256, Said, Wire, authorize, challenge, form, sign_in};
use tokio::net::TcpListener;

use crate::flawed::Flawed;

/// A code verifier of nobody's.
const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

/// The traffic of three servers. Beside the one that is served anyway there is one in the roll-out, and one that serves
/// old clients and burns codes.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    strict: Wire,
    rolling_out: Wire,
    lenient: Wire,
}

impl Traffic {
    /// Starts the two other servers on free loopback ports.
    ///
    /// # Errors
    ///
    /// When there is no socket for them.
    pub async fn beside(strict: Wire) -> io::Result<Self> {
        let rolling_out = serve(Policy::new().report_only().allow_plain()).await?;
        let lenient = serve(Policy::new().allow_missing_challenge().burn_on_mismatch()).await?;
        Ok(Self { strict, rolling_out, lenient })
    }

    /// Plays it for ever. That some of it fails is what it is for.
    pub async fn play(self) {
        let mut round: u32 = 0;
        loop {
            round = round.wrapping_add(1);
            for _ in 0..4 + round % 5 {
                _ = self.honest().await;
            }
            _ = self.refused_by_the_host().await;
            _ = self.stolen_code().await;
            _ = self.replay().await;
            _ = self.nonsense().await;
            _ = self.without_pkce().await;
            _ = self.plain().await;
            _ = self.downgrade().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// A code for tokens, and those for others.
    async fn honest(self) -> Result<()> {
        let (code, verifier) = issued(self.strict).await?;
        let tokens = redeem(self.strict, &code, Some(verifier.as_str())).await?;
        let refresh_token = tokens.member("refresh_token").ok_or("no refresh token")?;
        let refresh = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", &refresh_token)];
        self.strict.post_form("/token", &form(&refresh)).await?;
        Ok(())
    }

    /// The server refuses the client, so the code is good for another try.
    async fn refused_by_the_host(self) -> Result<()> {
        let (code, verifier) = issued(self.strict).await?;
        let stranger = token_request("stranger", &code, Some(verifier.as_str()));
        self.strict.post_form("/token", &stranger).await?;
        redeem(self.strict, &code, Some(verifier.as_str())).await?;
        Ok(())
    }

    /// A thief has the code but not the verifier, and leaves it to the client.
    async fn stolen_code(self) -> Result<()> {
        let (code, verifier) = issued(self.strict).await?;
        for presented in [Some(GUESS), None, Some(verifier.as_str())] {
            redeem(self.strict, &code, presented).await?;
        }
        Ok(())
    }

    /// The code is redeemed, and comes again.
    async fn replay(self) -> Result<()> {
        let (code, verifier) = issued(self.strict).await?;
        for presented in [verifier.as_str(), verifier.as_str(), GUESS] {
            redeem(self.strict, &code, Some(presented)).await?;
        }
        Ok(())
    }

    /// What no client of PKCE sends.
    async fn nonsense(self) -> Result<()> {
        self.strict.get(&authorize(&[])).await?;
        self.strict.get(&authorize(&[("code_challenge", GUESS)])).await?;
        self.strict.get("/token").await?;
        redeem(self.strict, "a-guess", Some("too-short")).await?;
        redeem(self.strict, "a-guess", Some(GUESS)).await?;
        Ok(())
    }

    /// A client that does not know PKCE yet, during the roll-out.
    async fn without_pkce(self) -> Result<()> {
        let code = sign_in(self.rolling_out, &self.rolling_out.get(&authorize(&[])).await?).await?;
        redeem(self.rolling_out, &code, None).await?;
        Ok(())
    }

    /// A client with the method `plain`.
    async fn plain(self) -> Result<()> {
        let plain = [("code_challenge", GUESS), ("code_challenge_method", "plain")];
        let code = sign_in(self.rolling_out, &self.rolling_out.get(&authorize(&plain)).await?).await?;
        redeem(self.rolling_out, &code, Some(GUESS)).await?;
        Ok(())
    }

    /// A verifier for a code without a challenge; a wrong one where that burns the code.
    async fn downgrade(self) -> Result<()> {
        let code = sign_in(self.lenient, &self.lenient.get(&authorize(&[])).await?).await?;
        redeem(self.lenient, &code, Some(GUESS)).await?;
        redeem(self.lenient, &code, None).await?;
        let (code, verifier) = issued(self.lenient).await?;
        redeem(self.lenient, &code, Some(GUESS)).await?;
        redeem(self.lenient, &code, Some(verifier.as_str())).await?;
        Ok(())
    }
}

/// A code, and the verifier of the challenge that is bound to it.
async fn issued(wire: Wire) -> Result<(String, CodeVerifier)> {
    let verifier = CodeVerifier::generate()?;
    let challenge = challenge(&verifier);
    let page = wire.get(&authorize(&[("code_challenge", &challenge), S256])).await?;
    Ok((sign_in(wire, &page).await?, verifier))
}

async fn redeem(wire: Wire, code: &str, verifier: Option<&str>) -> Result<Said> {
    Ok(wire.post_form("/token", &token_request(CLIENT, code, verifier)).await?)
}

fn token_request(client: &str, code: &str, verifier: Option<&str>) -> String {
    let base =
        [("grant_type", "authorization_code"), ("client_id", client), ("redirect_uri", CALLBACK), ("code", code)];
    let verifier = verifier.map(|verifier| ("code_verifier", verifier));
    form(base.iter().chain(&verifier))
}

async fn serve(policy: Policy) -> io::Result<Wire> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let wire = Wire(listener.local_addr()?);
    let host = Arc::new(Host::new(format!("http://{}", wire.0)));
    let pkce = Pkce::builder(Flawed::new()).policy(policy).on_replay(|_| ready(())).build();
    tokio::spawn(axum::serve(listener, axum_server::app_with(host, pkce)).into_future());
    Ok(wire)
}
