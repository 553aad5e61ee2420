//! The layers in front of servers that know nothing of PKCE: what an honest client and a thief get, before and after.

mod attacks;
mod before;
mod client;
mod honest;
mod host;
mod json;
mod oxide_auth;
mod readme;
