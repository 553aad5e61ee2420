//! Odd requests: well-formed HTTP, nearly right or far from it.

use std::fmt;

use pkce_core::CodeVerifier;

use super::random::Random;

/// A request, octet for octet.
pub(crate) struct Odd {
    pub(crate) method: &'static str,
    pub(crate) octets: Vec<u8>,
    pub(crate) wants_a_connection_of_its_own: bool,
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.octets))
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const METHODS: [&str; 10] = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "QUERY", "POST"];
const JUNK: [&str; 16] = [
    "x=y",
    "",
    "=",
    "&",
    "%zz=%",
    "resource=a&resource=b",
    "Code=x",
    "code[]=x",
    "%ff=%ff",
    "client_id=spa",
    "code",
    "code=",
    "c%6Fde=x",
    "grant_type=refresh_token",
    "code_verifier=x",
    "redirect_uri=https://evil.example",
];

/// A token request for a code that is bound, with up to three things wrong.
pub(crate) fn token_request(random: &mut Random, code: &str, verifier: &CodeVerifier) -> Odd {
    let mut parameters = vec![
        "grant_type=authorization_code".to_owned(),
        format!("code={code}"),
        format!("code_verifier={}", verifier.as_str()),
        "client_id=spa".to_owned(),
    ];
    let mut request = Parts::new("POST", "/token");
    for _ in 0..random.below(4) {
        twist_parameters(random, &mut parameters);
    }
    let json = random.one_in(12);
    request.body = if json { as_json(&parameters) } else { parameters.join("&") };
    request.header("Content-Type", if json { "application/json" } else { FORM });
    if random.one_in(3) {
        twist(random, &mut request);
    }
    request.finish(random)
}

/// An authorization request with up to three things wrong.
pub(crate) fn authorization_request(random: &mut Random) -> Odd {
    const CHALLENGE: &str = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const TWISTS: [&str; 22] = [
        "code_challenge=",
        "code_challenge",
        CHALLENGE,
        "code%5Fchallenge=x",
        "code_challenge_method=plain",
        "code_challenge_method=",
        "code_challenge_method=s256",
        "code_challenge_method=S256%00",
        "request=x",
        "request_uri=urn:x",
        "request=",
        "response_type=token",
        "response_type=code+id_token",
        "state=%00%0d%0a%ff",
        "state=a+b%20c%26",
        "client_id=web",
        "redirect_uri=https://evil.example",
        "code_challenge=%ff",
        "x=%",
        "scope=a",
        "scope=%3Cscript%3E",
        "",
    ];
    let mut parameters: Vec<String> = [
        "response_type=code",
        "client_id=spa",
        "redirect_uri=http%3A%2F%2F127.0.0.1%3A8765%2Fcallback",
        "state=s",
        CHALLENGE,
        "code_challenge_method=S256",
    ]
    .map(str::to_owned)
    .to_vec();
    for _ in 0..random.below(4) {
        match random.below(4) {
            0 => drop(parameters.remove(random.below(parameters.len()))),
            1 => random.shuffle(&mut parameters),
            _ => {
                let at = random.below(parameters.len() + 1);
                let twist = random.pick(&TWISTS).to_owned();
                if random.one_in(3) && at < parameters.len() {
                    parameters[at] = twist
                } else {
                    parameters.insert(at, twist)
                }
            }
        }
    }
    let mut request = Parts::new("GET", "/authorize");
    request.target = format!("/authorize?{}", parameters.join("&"));
    if random.one_in(12) {
        request.method = random.pick(&METHODS);
        request.header("content-type", FORM);
        request.body = if random.one_in(2) { parameters.join("&") } else { String::new() };
    }
    if random.one_in(20) {
        request.target = random
            .pick(&["/authorize", "/authorize?", "/authorize/", "/authorize??a", "//authorize", "/authorize%3F"])
            .to_owned();
    }
    request.finish(random)
}

fn twist_parameters(random: &mut Random, parameters: &mut Vec<String>) {
    let at = random.below(parameters.len());
    let Some(found) = parameters.get(at).cloned() else { return };
    let (name, value) = found.split_once('=').unwrap_or((&found, ""));
    let twisted = match random.below(14) {
        0 => return drop(parameters.remove(at)),
        1 => return parameters.push(found),
        2 => return random.shuffle(parameters),
        3 => return parameters.insert(at, random.pick(&JUNK).to_owned()),
        4 => return parameters.push(random.pick(&JUNK).to_owned()),
        5 => format!("{}={value}", encoded(name)),
        6 => format!("{name}={}", encoded(value)),
        7 => format!("{name}="),
        8 => name.to_owned(),
        9 => format!(
            "{name}={value}{}",
            random.pick(&["%00", "%0A", "+", "%", "%ff", "%E2%82%AC", "x", "\u{e9}", "=", ";"])
        ),
        10 => format!("{name}={}", value.to_uppercase()),
        11 => format!(
            "grant_type={}",
            random.pick(&["refresh_token", "password", "Authorization_Code", "authorization_code%20"])
        ),
        12 => format!("{name}={}", "x".repeat(random.pick(&[&42_usize, &43, &128, &129, &4096, &4097]).to_owned())),
        _ => found.to_uppercase(),
    };
    parameters[at] = twisted;
}

