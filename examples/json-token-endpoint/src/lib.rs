//! Two small servers of the same kind, on axum and on Actix Web: the code is issued at once to a user who is signed in
//! already, and the token endpoint takes JSON, which RFC 6749 does not know and many browser-based apps send. `README.md`
//! beside it says what `pkce-tower` and `pkce-actix` change.

pub mod actix_server;
pub mod axum_server;
pub mod records;
