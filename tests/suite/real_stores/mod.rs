//! The example servers on real stores, as processes of their own: what several servers share, and what becomes of it
//! when the store fails.

mod faults;
mod processes;
mod sharing;

use pkce_tests::{Program, Result};
use playground::Flow;

/// Runs each sentence, an `async fn(Kind) -> Result<()>`, on each of the stores that are named first.
macro_rules! on_stores {
    ([$($store:ident $kind:ident),+] $sentences:tt) => {
        $(mod $store { $crate::real_stores::on_stores! { @ $kind $sentences } })+
    };
    (@ $kind:ident { $($sentence:ident),+ $(,)? }) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() -> pkce_tests::Result<()> {
                super::$sentence(pkce_tests::Kind::$kind).await
            }
        )+
    };
}
use on_stores;

/// As many servers as asked for, on axum and on Actix in turn, that share a store.
fn servers(number: usize, store: &str, options: &[&str]) -> Result<Vec<Program>> {
    let options = [&["--listen", "127.0.0.1:0", "--store", store], options].concat();
    let names = ["axum-server", "actix-server"].into_iter().cycle();
    names.take(number).map(|name| Program::start(name, &options)).collect()
}

/// The servers' flows go through, at each of them.
async fn all_is_well(servers: &[Program]) -> Result<()> {
    for server in servers {
        let said = Flow::start(server.wire).await?.redeem(server.wire).await?;
        assert_eq!(said.status, 200, "{server:?}: {}", said.body);
    }
    Ok(())
}
