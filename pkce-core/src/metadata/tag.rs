//! Entity tags (RFC 9110 §8.8.3): the host's with a suffix that says what was written into its document.

use crate::policy::Policy;

/// What is put before the closing quotation mark. It names the methods, because another policy makes another document.
fn suffix(policy: &Policy) -> String {
    format!("+pkce:{}", policy.code_challenge_methods_supported().join("+"))
}

/// The tag that the client gets; `None` if the host's is not one.
pub(super) fn told_to_client(tag: &[u8], policy: &Policy) -> Option<Vec<u8>> {
    let tag = tag.trim_ascii();
    let opaque = tag.strip_prefix(b"W/").unwrap_or(tag).strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if opaque.contains(&b'"') {
        return None;
    }
    let (open, _) = tag.split_at_checked(tag.len() - 1)?;
    Some([open, suffix(policy).as_bytes(), b"\""].concat())
}

/// The tags of an `If-None-Match` that are ours, as the host knows them; `None` if there are none.
///
/// One without the suffix is from before this layer, or before this policy: the host would say that it is still fresh.
pub(super) fn asked_of_host(tags: &[u8], policy: &Policy) -> Option<Vec<u8>> {
    let suffix = suffix(policy);
    let mut asked: Vec<u8> = Vec::new();
    // A comma in a tag cuts it into pieces that are none: it is not asked about.
    for tag in tags.split(|octet| *octet == b',').map(<[u8]>::trim_ascii) {
        let opened = tag.starts_with(b"\"") || tag.starts_with(b"W/\"");
        let Some(own) = tag.strip_suffix(b"\"").and_then(|open| open.strip_suffix(suffix.as_bytes())) else { continue };
        if opened {
            let separator: &[u8] = if asked.is_empty() { b"" } else { b", " };
            asked.extend([separator, own, b"\""].concat());
        }
    }
    (!asked.is_empty()).then_some(asked)
}
