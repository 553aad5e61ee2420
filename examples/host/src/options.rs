//! The command line of the example servers.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use lexopt::prelude::*;
use pkce_core::store::ChallengeStore;
use pkce_core::{Pkce, Policy};

use crate::store::StoreUrl;

/// The options of an example server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// `--listen`: where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// `--issuer`: what the server calls itself; by default `http://` and the address it listens on.
    pub issuer: Option<String>,
    /// `--store`: where codes are kept; by default in memory.
    pub store: StoreUrl,
    policy: Policy,
}

const USAGE: &str = "\
Options:
  --listen ADDR               where to listen; port 0 picks a free one
  --issuer URL                what the server calls itself (default: http:// and the address)
  --store URL                 where codes are kept: memory: (default), redis://…, redis+cluster://HOST:PORT,…,
                              postgres://…, mysql://… or sqlite://…
  --code-lifetime SECONDS     how long a code can be redeemed (default: 60)
  --burn-on-mismatch          a wrong code verifier makes the code worthless
  --allow-plain               accept the plain code challenge method
  --allow-missing-challenge   clients may leave out the code challenge";

impl Options {
    /// Reads the options of this process; `port` is the one to listen on by default. On `--help` it prints them and
    /// exits.
    ///
    /// # Errors
    ///
    /// One line that says which option is wrong.
    pub fn from_command_line(port: u16) -> Result<Self, String> {
        Self::parse(std::env::args_os().skip(1), port)
    }

    /// Reads the options that follow a program's name.
    ///
    /// # Errors
    ///
    /// One line that says which option is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>, port: u16) -> Result<Self, String> {
        Self::read(lexopt::Parser::from_args(arguments), port).map_err(|error| error.to_string())
    }

    fn read(mut parser: lexopt::Parser, port: u16) -> Result<Self, lexopt::Error> {
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            issuer: None,
            store: StoreUrl::default(),
            policy: Policy::new(),
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("issuer") => options.issuer = Some(issuer(&parser.value()?.string()?)?),
                Long("store") => options.store = parser.value()?.string()?.parse()?,
                Long("code-lifetime") => {
                    let lifetime = parser.value()?.parse_with(|text| text.parse().map(Duration::from_secs))?;
                    options.policy = options.policy.code_lifetime(lifetime).map_err(|error| error.to_string())?;
                }
                Long("burn-on-mismatch") => options.policy = options.policy.burn_on_mismatch(),
                Long("allow-plain") => options.policy = options.policy.allow_plain(),
                Long("allow-missing-challenge") => options.policy = options.policy.allow_missing_challenge(),
                Short('h') | Long("help") => help(),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(options)
    }

    /// What they say of PKCE.
    pub fn policy(&self) -> Policy {
        self.policy.clone()
    }

    /// PKCE as they say, on this store; `revoke` is told of every replay.
    pub fn pkce(
        &self,
        store: impl ChallengeStore,
        revoke: impl Fn(&pkce_core::Replay) + Send + Sync + 'static,
    ) -> Pkce {
        Pkce::builder(store)
            .policy(self.policy())
            .on_replay(move |replay| {
                revoke(&replay);
                std::future::ready(())
            })
            .build()
    }
}

/// An issuer is a URL without query and fragment (RFC 8414 §2).
fn issuer(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none() => {
            Ok(text.to_owned())
        }
        _ => Err(format!("the issuer {text:?} is not an http or https URL")),
    }
}

#[expect(clippy::print_stdout, reason = "it was asked for")]
fn help() -> ! {
    println!("{USAGE}");
    std::process::exit(0)
}

/// Logs to stderr, from level info on. No log names a query: a query holds the challenge.
pub fn start_logging() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
}
