//! Which redirect URIs can be registered.

use url::Url;

/// Schemes that no client is ever sent to: a browser would run, show or fetch what the URI says.
const NEVER: [&str; 13] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
    "jar",
    "mailto",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Returns whether a URI can be registered: by https, by http to this machine, with a scheme that belongs to an app by
/// its dot (RFC 8252 §7.1), or with one of `custom_schemes`. It has no fragment (RFC 6749 §3.1.2), and no character
/// that could end a header.
pub(crate) fn can_be_registered(uri: &str, custom_schemes: &[String]) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let harmless = uri.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !b"#\\\"<>".contains(&byte));
    harmless
        && url.username().is_empty()
        && url.password().is_none()
        && match url.scheme() {
            "https" => true,
            "http" => matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
            scheme => can_be_custom(scheme) && (scheme.contains('.') || custom_schemes.iter().any(|it| it == scheme)),
        }
}

/// Returns whether a scheme can be one of `custom_schemes`.
pub(crate) fn can_be_custom(scheme: &str) -> bool {
    let is_scheme = scheme.bytes().enumerate().all(|(at, byte)| match byte {
        b'a'..=b'z' => true,
        b'0'..=b'9' | b'+' | b'-' | b'.' => at > 0,
        _ => false,
    });
    is_scheme && !scheme.is_empty() && !matches!(scheme, "http" | "https") && !NEVER.contains(&scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_redirect_uri_is_not_registered() {
        let schemes = ["cursor".to_owned(), "vscode".to_owned()];
        for uri in ["https://app.example/cb?t=7", "http://localhost/cb", "http://[::1]/", "com.example.app:/cb"] {
            assert!(can_be_registered(uri, &[]), "{uri}");
        }
        for uri in ["cursor://anysphere.cursor-mcp/oauth/callback", "vscode://publisher.name/callback"] {
            assert!(can_be_registered(uri, &schemes) && !can_be_registered(uri, &[]), "{uri}");
        }
        for uri in [
            "http://app.example/cb",
            "https://app.example/cb#f",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "blob:https://app.example/1",
            "zed://callback",
            "/cb",
            "https://user@app.example/",
            "https://app.example/\r\nSet-Cookie:",
            "https://app.example/a b",
        ] {
            assert!(!can_be_registered(uri, &schemes), "{uri}");
        }
        for scheme in ["javascript", "data", "file", "blob", "https", "JavaScript", "a:b", "", "1a"] {
            assert!(!can_be_custom(scheme), "{scheme}");
        }
    }
}
