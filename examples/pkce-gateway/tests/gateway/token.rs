//! Token requests: who may have what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::task::JoinSet;

use crate::Result;
use crate::app::App;
use crate::program::Stage;
use crate::provider::SECRET;
use crate::user_agent::{pairs, post, value};

#[tokio::test(flavor = "multi_thread")]
async fn of_many_right_requests_at_once_one_reaches_the_upstream() -> Result {
    let stage = Stage::new().await?;
    let flow = std::sync::Arc::new(App::NATIVE.flow());
    let code = flow.code(&stage.gateway).await?;
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (flow, gateway, code) = (std::sync::Arc::clone(&flow), stage.gateway.clone(), code.clone());
        tasks.spawn(async move { flow.redeem(&gateway, &code).await.map(|seen| seen.status) });
    }
    let mut statuses: Vec<u16> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses.len()), (200, 400, 20));
    assert_eq!(stage.upstream.heard("/token").len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_verifier_the_upstream_is_not_asked() -> Result {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    let base = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let other = App::NATIVE.flow().verifier;
    for more in [&[][..], &[("code_verifier", "")], &[("code_verifier", "x")], &[("code_verifier", other.as_str())]] {
        App::NATIVE.token(&stage.gateway, &[&base[..], more].concat()).await?.is(400, "invalid_grant");
    }
    assert!(stage.upstream.heard("/token").is_empty());
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_belongs_to_one_client_and_one_redirect_uri() -> Result {
    let stage = Stage::new().await?;
    let flow = App::WEB.flow();
    let code = flow.code(&stage.gateway).await?;
    let base =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", flow.verifier.as_str())];
    let elsewhere = [&base[..], &[("redirect_uri", "https://app.example/cb?tenant=8")]].concat();
    App::WEB.token(&stage.gateway, &elsewhere).await?.is(400, "invalid_grant");
    App::NATIVE.token(&stage.gateway, &base).await?.is(400, "invalid_grant");
    for (id, secret) in [("native", Some("x")), ("the-gateway", Some(SECRET))] {
        App { id, secret, ..App::WEB }.token(&stage.gateway, &base).await?.is(400, "invalid_grant");
    }
    for (id, secret) in [("web", None), ("web", Some("wrong")), ("web", Some("")), ("web", Some(SECRET))] {
        let seen = App { id, secret, ..App::WEB }.token(&stage.gateway, &base).await?;
        seen.is(401, "invalid_client");
        assert!(seen.headers.contains_key("www-authenticate"));
    }
    assert!(stage.upstream.heard("/token").is_empty());
    stage.program.says("client_id=\"web\"").await;
    // None of it used the code up, and the redirect URI may be left out.
    let tokens = App::WEB.token(&stage.gateway, &base).await?;
    assert_eq!(tokens.status, 200);
    assert!(!format!("{tokens:?} {}", stage.program.log()).contains("secret\""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_authenticate_by_http_basic() -> Result {
    let stage = Stage::new().await?;
    for (app, good, attempts) in [
        (
            App::WEB,
            (&["web:web%2Dsecret"][..], "&client_id=web"),
            &[
                (&["web:wrong"][..], ""),
                (&["web"], ""),
                (&["web:"], ""),
                (&["web:web-secret"], "&client_secret=web-secret"),
                (&[], ""),
            ][..],
        ),
        // A public client may name itself with an empty password.
        (App::NATIVE, (&["native:"], ""), &[(&["native:x"], ""), (&["native"], ""), (&[":"], "")]),
    ] {
        let flow = app.flow();
        let code = flow.code(&stage.gateway).await?;
        let grant = format!("grant_type=authorization_code&code={code}&code_verifier={}", flow.verifier.as_str());
        let send = async |(credentials, more): (&[&str], &str)| {
            let lines: Vec<String> = credentials.iter().map(|it| format!("Basic {}", STANDARD.encode(it))).collect();
            let headers: Vec<_> = lines.iter().map(|line| ("authorization", line.as_str())).collect();
            post(&format!("{}/token", stage.gateway), &headers, &format!("{grant}{more}")).await
        };
        for attempt in attempts {
            send(*attempt).await?.is(401, "invalid_client");
        }
        // The code is another client's, or may be for a reader that takes the other header.
        for another in
            [(good.0, "&client_id=another"), (&["another:web-secret"], ""), (&["web:web-secret", "web:web-secret"], "")]
        {
            send(another).await?.is(400, "invalid_grant");
        }
        assert_eq!(send(good).await?.status, 200);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_belongs_to_one_client_and_to_the_gateway() -> Result {
    let stage = Stage::new().await?;
    let gateway = &stage.gateway;
    let flow = App::NATIVE.flow();
    let code = flow.code(gateway).await?;
    let refresh_token = flow.redeem(gateway, &code).await?.member("refresh_token").unwrap();
    let asked = stage.upstream.heard("/token").len();
    App::WEB.refresh(gateway, &refresh_token).await?.is(400, "invalid_grant");
    App { id: "nobody", ..App::NATIVE }.refresh(gateway, &refresh_token).await?.is(401, "invalid_client");
    for junk in ["", "x", &refresh_token[1..], &format!("{refresh_token}A"), &"A".repeat(10_000)] {
        App::NATIVE.refresh(gateway, junk).await?.is(400, "invalid_grant");
    }
    assert_eq!(stage.upstream.heard("/token").len(), asked, "the upstream was asked for one of these");

    let next = App::NATIVE.refresh(gateway, &refresh_token).await?;
    assert_eq!(next.status, 200);
    let upstream_token = value(&stage.upstream.heard("/token").pop().unwrap().body, "refresh_token").unwrap();
    // What the upstream knows is of no use to whoever gets hold of it; what it has used up is used up.
    App::NATIVE.refresh(gateway, &upstream_token).await?.is(400, "invalid_grant");
    App::NATIVE.refresh(gateway, &refresh_token).await?.is(400, "invalid_grant");
    assert_eq!(App::NATIVE.refresh(gateway, &next.member("refresh_token").unwrap()).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_grant_type_passes() -> Result {
    let stage = Stage::new().await?;
    for (grant_type, error) in [
        ("client_credentials", "unsupported_grant_type"),
        ("password", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:token-exchange", "unsupported_grant_type"),
        ("Refresh_Token", "unsupported_grant_type"),
        ("Authorization_Code", "invalid_request"),
        ("", "invalid_request"),
    ] {
        let form =
            [("grant_type", grant_type), ("username", "alice"), ("password", "wonderland"), ("refresh_token", "x")];
        App::WEB.token(&stage.gateway, &form).await?.is(400, error);
    }
    assert!(stage.upstream.heard("/token").is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_two_readers_may_read_differently_is_rejected() -> Result {
    let stage = Stage::with(|config| {
        config["upstream"]["token_endpoint"] = json!("/token?tenant=7");
        config["upstream"]["token"] = json!({ "add": { "audience": "api" }, "drop": ["resource"] });
    })
    .await?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    let verifier = flow.verifier.as_str();
    let good = format!("grant_type=authorization_code&client_id=native&code={code}&code_verifier={verifier}");
    let send = async |more: &str| post(&format!("{}/token", stage.gateway), &[], &format!("{good}{more}")).await;
    for more in [
        "&scope=a&scope=b",
        "&Code=other",
        "&CLIENT_ID=web",
        "&client_secret=a&client_secret=b",
        "&x=%ff",
        "&code=x",
        "&grant.type=client_credentials", // PHP makes an underscore of it
        "&grantType=client_credentials",
        "&grant-type=client_credentials",
        "&grant_type[]=client_credentials",
        "&grant%20type=client_credentials",
        "&grant[type=client_credentials",
        "&+grant_type=client_credentials",
        "&grant_type%00=client_credentials",
        "&grant_type[x]=client_credentials",
        "&Tenant=8",
        "&Audience=b",
    ] {
        send(more).await?.is(400, "invalid_request");
    }
    send(&format!("&x={}", "x".repeat(1024 * 1024))).await?.is(413, "invalid_request");
    assert!(stage.upstream.heard("/token").is_empty());
    // What is not the gateway's goes through, and what is, is fixed, is to drop, or has a name that a server might
    // rewrite, does not.
    let names = ["scope[x]", "scope%00x", "gr%C3%A4nt_type", "refresh_to%E2%84%AAen", "%0a", "[]"];
    let more = names.map(|name| format!("&{name}=client_credentials")).concat();
    let more = format!("{more}&resource=https://a/&resource=https://b/&client_assertion=x&refresh_token=y&tenant=8");
    assert_eq!(send(&format!("{more}&audience=c&x-y.z_1=a")).await?.status, 200);
    let heard = stage.upstream.heard("/token").remove(0);
    assert_eq!(heard.target, "/token?tenant=7");
    let received = pairs(&heard.body);
    let names: Vec<&str> = received.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["grant_type", "code", "redirect_uri", "x-y.z_1", "audience"]);
    assert_eq!(received[4].1, "api");
    Ok(())
}
