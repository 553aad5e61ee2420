//! The token endpoint: requests in a second over sockets, with each adapter, beside the same check written by hand.

use std::io;
use std::time::{Duration, Instant};

use pkce_benches::client::Client;
use pkce_benches::paired::ratio;
use pkce_benches::report::{self, Target};
use pkce_benches::requests::{code, token_request};
use pkce_benches::servers::{Adapter, Server, Variant};

const CONNECTIONS: usize = 16;
const BATCH: u64 = 16 * 100;
const PAIRS: usize = 101;

/// A server and its client.
struct Measured {
    server: Server,
    client: Client,
    next: u64,
}

impl Measured {
    fn start(adapter: Adapter, variant: Variant) -> io::Result<Self> {
        let server = Server::start(adapter, variant)?;
        let codes: Vec<String> = (0..CONNECTIONS as u64).map(code).collect();
        server.bind(&codes)?;
        let mut requests = codes.iter().map(|code| token_request(code));
        let client = Client::connect(server.address(), CONNECTIONS, || requests.next().unwrap_or_default())?;
        Ok(Self { server, client, next: CONNECTIONS as u64 })
    }

    /// How long a batch of requests takes. That their codes are issued is no part of it.
    fn batch(&mut self) -> io::Result<Duration> {
        let codes: Vec<String> = (self.next..self.next + BATCH).map(code).collect();
        self.next += BATCH;
        self.server.bind(&codes)?;
        let requests: Vec<Vec<u8>> = codes.iter().map(|code| token_request(code)).collect();
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
            // A batch that fails takes no time, and the ratio says so.
            let taken = |measured: &mut Measured| measured.batch().unwrap_or_default();
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
