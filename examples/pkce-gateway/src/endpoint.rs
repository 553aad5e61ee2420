//! An endpoint of the upstream.

use url::Url;

use crate::config::Change;
use crate::parameters::Parameters;

/// An endpoint: its URL, and what changes about the parameters of a request.
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    change: Change,
    /// The names that the operator has fixed: in the URL's query, and by `add`.
    fixed: Vec<String>,
}

impl Endpoint {
    /// Takes a path below the issuer, or a URL.
    pub(crate) fn new(issuer: &Url, text: &str, change: &Change) -> Result<Self, String> {
        let url = match text.strip_prefix('/') {
            Some(path) => checked(&format!("{}/{path}", issuer.as_str().trim_end_matches('/')))?,
            None => checked(text)?,
        };
        if issuer.scheme() == "https" && url.scheme() != "https" {
            return Err(format!("{url} has no https, and the issuer has"));
        }
        let query = Parameters::parse(url.query().unwrap_or_default().as_bytes());
        let query = query.ok_or_else(|| format!("the query of {url} is not UTF-8"))?;
        let fixed = query.pairs().map(|(name, _)| name.to_owned()).chain(change.add.keys().cloned()).collect();
        Ok(Self { url, change: change.clone(), fixed })
    }

    /// Returns the names that a client has no say in: those in `ours`, and what the operator has fixed.
    pub(crate) fn fixed<'a>(&'a self, ours: &[&'a str]) -> Vec<&'a str> {
        ours.iter().copied().chain(self.fixed.iter().map(String::as_str)).collect()
    }

    /// Returns the client's other parameters but for those to drop, and those to add.
    pub(crate) fn passed_on<'a>(
        &'a self,
        form: &'a Parameters,
        fixed: &'a [&str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let kept = form.others(fixed).filter(|(name, _)| !self.change.drop.iter().any(|drop| drop == name));
        kept.chain(self.change.add.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// Parses a URL of the upstream: http or https, without credentials and without a fragment.
pub(crate) fn checked(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| {
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        is_http && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
    });
    url.ok_or_else(|| "the upstream has a URL by http or https, without credentials and without a fragment".to_owned())
}
