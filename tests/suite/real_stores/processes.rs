//! Processes that redeem the same codes at once, by the store itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use fixture_host::StoreUrl;
use pkce_core::Timestamp;
use pkce_core::store::{Binding, BindingParts, Inserted};
use pkce_tests::{Backend, Kind, Result, code_of_crowd, proof_of_crowd};

use super::on_stores;

const PROCESSES: usize = 4;
const CODES: usize = 1000;

on_stores! {
    [redis Redis, redis_cluster RedisCluster, postgres Postgres, mariadb MariaDb, sqlite Sqlite] {
        four_processes_redeem_a_thousand_codes_once_each,
    }
}

async fn four_processes_redeem_a_thousand_codes_once_each(kind: Kind) -> Result<()> {
    let Some(backend) = Backend::shared(kind) else { return Ok(()) };
    let url = backend.url();
    let crowd = format!("{:?}", pkce_core::AuthorizationCode::generate()?.as_str());
    let store = url.parse::<StoreUrl>()?.open().await?;
    let now = Timestamp::from_epoch_millis(u64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_millis())?);
    let until = now.saturating_add(std::time::Duration::from_mins(10));
    for nth in 0..CODES {
        let proof = proof_of_crowd(&crowd, nth);
        let binding = Binding::from_parts(BindingParts {
            method: "S256",
            proof: Some(proof.as_bytes()),
            grant: None,
            issued_at: now,
            expires_at: until,
        })?;
        assert_eq!(store.insert(&code_of_crowd(&crowd, nth), &binding).await?, Inserted::Recorded);
    }

    let mut processes = Vec::new();
    for nth in 0..PROCESSES {
        // Two race from the first code, two from the last: so none can be ahead of all others all the way.
        processes.push(start(&url, &crowd, if nth % 2 == 0 { "up" } else { "down" })?);
    }
    for process in &mut processes {
        process.stdin.take().ok_or("no stdin")?.write_all(b"go\n")?;
    }
    let mut first = vec![0; CODES];
    let mut busy = 0;
    for mut process in processes {
        let mut said = String::new();
        process.stdout.take().ok_or("no stdout")?.read_to_string(&mut said)?;
        assert!(process.wait()?.success());
        busy += usize::from(!said.trim().is_empty());
        for nth in said.split_whitespace() {
            first[nth.parse::<usize>()?] += 1;
        }
    }
    assert!(first.iter().all(|times| *times == 1), "not once each: {first:?}");
    assert!(busy > 1, "one process was done before the others began");
    Ok(())
}

/// Returns when it is connected.
fn start(url: &str, crowd: &str, direction: &str) -> Result<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redeem-crowd"));
    command.args([url, crowd, &CODES.to_string(), direction]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn()?;
    let mut stdout = BufReader::with_capacity(1, process.stdout.take().ok_or("no stdout")?);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    assert_eq!(line, "ready\n");
    process.stdout = Some(stdout.into_inner());
    Ok(process)
}
