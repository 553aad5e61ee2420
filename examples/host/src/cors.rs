//! CORS for browser-based apps.

/// What every answer of the token, user-info and metadata endpoints carries, errors included.
///
/// Any origin may read them: nothing here is authenticated by a cookie.
pub const CORS: [(&str, &str); 3] = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, POST, OPTIONS"),
    ("access-control-allow-headers", "authorization, content-type, dpop"),
];
