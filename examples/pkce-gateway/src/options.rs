//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use fixture_host::StoreUrl;
use lexopt::prelude::*;
use url::Url;

/// What the command line asks for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Command {
    /// `--demo`: a flow and some attacks, against a small upstream of its own.
    Demo,
    /// The gateway.
    Serve(Options),
}

/// The options of the gateway.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// `--listen`: where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// `--issuer`: where the world finds the gateway; by default `http://` and the address it listens on.
    pub issuer: Option<String>,
    /// `--upstream`: the server behind it.
    pub upstream: Url,
    /// `--config`: the file with its registration there, its clients and its keys.
    pub config: PathBuf,
    /// `--store`: where codes are kept; by default in memory.
    pub store: StoreUrl,
}

const USAGE: &str = "\
pkce-gateway --upstream URL --config FILE [OPTIONS]
pkce-gateway --demo

  --upstream URL   the authorization server that has no PKCE
  --config FILE    the gateway's registration there, its own clients and keys: README.md has an example
  --listen ADDR    where to listen (default: 127.0.0.1:4000); port 0 picks a free one
  --issuer URL     where the world finds the gateway (default: http:// and the address)
  --store URL      where codes are kept: memory: (default), redis://… or redis+cluster://HOST:PORT,…
  --demo           play a flow and some attacks against a small upstream without PKCE, and end";

impl Command {
    /// Reads the options of this process. On `--help` it prints them and exits.
    ///
    /// # Errors
    ///
    /// One line that says which option is wrong.
    pub fn from_command_line() -> Result<Self, String> {
        Self::parse(std::env::args_os().skip(1))
    }

    /// Reads the options that follow the program's name.
    ///
    /// # Errors
    ///
    /// One line that says which option is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        Self::read(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    fn read(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut listen = SocketAddr::from(([127, 0, 0, 1], 4000));
        let (mut issuer, mut upstream, mut config, mut store) = (None, None, None, StoreUrl::default());
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => listen = parser.value()?.parse()?,
                Long("issuer") => issuer = Some(parser.value()?.string()?),
                Long("upstream") => upstream = Some(parser.value()?.parse()?),
                Long("config") => config = Some(PathBuf::from(parser.value()?)),
                Long("store") => store = parser.value()?.string()?.parse()?,
                Long("demo") => return Ok(Self::Demo),
                Short('h') | Long("help") => help(),
                _ => return Err(argument.unexpected()),
            }
        }
        let upstream = upstream.ok_or("--upstream is missing (see --help)")?;
        let config = config.ok_or("--config is missing (see --help)")?;
        Ok(Self::Serve(Options { listen, issuer, upstream, config, store }))
    }
}

#[expect(clippy::print_stdout, reason = "it was asked for")]
fn help() -> ! {
    println!("{USAGE}");
    std::process::exit(0)
}
