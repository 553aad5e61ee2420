//! Serves so many token requests to a client in the same process: what callgrind counts the instructions of.
//!
//! `token_endpoint_instructions ADAPTER VARIANT REQUESTS`

use std::error::Error;
use std::{env, process};

use pkce_benches::client::Client;
use pkce_benches::requests::{code, token_request};
use pkce_benches::servers::{Adapter, Server, Variant};

/// Whatever the number of requests, so many are made ready, so that it does not count.
const READY: u64 = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [adapter, variant, requests] = arguments.as_slice() else {
        return Err("usage: token_endpoint_instructions ADAPTER VARIANT REQUESTS".into());
    };
    let (adapter, variant): (Adapter, Variant) = (adapter.parse()?, variant.parse()?);
    let server = Server::start(adapter, variant)?;
    let codes: Vec<String> = (0..READY).map(code).collect();
    server.bind(&codes)?;
    let bodies: Vec<Vec<u8>> = codes.iter().map(|code| token_request(code)).collect();
    let (first, others) = bodies.split_first().ok_or("no request")?;
    let mut client = Client::connect(server.address(), 1, || first.clone())?;
    client.send(others.get(..requests.parse()?).ok_or("too many requests")?)?;
    process::exit(0);
}
