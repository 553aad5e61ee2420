//! The example as a process: what it measures and what it logs.

use playground::{Flow, Result, challenge};
use serde_json::Value;

use crate::process::Program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_served_apart_from_the_server_and_say_what_happened() -> Result<()> {
    let program = Program::start(&[]);
    let flow = Flow::start(program.server).await?;
    assert_eq!(flow.redeem(program.server).await?.status, 200);
    assert_eq!(flow.redeem(program.server).await?.status, 400);

    assert_eq!(program.server.get("/metrics").await?.status, 404);
    assert_eq!(program.metrics.get("/token").await?.status, 404);
    let said = program.metrics.get("/metrics").await?;
    assert_eq!((said.status, said.header("content-type")), (200, Some("text/plain; version=0.0.4")));
    for line in [
        r#"pkce_events_total{endpoint="token",outcome="cleared",clearance="verified",method="S256"} 1"#,
        r#"pkce_events_total{endpoint="token",outcome="rejected",reason="code_replayed"} 1"#,
        r#"pkce_events_total{endpoint="token",outcome="rejected",reason="verifier_mismatch"} 0"#,
        r#"pkce_store_call_duration_seconds_bucket{verb="redeem",result="ok",le="5"} 2"#,
    ] {
        assert!(said.body.lines().any(|found| found == line), "{line}\n{}", said.body);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_log_is_an_event_in_json_without_a_secret() -> Result<()> {
    let program = Program::start(&["--log=debug"]);
    let flow = Flow::start(program.server).await?;
    assert_eq!(flow.redeem(program.server).await?.status, 200);
    assert_eq!(flow.redeem(program.server).await?.status, 400);
    let log = program.stop();

    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["target"] == "pkce"), "{log}");
    let outcome = |level: &str, outcome: &str| {
        lines.iter().find(|line| line["level"] == level && line["outcome"] == outcome).unwrap_or(&Value::Null)
    };
    assert_eq!(outcome("DEBUG", "cleared")["method"], "S256", "{log}");
    assert_eq!(outcome("WARN", "rejected")["reason"], "code_replayed", "{log}");
    for secret in [&flow.code, flow.verifier.as_str(), &challenge(&flow.verifier)] {
        assert!(!log.contains(secret), "{log}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_is_logged_where_a_debug_event_is_not() -> Result<()> {
    let program = Program::start(&["--log=warn"]);
    let flow = Flow::start(program.server).await?;
    assert_eq!(flow.redeem(program.server).await?.status, 200);
    assert_eq!(flow.redeem(program.server).await?.status, 400);
    let log = program.stop();
    assert_eq!(log.lines().count(), 1, "{log}");
    Ok(())
}
