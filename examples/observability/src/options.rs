//! The command line.

use std::net::SocketAddr;

use lexopt::prelude::*;
use tracing_subscriber::filter::LevelFilter;

const USAGE: &str = "\
Options:
  --listen ADDR    where the authorization server listens (default: 127.0.0.1:3000)
  --metrics ADDR   where Prometheus scrapes (default: 127.0.0.1:9464)
  --log LEVEL      off, error, warn, info (default) or debug
  --traffic        play honest clients and attacks against it, with a store that has bad days";

/// The options of this program. Port 0 picks a free one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// `--listen`: where the authorization server listens.
    pub listen: SocketAddr,
    /// `--metrics`: where Prometheus scrapes.
    pub metrics: SocketAddr,
    /// `--log`: from which level on an event is logged.
    pub log: LevelFilter,
    /// `--traffic`: whether to play traffic.
    pub traffic: bool,
}

impl Options {
    /// Reads the options of this process. On `--help` it prints them and exits.
    ///
    /// # Errors
    ///
    /// One line that says which option is wrong.
    pub fn from_command_line() -> Result<Self, String> {
        Self::read(lexopt::Parser::from_env()).map_err(|error| error.to_string())
    }

    fn read(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            metrics: SocketAddr::from(([127, 0, 0, 1], 9464)),
            log: LevelFilter::INFO,
            traffic: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("metrics") => options.metrics = parser.value()?.parse()?,
                Long("log") => options.log = parser.value()?.parse()?,
                Long("traffic") => options.traffic = true,
                Short('h') | Long("help") => help(),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(options)
    }
}

#[expect(clippy::print_stdout, reason = "it was asked for")]
fn help() -> ! {
    println!("{USAGE}");
    std::process::exit(0)
}
