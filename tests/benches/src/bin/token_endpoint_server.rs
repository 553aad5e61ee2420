//! A server of the benchmarks as a process of its own, so that its time can be told from the client's.
//!
//! `token_endpoint_server ADAPTER VARIANT CODES`
//!
//! It issues so many codes, prints the address at which it listens, and ends with its standard input.
#![expect(clippy::print_stdout, reason = "it is how the benchmark learns the address")]

use std::error::Error;
use std::{env, io};

use pkce_benches::servers;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [adapter, variant, codes] = arguments.as_slice() else {
        return Err("usage: token_endpoint_server ADAPTER VARIANT CODES".into());
    };
    println!("{}", servers::start(adapter.parse()?, variant.parse()?, 0..codes.parse()?)?);
    _ = io::stdin().read_line(&mut String::new())?;
    Ok(())
}
