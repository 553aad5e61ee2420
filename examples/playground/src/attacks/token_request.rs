//! The token request is sent in a way that two readers might read differently.

use crate::attacks::outcome::Outcome;
use crate::attacks::{ATTACKER, Attack, GUESS, Group};
use crate::user::{Flow, Result};
use crate::wire::{FORM, JSON, Wire};

pub(super) const GROUP: Group = Group {
    title: "A token request with two readings",
    idea: "The check and the token endpoint read the same request. Wherever they could read it differently there is a \
           way past the check, so there must be one reading only.",
    attacks: &[
        Attack {
            name: "code-twice",
            tried: "the code twice",
            hope: "The check looks at one code, the server serves the other.",
            rule: "A parameter may stand once.",
            clauses: &["RFC 6749 §3.2"],
            play: |wire| Box::pin(send(wire, |right, _| Request::form(format!("{right}&code=x")))),
        },
        Attack {
            name: "verifier-under-encoded-name",
            tried: "the verifier twice, once under an encoded name",
            hope: "A reader that compares names before decoding them sees one verifier, another sees two.",
            rule: "Names are compared after decoding, so the verifier stands there twice.",
            clauses: &["RFC 6749 §3.2"],
            play: |wire| Box::pin(send(wire, |right, _| Request::form(format!("{right}&code%5fverifier={GUESS}")))),
        },
        Attack {
            name: "parameters-in-query",
            tried: "the parameters in the query",
            hope: "The server reads the query too, and code and verifier end up in every access log.",
            rule: "The parameters of a token request belong in its body.",
            clauses: &["RFC 6749 §3.2", "RFC 6749 §4.1.3"],
            play: |wire| Box::pin(send(wire, |right, _| Request::form(String::new()).query(right))),
        },
        Attack {
            name: "code-in-body-and-query",
            tried: "the code in body and query",
            hope: "The check reads the body, the server the query.",
            rule: "A code in the query is refused, whatever the body says.",
            clauses: &["RFC 6749 §4.1.3"],
            play: |wire| Box::pin(send(wire, |right, _| Request::form(right.to_owned()).query("code=x"))),
        },
        Attack {
            name: "json-body",
            tried: "a JSON body",
            hope: "The check reads forms and finds no code; the server reads JSON as well.",
            rule: "A token request is a form. What cannot be read here might hide a code.",
            clauses: &["RFC 6749 §4.1.3"],
            play: |wire| Box::pin(send(wire, |_, flow| Request { header: JSON, ..Request::form(json(flow)) })),
        },
        Attack {
            name: "form-as-json",
            tried: "a form that says it is JSON",
            hope: "The check believes the header and skips the form; the server never looks at the header.",
            rule: "The content type must say what the body is.",
            clauses: &["RFC 6749 §4.1.3"],
            play: |wire| Box::pin(send(wire, |right, _| Request { header: JSON, ..Request::form(right.to_owned()) })),
        },
        Attack {
            name: "head",
            tried: "HEAD with the parameters in the query",
            hope: "Frameworks treat HEAD like GET, and some read its query as a form.",
            rule: "A token request is a POST. The answer to a HEAD has no body, so the reason is in the log alone.",
            clauses: &["RFC 6749 §3.2"],
            play: |wire| {
                Box::pin(send(wire, |right, _| Request { method: "HEAD", ..Request::form(String::new()).query(right) }))
            },
        },
        Attack {
            name: "get",
            tried: "GET with the parameters in the query",
            hope: "A link is enough to redeem a code.",
            rule: "A token request is a POST.",
            clauses: &["RFC 6749 §3.2"],
            play: |wire| {
                Box::pin(send(wire, |right, _| Request { method: "GET", ..Request::form(String::new()).query(right) }))
            },
        },
        Attack {
            name: "options-with-body",
            tried: "OPTIONS with a body",
            hope: "OPTIONS passes for the sake of CORS, and the server reads its body.",
            rule: "A CORS preflight has no body. With one it is a token request by the wrong method.",
            clauses: &["RFC 6749 §3.2"],
            play: |wire| {
                Box::pin(send(wire, |right, _| Request { method: "OPTIONS", ..Request::form(right.to_owned()) }))
            },
        },
        Attack {
            name: "code-beside-other-grant",
            tried: "the code smuggled beside another grant type",
            hope: "Another grant type needs no verifier; a server that sees a code serves it all the same.",
            rule: "A code beside a grant type that has none is refused.",
            clauses: &["RFC 7636 §4.5", "RFC 6749 §4.1.3"],
            play: |wire| {
                Box::pin(send(wire, |right, _| {
                    let other = "grant_type=refresh_token&refresh_token=x";
                    Request::form(right.replace("grant_type=authorization_code", other))
                }))
            },
        },
        Attack {
            name: "grant-type-in-capitals",
            tried: "a grant type in capitals",
            hope: "The check does not know it and lets it pass; the server compares without case.",
            rule: "What only a lenient reader takes for authorization_code is refused, not passed on.",
            clauses: &["RFC 6749 §4.1.3"],
            play: |wire| {
                Box::pin(send(wire, |right, _| {
                    Request::form(right.replace("authorization_code", "Authorization_Code"))
                }))
            },
        },
        Attack {
            name: "large-body",
            tried: "a body of 20 KiB",
            hope: "The check reads the beginning only, or keeps as much in memory as anybody sends.",
            rule: "A token request is small. Over 16 KiB it is refused, not cut off: half a body is another reading.",
            clauses: &["RFC 6749 §5.2"],
            play: |wire| Box::pin(send(wire, |right, _| Request::form(format!("{right}&x={}", "x".repeat(20 * 1024))))),
        },
    ],
};

struct Request {
    method: &'static str,
    target: String,
    header: (&'static str, &'static str),
    body: String,
}

impl Request {
    fn form(body: String) -> Self {
        Self { method: "POST", target: "/token".to_owned(), header: FORM, body }
    }

    fn query(self, query: &str) -> Self {
        Self { target: format!("/token?{query}"), ..self }
    }
}

fn json(flow: &Flow) -> String {
    let body = serde_json::json!({
        "grant_type": "authorization_code", "client_id": "spa", "code": flow.code, "code_verifier": flow.verifier.as_str(),
    });
    body.to_string()
}

/// Sends a request that is made of the right one; then comes the client.
async fn send(wire: Wire, request: fn(&str, &Flow) -> Request) -> Result<Outcome> {
    let flow = Flow::start(wire).await?;
    let right = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
    let Request { method, target, header, body } = request(&right, &flow);
    let said = wire.send(method, &target, &[header, ATTACKER], &body).await?;
    // The answer to a HEAD has no body to say why.
    let says_why = said.error().as_deref() == Some("invalid_request") || (method == "HEAD" && said.body.is_empty());
    let outcome = Outcome::of(&said, says_why && (400..500).contains(&said.status));
    outcome.and_the_client_is_served(wire, &flow).await
}
