//! The rules, through the public API, clause by clause: tables and properties.

#[path = "../common/mod.rs"]
mod common;

mod authorization_form;
mod authorization_request;
mod binding;
mod bound_request;
mod capture;
mod debug_output;
mod error_messages;
mod metadata;
mod parsing_properties;
mod redemption;
mod redirect_uris;
mod report_only;
mod settlement;
mod store_faults;
mod thread_safety;
mod token_request;
mod token_values;
mod wire;
