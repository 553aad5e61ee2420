//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use lexopt::prelude::*;

/// The options of the program.
pub(crate) struct Options {
    pub(crate) config: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) issuer: Option<String>,
    pub(crate) store: Option<String>,
    pub(crate) metrics: Option<SocketAddr>,
    /// Whether the configuration is only checked.
    pub(crate) check: bool,
}

const USAGE: &str = "\
pkce-gateway --config FILE [OPTIONS]

  --config FILE    the upstream, the clients and the keys: README.md describes it
  --check          check the configuration and end; connects to nothing
  --listen ADDR    where to listen (default: 127.0.0.1:4000); port 0 picks a free one
  --issuer URL     the gateway's public URL (default: http:// and the address)
  --store URL      where codes are kept: memory: (default), redis://… or
                   redis+cluster://HOST:PORT,…
  --metrics ADDR   where to serve metrics for Prometheus, at /metrics (default: nowhere)

Signals: TERM and INT drain and end, HUP reads the clients again. RUST_LOG filters the log.";

impl Options {
    /// Reads the options of this process. On `--help` it prints them and exits.
    pub(crate) fn from_command_line() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        let listen = SocketAddr::from(([127, 0, 0, 1], 4000));
        let mut options =
            Self { config: PathBuf::new(), listen, issuer: None, store: None, metrics: None, check: false };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("config") => options.config = PathBuf::from(parser.value()?),
                Long("check") => options.check = true,
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("issuer") => options.issuer = Some(parser.value()?.string()?),
                Long("store") => options.store = Some(parser.value()?.string()?),
                Long("metrics") => options.metrics = Some(parser.value()?.parse()?),
                Short('h') | Long("help") => help(),
                _ => return Err(argument.unexpected()),
            }
        }
        if options.config.as_os_str().is_empty() {
            return Err("--config is missing (see --help)".into());
        }
        Ok(options)
    }
}

#[expect(clippy::print_stdout, reason = "it was asked for")]
fn help() -> ! {
    println!("{USAGE}");
    std::process::exit(0)
}
