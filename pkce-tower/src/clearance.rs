//! The clearance that the layer leaves for the token handler.

use std::ops::Deref;

use http::Extensions;

/// The proof that the layer has judged this token request: [`pkce_core::Clearance`], for the token handler.
///
/// As an axum extractor it fails with a loud 500 if the layer is not mounted: PKCE is never silently absent.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct Clearance(pub pkce_core::Clearance);

impl Clearance {
    /// The clearance of a request that passed the layer, for services without axum.
    pub fn of(extensions: &Extensions) -> Option<&pkce_core::Clearance> {
        extensions.get::<Self>().map(|Self(clearance)| clearance)
    }
}

impl Deref for Clearance {
    type Target = pkce_core::Clearance;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
