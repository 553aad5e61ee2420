//! The document: one file to the browser, several here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::attacks::{Attack, GROUPS, Group, LIMITS};
use crate::user::CLIENT;

const HTML: &str = include_str!("../../page/page.html");
const STYLE: &str = include_str!("../../page/page.css");
const SCRIPT: &str = concat!(
    include_str!("../../page/client.js"),
    include_str!("../../page/wire.js"),
    include_str!("../../page/flow.js"),
    include_str!("../../page/attacks.js"),
);

/// The page, and the policy under which the browser runs it.
pub(crate) struct Document {
    pub(crate) html: String,
    pub(crate) policy: String,
}

impl Document {
    /// The page at this origin, a client of this authorization server.
    pub(crate) fn new(origin: &str, issuer: &str) -> Self {
        let groups: Vec<_> = GROUPS.iter().map(group).collect();
        let settings = json!({ "issuer": issuer, "client": CLIENT, "groups": groups, "limits": group(&LIMITS) });
        // As data in a document: nothing in it ends the element.
        let settings = settings.to_string().replace('<', "\\u003c");
        let attacks: usize = GROUPS.iter().map(|group| group.attacks.len()).sum();
        let mut html = HTML.to_owned();
        for (place, text) in [
            ("{{origin}}", origin),
            ("{{issuer}}", issuer),
            ("{{attacks}}", &attacks.to_string()),
            ("{{settings}}", &settings),
            ("{{style}}", STYLE),
            ("{{script}}", SCRIPT),
        ] {
            html = html.replace(place, text);
        }
        // The two elements by their hashes, requests to the two servers, and nothing else.
        let policy = format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; connect-src 'self' {issuer}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
             trusted-types 'none'",
            hash(SCRIPT),
            hash(STYLE),
        );
        Self { html, policy }
    }
}

fn group(group: &Group) -> serde_json::Value {
    let attacks: Vec<_> = group.attacks.iter().map(attack).collect();
    json!({ "title": group.title, "idea": group.idea, "attacks": attacks })
}

fn attack(attack: &Attack) -> serde_json::Value {
    json!({
        "name": attack.name, "tried": attack.tried, "hope": attack.hope, "rule": attack.rule, "clauses": attack.clauses,
    })
}

fn hash(element: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(element)))
}
