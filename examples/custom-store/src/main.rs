//! Runs one flow against the server, on a loopback port and a database in a temporary file, and shows the row after each
//! step.
//!
//! The exit status is 0 only if every response was the expected one.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use custom_store::host::{self, CLIENT_ID, REDIRECT_URI};
use pkce_tower::CodeVerifier;
use reqwest::redirect::Policy;
use sqlx::SqlitePool;
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    let directory = std::env::temp_dir().join(format!("custom-store-{}", std::process::id()));
    let played = match std::fs::create_dir(&directory) {
        Ok(()) => play(&directory.join("server.sqlite")).await,
        Err(error) => Err(error.into()),
    };
    let cleared = std::fs::remove_dir_all(&directory).map_err(Into::into);
    match played.and(cleared) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("custom-store: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play(file: &Path) -> Result<()> {
    let pool = host::connect(file, host::BUSY_TIMEOUT).await?;
    sqlx::raw_sql(host::TABLE).execute(&pool).await?;
    let mut migration = pool.begin().await?;
    sqlx::raw_sql(custom_store::MIGRATION).execute(&mut *migration).await?;
    migration.commit().await?;
    say("the table of the server, with eight columns more");

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = Url::parse(&format!("http://{}", listener.local_addr()?))?;
    let serving = tokio::spawn(axum::serve(listener, host::app(pool.clone())).into_future());
    let client = Client { server, http: reqwest::Client::builder().redirect(Policy::none()).build()? };

    let (verifier, strangers) = (CodeVerifier::generate()?, CodeVerifier::generate()?);
    let code = client.authorize(&verifier).await?;
    show("the code is issued and bound", &pool).await?;
    client.token(&code, strangers.as_str(), CLIENT_ID, 400).await?;
    show("a wrong verifier changed nothing", &pool).await?;
    client.token(&code, verifier.as_str(), "another-client", 400).await?;
    show("another client changed nothing, with the right verifier", &pool).await?;
    client.token(&code, verifier.as_str(), CLIENT_ID, 200).await?;
    show("the tokens are issued", &pool).await?;
    client.token(&code, verifier.as_str(), CLIENT_ID, 400).await?;
    show("a replay changed nothing", &pool).await?;

    serving.abort();
    pool.close().await;
    Ok(())
}

struct Client {
    server: Url,
    http: reqwest::Client,
}

impl Client {
    async fn authorize(&self, verifier: &CodeVerifier) -> Result<String> {
        let mut request = self.server.join("/authorize")?;
        request
            .query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", CLIENT_ID)])
            .extend_pairs([("redirect_uri", REDIRECT_URI), ("scope", "photos")])
            .extend_pairs(verifier.challenge().authorization_parameters());
        let response = self.http.get(request).send().await?;
        say(&format!("GET /authorize: {}", response.status()));
        let location = response.headers().get("location").ok_or("no redirect")?.to_str()?;
        let code = Url::parse(location)?.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into());
        Ok(code.ok_or("no code")?)
    }

    async fn token(&self, code: &str, verifier: &str, client_id: &str, expected: u16) -> Result<()> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)])
            .extend_pairs([("client_id", client_id), ("redirect_uri", REDIRECT_URI)])
            .finish();
        let request = self.http.post(self.server.join("/token")?).body(form);
        let response = request.header("content-type", "application/x-www-form-urlencoded").send().await?;
        let status = response.status();
        say(&format!("POST /token as {client_id}: {status} {}", response.text().await?));
        if status == expected { Ok(()) } else { Err(format!("{expected} was expected").into()) }
    }
}

/// Shows the row, with the first bytes of what is secret or random.
async fn show(what: &str, pool: &SqlitePool) -> Result<()> {
    let row: String = sqlx::query_scalar(
        "SELECT format('  id %d, client_id %s, user_id %s, scope %s, used %d
  code_digest %.8s…, pkce_method %s, pkce_proof %.8s…, pkce_grant of %d bytes, redeemed_by %s',
                id, client_id, user_id, scope, used,
                hex(code_digest), pkce_method, hex(pkce_proof), length(pkce_grant),
                iif(redeemed_by IS NULL, 'nobody', format('%.8s…, %d ms after the code was bound',
                    hex(redeemed_by), redeemed_at - pkce_issued_at)))
         FROM authorization_codes",
    )
    .fetch_one(pool)
    .await?;
    say(&format!("{what}:\n{row}\n"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command line program")]
fn say(what: &str) {
    println!("{what}");
}
