//! What the README file of the servers that take JSON says of them.

use playground::{JSON, Result};

use crate::host::Host;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_passes_the_layer_and_is_refused_by_the_handler() -> Result<()> {
    for host in [Host::JsonAxum, Host::JsonActix] {
        let issued = host.start()?.issue().await?;
        let form = playground::form(&[
            ("grant_type", "authorization_code"),
            ("code", &issued.code),
            ("code_verifier", issued.verifier.as_str()),
        ]);
        let said = issued.server.wire.post_form("/token", &form).await?;
        assert!([400, 415].contains(&said.status) && said.error().is_none(), "{said:?}");
        assert_eq!(issued.redeem().await?.status, 200);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_no_string_or_stands_twice_is_refused() -> Result<()> {
    for host in [Host::JsonAxum, Host::JsonActix] {
        let issued = host.start()?.issue().await?;
        let (code, verifier) = (&issued.code, issued.verifier.as_str());
        let grant = r#""grant_type":"authorization_code","client_id":"app""#;
        for members in [
            format!(r#"{grant},"code":"{code}","code_verifier":null"#),
            format!(r#"{grant},"code":4711,"code_verifier":"{verifier}""#),
            format!(r#"{grant},"code":"{code}","code":"{code}","code_verifier":"{verifier}""#),
        ] {
            let said = issued.server.wire.send("POST", "/token", &[JSON], &format!("{{{members}}}")).await?;
            assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_request")), "{members}");
        }
        assert_eq!(issued.redeem().await?.status, 200);
    }
    Ok(())
}
