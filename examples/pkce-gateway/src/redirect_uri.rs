//! Which redirect URIs can be registered, and which one of a request is registered.

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

const LOOPBACK: [&str; 3] = ["http://127.0.0.1", "http://[::1]", "http://localhost"];

/// Returns whether a URI of a request is this registered one: the same characters (RFC 9700 §2.1), but for the port of
/// `http://127.0.0.1`, `http://[::1]` and `http://localhost`, which is free (RFC 8252 §7.3).
pub(crate) fn is(registered: &str, uri: &str) -> bool {
    registered == uri
        || matches!((loopback(registered), loopback(uri)), (Some(registered), Some(uri)) if registered == uri)
}

/// Splits a redirect URI of an app on the user's own machine into its host and its path and query, without the port.
fn loopback(uri: &str) -> Option<(&'static str, &str)> {
    let (host, rest) = LOOPBACK.into_iter().find_map(|host| Some((host, uri.strip_prefix(host)?)))?;
    let path = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let (digits, path) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
            digits.parse::<u16>().ok().filter(|port| *port > 0)?;
            path
        }
    };
    (path.is_empty() || path.starts_with('/')).then_some((host, path))
}

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
    fn the_port_of_a_loopback_redirect_uri_is_free_and_nothing_else() {
        for host in LOOPBACK {
            let registered = format!("{host}/callback");
            for rest in ["/callback", ":1/callback", ":65535/callback"] {
                assert!(is(&registered, &format!("{host}{rest}")), "{rest}");
            }
            for rest in [
                ":/callback",
                ":0/callback",
                ":65536/callback",
                ":+1/callback",
                ":80@evil.example/callback",
                ".evil.example/callback",
                "@evil.example/callback",
                "/callback/",
                "/callback?x",
                ":1/evil/callback",
                "",
            ] {
                assert!(!is(&registered, &format!("{host}{rest}")), "{rest}");
            }
            for other in LOOPBACK.into_iter().chain(["https://localhost", "https://127.0.0.1"]) {
                assert_eq!(is(&registered, &format!("{other}/callback")), other == host, "{other}");
            }
        }
        assert!(is("http://localhost", "http://localhost:3000") && !is("http://localhost", "http://localhost.evil"));
        let exact = "https://app.example/cb?tenant=7";
        for uri in ["https://app.example/cb", "https://app.example:443/cb?tenant=7", "https://APP.example/cb?tenant=7"]
        {
            assert!(is(exact, exact) && !is(exact, uri), "{uri}");
        }
    }

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
