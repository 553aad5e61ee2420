//! What an adapter is to do with a token request.

use crate::clearance::Clearance;
use crate::rejection::Rejection;
use crate::settle::Reservation;

/// What an adapter is to do with a token request.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "an adapter must handle every case")]
pub enum Judgement {
    /// Call the host with the identical request and no [`Clearance`]: a CORS preflight.
    PassThrough,
    /// Call the host with the identical request and this clearance; then
    /// [`settle`](crate::Pkce::settle) by the status of its answer.
    Proceed(Clearance, Reservation),
    /// Do not call the host; answer with this.
    Reject(Rejection),
}
