//! A code and the requests that present it.

use playground::{CALLBACK, form};

/// A code and its client's secret.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) code: String,
    pub(crate) verifier: String,
}

impl Code {
    /// The body of a token request.
    pub(crate) fn request(&self, client: &str, verifier: Option<&str>) -> String {
        let base = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("code", &self.code),
        ];
        form(base.iter().chain(&verifier.map(|verifier| ("code_verifier", verifier))))
    }
}

/// A token request as it goes over the wire.
pub(crate) fn http_request(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /token HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}
