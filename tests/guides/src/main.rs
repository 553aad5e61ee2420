//! The programs of the guides and of the README, as their listings and changes make them. `GUIDE_PROGRAM` in the environment names one: the
//! guide, and the number of the version, as in `axum_2`. The arguments are the program's own.
//!
//! They are one binary, because linking is most of the work.
#![expect(
    clippy::pedantic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "what readers are shown is as short as their own code"
)]

use std::env;
use std::error::Error;

/// Each program is a module, whose `main` is private to it.
macro_rules! programs {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));

            pub(super) fn run() -> Result<(), Box<dyn std::error::Error>> {
                crate::boxed(main())
            }
        })+

        fn run(name: &str) -> Result<(), Box<dyn Error>> {
            match name {
                $(stringify!($name) => $name::run(),)+
                _ => Err(format!("src/main.rs does not name the program {name}").into()),
            }
        }
    };
}

programs! {
    actix_1, actix_2, actix_3, axum_1, axum_2, axum_3, migration_1, migration_2, migration_3, readme_1, readme_2,
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&env::var("GUIDE_PROGRAM")?)
}

/// What the programs return is not the same in all.
fn boxed(ended: Result<(), impl Into<Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    ended.map_err(Into::into)
}
