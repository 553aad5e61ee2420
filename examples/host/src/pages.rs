//! The pages. Nothing of a request stands in them unescaped.

use crate::answer::Answer;
use crate::pending::Pending;

const STYLE: &str = include_str!("pages.css");

/// Nothing but this one style, by its hash. No form-action: some browsers apply it to the redirect that follows, which
/// goes to the client.
const POLICY: &str = "default-src 'none'; style-src 'sha256-Tr/BILaaAjwXAZxvu8aK2NFg2N/ZQM9OBbi+peCFLSk='; base-uri 'none'; frame-ancestors 'none'";

/// The sign-in page. It names one pending request and is good for one submission that issues a code.
pub(crate) fn sign_in(status: u16, transaction: &str, pending: &Pending) -> Answer {
    let again = if status == 401 { "<p class=\"wrong\" role=\"alert\">That password is wrong.</p>" } else { "" };
    let body = format!(
        r#"<h1>Sign in</h1>
<p>The client <b>{client}</b> asks for access to your account. This is a demonstration: user <code>alice</code>, password <code>wonderland</code>.</p>
{again}<form method="post" action="/sign-in">
<input type="hidden" name="transaction" value="{transaction}">
<p><label>User <input name="username" autocomplete="username" autocapitalize="none"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></p>
</form>"#,
        client = escape(&pending.client_id),
        transaction = escape(transaction),
    );
    page(status, "Sign in", &body)
}

/// A page that says what is wrong and goes nowhere.
pub(crate) fn message(status: u16, message: &str) -> Answer {
    page(status, "Authorization server", &format!("<h1>{}</h1>", escape(message)))
}

fn page(status: u16, title: &str, body: &str) -> Answer {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n{body}\n</html>\n"
    );
    Answer::new(status, "text/html; charset=utf-8", html)
        .header("content-security-policy", POLICY)
        .header("x-frame-options", "DENY")
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style_that_the_pages_have() {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}'")), "{hash}");
    }
}
