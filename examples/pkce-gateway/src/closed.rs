//! Paths that are never passed on: by them a client would get past the gateway.

use percent_encoding::percent_decode_str;

/// Whether a path is one of the endpoints, in the reading of the most lenient server there may be.
///
/// # Errors
///
/// When it cannot be said: dot segments, control characters, or an encoding of an encoding of an encoding.
pub(crate) fn is_closed(path: &str, endpoints: &[&str]) -> Result<bool, Unclear> {
    let path = read(path)?;
    let is_metadata = path.strip_prefix(".well-known/").is_some_and(|document| {
        ["oauth-authorization-server", "openid-configuration"].iter().any(|name| document.starts_with(name))
    }) || path.ends_with("/.well-known/openid-configuration");
    Ok(is_metadata || endpoints.iter().any(|endpoint| read(endpoint).is_ok_and(|endpoint| endpoint == path)))
}

/// Nobody knows how the upstream reads this path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unclear;

/// Decoded until nothing is left to decode, without empty segments, path parameters and trailing dots, in small letters.
fn read(path: &str) -> Result<String, Unclear> {
    let mut path = path.to_owned();
    for decoded in 0.. {
        let next = percent_decode_str(&path).decode_utf8().map_err(|_| Unclear)?.into_owned();
        if next == path {
            break;
        }
        if decoded == 2 {
            return Err(Unclear);
        }
        path = next;
    }
    if path.chars().any(char::is_control) {
        return Err(Unclear);
    }
    let mut segments = Vec::new();
    for segment in path.split(['/', '\\']) {
        let segment = segment.split(';').next().unwrap_or_default().trim();
        if matches!(segment, "." | "..") {
            return Err(Unclear);
        }
        let segment = segment.trim_end_matches(['.', ' ']);
        if !segment.is_empty() {
            segments.push(segment.to_lowercase());
        }
    }
    Ok(segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_closed_in_every_spelling() {
        for path in [
            "/oauth/token",
            "/oauth/token/",
            "//oauth//token",
            "/OAuth/Token",
            "/oauth/%74oken",
            "/oauth/%2574oken",
            "/oauth%2ftoken",
            "/oauth\\token",
            "/oauth/token;x=1",
            "/oauth;a/token",
            "/oauth/token%20",
            "/oauth/token.",
        ] {
            assert_eq!(is_closed(path, &["/authorize", "/oauth/token"]), Ok(true), "{path}");
        }
        for path in ["/", "/userinfo", "/oauth/tokens", "/oauth", "/token", "/oauth/token/introspect", "/a%2Fb?"] {
            assert_eq!(is_closed(path, &["/authorize", "/oauth/token"]), Ok(false), "{path}");
        }
    }

    #[test]
    fn the_upstreams_metadata_is_closed() {
        for path in [
            "/.well-known/openid-configuration",
            "/.well-known/OpenID-Configuration/",
            "/tenant/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server/tenant",
        ] {
            assert_eq!(is_closed(path, &[]), Ok(true), "{path}");
        }
        assert_eq!(is_closed("/.well-known/jwks.json", &[]), Ok(false));
    }

    #[test]
    fn what_cannot_be_read_is_unclear() {
        for path in ["/a/../token", "/a/%2e%2e/token", "/./token", "/a%00", "/a%0d%0a", "/%252525", "/%ff"] {
            assert_eq!(is_closed(path, &["/token"]), Err(Unclear), "{path}");
        }
    }
}
