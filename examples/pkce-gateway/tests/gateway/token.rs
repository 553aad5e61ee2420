//! Token requests: who may have what.

use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkce_gateway::demo::{App, Flow, Result, Seen, UserAgent};

use crate::stage::{Stage, config, value};

fn is_refused(seen: &Seen, status: u16, error: &str) -> bool {
    (seen.status, seen.error().as_deref()) == (status, Some(error))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_right_requests_at_once_one_reaches_the_upstream() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = std::sync::Arc::new(App::NATIVE.flow()?);
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (flow, gateway, code) = (std::sync::Arc::clone(&flow), stage.gateway.clone(), code.clone());
        tasks.spawn(async move { flow.redeem(&gateway, &code).await.map(|seen| seen.status) });
    }
    let mut statuses: Vec<u16> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses.len()), (200, 400, 20));
    assert_eq!(stage.heard("/token").len(), 1);
    Ok(())
}

#[tokio::test]
async fn without_the_verifier_the_upstream_is_not_asked() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let base = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let other = pkce_tower::CodeVerifier::generate()?;
    for more in
        [vec![], vec![("code_verifier", "")], vec![("code_verifier", "x")], vec![("code_verifier", other.as_str())]]
    {
        assert!(is_refused(
            &App::NATIVE.token(&stage.gateway, &[&base[..], &more].concat()).await?,
            400,
            "invalid_grant"
        ));
    }
    assert!(stage.heard("/token").is_empty());
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_code_belongs_to_one_client_and_one_redirect_uri() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::WEB.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let base =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", flow.verifier.as_str())];
    let elsewhere = [&base[..], &[("redirect_uri", "https://app.example/cb?tenant=8")]].concat();
    assert!(is_refused(&App::WEB.token(&stage.gateway, &elsewhere).await?, 400, "invalid_grant"));
    assert!(is_refused(&App::NATIVE.token(&stage.gateway, &base).await?, 400, "invalid_grant"));
    for secret in [None, Some("wrong"), Some(""), Some("the-gateway's secret")] {
        let web = App { secret, ..App::WEB };
        let seen = web.token(&stage.gateway, &base).await?;
        assert!(is_refused(&seen, 401, "invalid_client") && seen.headers.contains_key("www-authenticate"));
    }
    let posing = App { secret: Some("x"), ..App::NATIVE };
    assert!(is_refused(&posing.token(&stage.gateway, &base).await?, 401, "invalid_client"));
    let gateway = App { id: "the-gateway", secret: Some("the-gateway's secret"), ..App::WEB };
    assert!(is_refused(&gateway.token(&stage.gateway, &base).await?, 401, "invalid_client"));
    assert!(stage.heard("/token").is_empty());
    // None of it used the code up, and the redirect URI may be left out.
    assert_eq!(App::WEB.token(&stage.gateway, &base).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_confidential_client_may_authenticate_by_http_basic() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::WEB.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let verifier = flow.verifier.as_str();
    let send = async |authorization: &[&str], more: &str| -> Result<Seen> {
        let body = format!("grant_type=authorization_code&code={code}&code_verifier={verifier}{more}");
        let mut request = axum::http::Request::post(format!("{}/token", stage.gateway))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for credentials in authorization {
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)));
        }
        UserAgent::new().send(request.body(body.into())?).await
    };
    for (authorization, more) in [
        (&["web:wrong"][..], ""),
        (&["web"], ""),
        (&["web:"], ""),
        (&["web:web-secret", "web:web-secret"], ""),
        (&["web:web-secret"], "&client_secret=web-secret"),
        (&["web:web-secret"], "&client_id=native"),
        (&[], ""),
    ] {
        assert!(is_refused(&send(authorization, more).await?, 401, "invalid_client"), "{authorization:?} {more}");
    }
    assert_eq!(send(&["web:web%2Dsecret"], "&client_id=web").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_public_client_may_name_itself_by_http_basic_with_no_secret() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let form = format!("grant_type=authorization_code&code={code}&code_verifier={}", flow.verifier.as_str());
    for (credentials, status) in [("native:x", 401), ("native", 401), (":", 401), ("native:", 200)] {
        let basic = format!("Basic {}", STANDARD.encode(credentials));
        let headers = [playground::FORM, ("authorization", basic.as_str())];
        assert_eq!(stage.wire().send("POST", "/token", &headers, &form).await?.status, status, "{credentials}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refresh_token_belongs_to_one_client_and_to_the_gateway() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let tokens = flow.redeem(&stage.gateway, &code).await?;
    let refresh_token = tokens.member("refresh_token").unwrap();
    let refresh = async |app: App, token: &str| {
        app.token(&stage.gateway, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    };
    let asked = stage.heard("/token").len();
    assert!(is_refused(&refresh(App::WEB, &refresh_token).await?, 400, "invalid_grant"));
    assert!(is_refused(&refresh(App { id: "nobody", ..App::NATIVE }, &refresh_token).await?, 401, "invalid_client"));
    for junk in ["", "x", &refresh_token[1..], &format!("{refresh_token}A"), &"A".repeat(10_000)] {
        assert!(is_refused(&refresh(App::NATIVE, junk).await?, 400, "invalid_grant"));
    }
    assert_eq!(stage.heard("/token").len(), asked, "the upstream was asked for one of these");

    let next = refresh(App::NATIVE, &refresh_token).await?;
    assert_eq!(next.status, 200);
    let heard = stage.heard("/token").pop().unwrap();
    let upstream_token = value(&heard.body, "refresh_token").unwrap();
    assert_ne!(upstream_token, refresh_token);
    // What the upstream knows is of no use to whoever gets hold of it.
    assert!(is_refused(&refresh(App::NATIVE, &upstream_token).await?, 400, "invalid_grant"));
    // The upstream has used the first one up, and says so.
    assert!(is_refused(&refresh(App::NATIVE, &refresh_token).await?, 400, "invalid_grant"));
    assert_eq!(refresh(App::NATIVE, &next.member("refresh_token").unwrap()).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn no_other_grant_type_passes() -> Result<()> {
    let stage = Stage::new().await?;
    let others = [
        ("client_credentials", "unsupported_grant_type"),
        ("password", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:token-exchange", "unsupported_grant_type"),
        ("Refresh_Token", "unsupported_grant_type"),
        ("Authorization_Code", "invalid_request"),
        ("", "invalid_request"),
    ];
    for (grant_type, error) in others {
        let form =
            [("grant_type", grant_type), ("username", "alice"), ("password", "wonderland"), ("refresh_token", "x")];
        assert!(is_refused(&App::WEB.token(&stage.gateway, &form).await?, 400, error), "{grant_type}");
    }
    assert!(stage.heard("/token").is_empty());
    Ok(())
}

#[tokio::test]
async fn a_parameter_that_two_readers_may_read_differently_is_refused() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let verifier = flow.verifier.as_str();
    let good = format!("grant_type=authorization_code&client_id=native&code={code}&code_verifier={verifier}");
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
    ] {
        let said = stage.wire().post_form("/token", &format!("{good}{more}")).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_request")), "{more}");
    }
    assert!(stage.heard("/token").is_empty());
    // What is none of the gateway's business goes through, and what is, does not.
    let more = "&resource=https://a/&resource=https://b/&audience=c&client_assertion=x&refresh_token=y";
    assert_eq!(stage.wire().post_form("/token", &format!("{good}{more}")).await?.status, StatusCode::OK);
    let heard = stage.heard("/token").remove(0).body;
    assert!(heard.ends_with("&resource=https%3A%2F%2Fa%2F&resource=https%3A%2F%2Fb%2F&audience=c"), "{heard}");
    Ok(())
}

#[tokio::test]
async fn a_name_that_a_server_might_rewrite_does_not_reach_the_upstream() -> Result<()> {
    let at = config("\"token_endpoint\": \"/token?tenant=7\",", "");
    let stage = Stage::with(&at, pkce_tower::MemoryStore::new()).await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let verifier = flow.verifier.as_str();
    let names = ["grant_type[x]", "grant_type%00x", "gr%C3%A4nt_type", "refresh_to%E2%84%AAen", "%0a", "[]"];
    let more = names.map(|name| format!("&{name}=client_credentials")).concat();
    let form = format!("grant_type=authorization_code&client_id=native&code={code}&code_verifier={verifier}{more}");
    let refused = stage.wire().post_form("/token", &format!("{form}&Tenant=8")).await?;
    assert_eq!((refused.status, refused.error().as_deref()), (400, Some("invalid_request")));
    assert_eq!(stage.wire().post_form("/token", &format!("{form}&tenant=8&x-y.z_1=a")).await?.status, 200);
    let heard = stage.heard("/token").remove(0);
    assert_eq!(heard.target, "/token?tenant=7");
    let names: Vec<String> = crate::stage::pairs(&heard.body).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["grant_type", "code", "redirect_uri", "x-y.z_1"]);
    Ok(())
}

#[tokio::test]
async fn a_token_request_without_measure_is_refused() -> Result<()> {
    let stage = Stage::new().await?;
    let form = format!("grant_type=refresh_token&client_id=native&refresh_token={}", "x".repeat(17 * 1024));
    let said = stage.wire().post_form("/token", &form).await?;
    assert_eq!((said.status, said.error().as_deref()), (413, Some("invalid_request")));
    assert!(stage.heard("/token").is_empty());
    Ok(())
}

#[tokio::test]
async fn the_secret_of_the_gateway_is_in_no_answer() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = Flow { app: App::NATIVE, verifier: pkce_tower::CodeVerifier::generate()? };
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    for seen in [flow.redeem(&stage.gateway, &code).await?, flow.redeem(&stage.gateway, &code).await?] {
        let all = format!("{seen:?}");
        assert!(!all.contains("secret") && !all.contains(&STANDARD.encode("the-gateway")[..8]), "{all}");
    }
    Ok(())
}
