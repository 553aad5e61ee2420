//! What the resource owner granted.

use serde::{Deserialize, Serialize};

/// What the resource owner granted: bound with the code, and handed back to the token handler by its clearance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Grant {
    /// Names the grant, so that what it produced can be revoked.
    pub id: String,
    /// Whom it was given to.
    pub client_id: String,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// Who gave it.
    pub subject: String,
    /// What for.
    pub scope: String,
}
