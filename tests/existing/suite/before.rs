//! The servers as they were: made by `build.rs`.
#![allow(dead_code, unreachable_pub, reason = "it is the source of the examples")]

pub(crate) mod oxide_auth_axum {
    include!(concat!(env!("OUT_DIR"), "/oxide-auth-axum-lib.rs"));
}

pub(crate) mod oxide_auth_actix {
    include!(concat!(env!("OUT_DIR"), "/oxide-auth-actix-lib.rs"));
}

pub(crate) mod json {
    pub(crate) mod records {
        include!(concat!(env!("OUT_DIR"), "/json-token-endpoint-records.rs"));
    }

    pub(crate) mod axum_server {
        include!(concat!(env!("OUT_DIR"), "/json-token-endpoint-axum_server.rs"));
    }

    pub(crate) mod actix_server {
        include!(concat!(env!("OUT_DIR"), "/json-token-endpoint-actix_server.rs"));
    }
}
