//! For authors of an adapter to an HTTP framework: plain facts of requests and responses, without an HTTP type.
//!
//! An adapter passes a [`Request`] to [`Pkce::judge`](crate::Pkce::judge) or
//! [`AuthorizationRequest`](crate::AuthorizationRequest), and a [`HostResponse`] to
//! [`Pkce::capture`](crate::Pkce::capture). It passes every header; which ones matter is decided here. `pkce-tower` and
//! `pkce-actix` are the models to follow.

pub(crate) mod body_buffer;
pub(crate) mod capture;
pub(crate) mod host_response;
pub(crate) mod location;
pub mod metadata;
pub(crate) mod request;
pub mod token;

pub use self::body_buffer::{BodyBuffer, RequestBody};
pub use self::capture::{CaptureRejection, CaptureRequest};
pub use self::host_response::HostResponse;
pub use self::request::{Body, Request};
pub use crate::authorization::response::ResponseTo;
