//! A client, its user in front of the consent page, and a thief who has seen the code.

use pkce_core::CodeVerifier;
use playground::{JSON, Result, S256, Said, Wire, challenge, form};
use url::Url;

use crate::host::Server;

/// A code on its way to its client.
pub(crate) struct Issued {
    pub(crate) server: Server,
    pub(crate) code: String,
    pub(crate) verifier: CodeVerifier,
}

impl Server {
    /// The honest client's flow up to the code.
    pub(crate) async fn issue(&self) -> Result<Issued> {
        let verifier = CodeVerifier::generate()?;
        let location = self.ask(&[("code_challenge", &challenge(&verifier)), S256]).await?;
        let code = parameter(&location, "code").ok_or_else(|| format!("no code: {location}"))?;
        assert_eq!(parameter(&location, "state").as_deref(), Some("a state & more"));
        Ok(Issued { server: self.clone(), code, verifier })
    }

    /// An authorization request with further parameters, which the user allows: where it leads.
    pub(crate) async fn ask(&self, more: &[(&str, &str)]) -> Result<Url> {
        let (client, redirect_uri) = (self.client.as_str(), self.host.redirect_uri());
        let base = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("state", "a state & more"),
        ];
        let target = format!("/authorize?{}", form(base.iter().chain(more)));
        let page = self.wire.get(&target).await?;
        let answer = allow(self.wire, &page).await?;
        Ok(Url::parse(answer.header("location").ok_or_else(|| format!("{} {}", answer.status, answer.body))?)?)
    }

    /// A token request by the public client.
    pub(crate) async fn redeem(&self, code: &str, verifier: Option<&str>, more: &[(&str, &str)]) -> Result<Said> {
        let (client, redirect_uri) = (self.client.as_str(), self.host.redirect_uri());
        let base = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
        ];
        let verifier = verifier.map(|verifier| ("code_verifier", verifier));
        // What is said again overrules.
        let base = base.into_iter().filter(|(name, _)| more.iter().all(|(again, _)| again != name));
        let all: Vec<_> = base.chain(verifier).chain(more.iter().copied()).collect();
        if self.host.takes_json() {
            return Ok(self.wire.send("POST", "/token", &[JSON], &json(all)).await?);
        }
        Ok(self.wire.post_form("/token", &form(&all)).await?)
    }
}

impl Issued {
    /// The client redeems its code.
    pub(crate) async fn redeem(&self) -> Result<Said> {
        self.server.redeem(&self.code, Some(self.verifier.as_str()), &[]).await
    }
}

/// Parameters as the members of a JSON object.
pub(crate) fn json<N: Into<String>, V: Into<serde_json::Value>>(members: impl IntoIterator<Item = (N, V)>) -> String {
    let members = members.into_iter().map(|(name, value)| (name.into(), value.into()));
    serde_json::Value::Object(members.collect()).to_string()
}

/// The user allows on the page: presses the first button of its form. Some servers do not ask.
pub(crate) async fn allow(wire: Wire, page: &Said) -> Result<Said> {
    if page.header("location").is_some() {
        return Ok(page.clone());
    }
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split_once('"')?.0.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<"))
    };
    let (_, rest) = page.body.split_once("<form").ok_or_else(|| format!("no form: {} {}", page.status, page.body))?;
    let tags: Vec<&str> = rest.split('<').collect();
    let action = tags.iter().find_map(|tag| attribute(tag, "formaction").or_else(|| attribute(tag, "action")));
    let mut fields = Vec::new();
    for tag in tags.iter().filter(|tag| tag.starts_with("input type=hidden")) {
        fields.push((attribute(tag, "name").ok_or("no name")?, attribute(tag, "value").unwrap_or_default()));
    }
    // The first of the named buttons is the one that is pressed.
    if let Some(button) = tags.iter().find(|tag| tag.starts_with("button") && tag.contains(" name=")) {
        fields.push((attribute(button, "name").ok_or("no name")?, attribute(button, "value").unwrap_or_default()));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(wire.post_form(&action.ok_or("the form goes nowhere")?, &form(&fields)).await?)
}

/// A parameter that stands once in the query of a redirect.
pub(crate) fn parameter(location: &Url, name: &str) -> Option<String> {
    let mut values = location.query_pairs().filter(|(n, _)| n == name).map(|(_, value)| value.into_owned());
    let value = values.next();
    assert!(values.next().is_none(), "{name} stands twice in {location}");
    value
}
