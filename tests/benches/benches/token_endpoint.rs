//! The token endpoint: requests in a second over sockets, with each adapter, beside the same check written by hand.
#![expect(clippy::panic, reason = "there is nothing to measure then")]

use std::io;
use std::time::{Duration, Instant};

use pkce_benches::client::Client;
use pkce_benches::paired::ratio;
use pkce_benches::report::{self, Target};
use pkce_benches::requests::code;
use pkce_benches::servers::{self, Adapter, Variant};

/// At the rate of a benchmark the store then holds what it holds with the default minute at some 300 logins a second.
const LIFETIME: Duration = Duration::from_secs(2);

const CONNECTIONS: usize = 16;
const BATCH: u64 = 16 * 100;
const PAIRS: usize = 101;

/// The client of a server.
struct Measured {
    client: Client,
    next: u64,
}

impl Measured {
    fn start(adapter: Adapter, variant: Variant) -> io::Result<Self> {
        Ok(Self { client: Client::connect(servers::start(adapter, variant, LIFETIME)?, CONNECTIONS)?, next: 0 })
    }

    /// How long a batch of requests takes. That their codes are issued is no part of it.
    fn batch(&mut self) -> io::Result<Duration> {
        let codes: Vec<String> = (self.next..self.next + BATCH).map(code).collect();
        self.next += BATCH;
        let requests = self.client.issue(&codes)?;
        let start = Instant::now();
        self.client.send(&requests)?;
        Ok(start.elapsed())
    }
}

fn main() -> io::Result<()> {
    if !report::is_measuring() {
        return Ok(());
    }
    for adapter in Adapter::ALL {
        let mut ours = Measured::start(adapter, Variant::Ours)?;
        for (variant, target) in
            [(Variant::ByHand, Some(Target::AtLeast(0.95))), (Variant::Buffering, None), (Variant::Bare, None)]
        {
            let mut other = Measured::start(adapter, variant)?;
            let taken = |measured: &mut Measured| measured.batch().unwrap_or_else(|error| panic!("{error}"));
            let rate = 1.0 / ratio(PAIRS, || taken(&mut ours), || taken(&mut other));
            let name = format!("{adapter}: requests in a second / {variant}");
            match target {
                Some(target) => report::target(&name, rate, target),
                None => report::value(&name, rate),
            }
        }
    }
    Ok(())
}
