//! Serves so many token requests to a client in the same process: what callgrind counts the instructions of.
//!
//! `token_endpoint_instructions ADAPTER VARIANT REQUESTS`

use std::error::Error;
use std::time::Duration;
use std::{env, process};

use pkce_benches::client::Client;
use pkce_benches::requests::code;
use pkce_benches::servers::{self, Adapter, Variant};

/// Whatever the number of requests, so many are made ready, so that it does not count.
const READY: u64 = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [adapter, variant, requests] = arguments.as_slice() else {
        return Err("usage: token_endpoint_instructions ADAPTER VARIANT REQUESTS".into());
    };
    let (adapter, variant): (Adapter, Variant) = (adapter.parse()?, variant.parse()?);
    let codes: Vec<String> = (0..READY).map(code).collect();
    let mut client = Client::connect(servers::start(adapter, variant, Duration::from_mins(10))?, 1)?;
    let ready = client.issue(&codes)?;
    client.send(ready.get(..requests.parse()?).ok_or("too many requests")?)?;
    process::exit(0);
}