fn twist(random: &mut Random, request: &mut Parts) {
    match random.below(12) {
        0 => request.method = random.pick(&METHODS),
        1 => {
            request.method = "OPTIONS";
            if random.one_in(2) {
                request.body.clear();
            }
        }
        2 => request.target = format!("/token?{}", random.pick(&JUNK)),
        3 => request.target = format!("/token?{}", std::mem::take(&mut request.body)),
        4 => request.headers.clear(),
        5 => request.header("content-type", random.pick(&[FORM, "text/plain", ""])),
        6 => {
            let kinds = [
                "Application/X-Www-Form-Urlencoded",
                "application/x-www-form-urlencoded; charset=utf-8",
                "text/plain",
                "application/x-www-form-urlencoded,text/plain",
                "application/x-www-form-urlencoded ;",
                ";",
                "multipart/form-data",
                "application/json; charset=utf-8",
            ];
            request.headers = vec![("CONTENT-TYPE", random.pick(&kinds).to_owned())];
        }
        7 => request.header("content-encoding", random.pick(&["gzip", "identity", "br"])),
        8 => {
            let octets: usize = 16 * 1024 - 1 + random.below(3);
            let padding = octets.saturating_sub(request.body.len() + 3);
            request.body += &format!("&x={}", "x".repeat(padding));
        }
        9 => request.body += &format!("&x={}", "x".repeat(random.below(70_000))),
        10 => request.header(
            "authorization",
            random.pick(&["Basic c3BhOg==", "Basic x", "Bearer x", "Basic d2ViOndlYi1zZWNyZXQ="]),
        ),
        _ => {
            request.target =
                random.pick(&["/token/", "/token%3F", "/token?", "/TOKEN", "/me", "/sign-in", "/token;x"]).to_owned()
        }
    }
}

/// Every octet of it, percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02x}")).collect()
}

fn as_json(parameters: &[String]) -> String {
    let members: Vec<String> = parameters
        .iter()
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| format!("{}:{}", serde_json::json!(name), serde_json::json!(value)))
        .collect();
    format!("{{{}}}", members.join(","))
}

struct Parts {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Parts {
    fn new(method: &'static str, target: &str) -> Self {
        Self { method, target: target.to_owned(), headers: Vec::new(), body: String::new() }
    }

    fn header(&mut self, name: &'static str, value: &str) {
        self.headers.push((name, value.to_owned()));
    }

    /// Puts it on the wire in one of the ways that HTTP has.
    fn finish(mut self, random: &mut Random) -> Odd {
        let old = random.one_in(40);
        let mut wants_a_connection_of_its_own = old;
        let mut tail = self.body.clone().into_bytes();
        if !self.body.is_empty() || self.method == "POST" {
            if !old && random.one_in(5) {
                self.header("Transfer-Encoding", "chunked");
                tail = chunked(random, self.body.as_bytes());
            } else if !old && self.body.is_empty() && random.one_in(2) {
                // No body, and not a word about it; HTTP/1.0 demands one (RFC 1945 §8.3).
            } else {
                self.header("Content-Length", &self.body.len().to_string());
            }
        }
        if !old && !self.body.is_empty() && random.one_in(30) {
            self.header("Expect", "100-continue");
            wants_a_connection_of_its_own = true;
        }
        if random.one_in(10) {
            self.header("X-Odd", random.pick(&["", "\u{e9}", "a, b", "%00"]));
        }
        random.shuffle(&mut self.headers);
        // A target is ASCII; what a server's HTTP parser says to others is not for us to say.
        self.target =
            self.target.chars().map(|c| if c.is_ascii() { c.to_string() } else { encoded(&c.to_string()) }).collect();
        let version = if old { "1.0" } else { "1.1" };
        let mut head = format!("{} {} HTTP/{version}\r\nhost: as.example\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut octets = (head + "\r\n").into_bytes();
        octets.extend(tail);
        Odd { method: self.method, octets, wants_a_connection_of_its_own }
    }
}

fn chunked(random: &mut Random, mut body: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    while !body.is_empty() {
        let (chunk, rest) = body.split_at(1 + random.below(body.len()));
        octets.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        octets.extend([chunk, b"\r\n"].concat());
        body = rest;
    }
    octets.extend(b"0\r\n\r\n");
    octets
}
