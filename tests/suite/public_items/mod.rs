//! The public items of each crate, compared with a list in this folder: a change of the API is seen in review.
//!
//! `PKCE_WRITE_PUBLIC_ITEMS=1 cargo test -p pkce-tests public_items` writes the lists anew.

mod source;

use std::env;
use std::fs;
use std::path::Path;

#[test]
fn the_public_items_are_those_of_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["pkce-core", "pkce-tower", "pkce-actix", "pkce-redis", "pkce-sqlx"] {
        let items = source::public_items(&root.join(name).join("src")).join("\n") + "\n";
        let list = root.join("tests/suite/public_items").join(name).with_extension("txt");
        if env::var_os("PKCE_WRITE_PUBLIC_ITEMS").is_some() {
            fs::write(&list, &items).unwrap();
        }
        let listed = fs::read_to_string(&list).unwrap_or_default();
        let missing = items.lines().filter(|item| !listed.lines().any(|line| line == *item));
        let gone = listed.lines().filter(|line| !items.lines().any(|item| item == *line));
        let changes: Vec<String> =
            missing.map(|item| format!("+ {item}")).chain(gone.map(|item| format!("- {item}"))).collect();
        assert!(changes.is_empty(), "{}:\n{}", list.display(), changes.join("\n"));
    }
}

/// The comparison above can fail.
#[test]
fn every_kind_of_public_item_is_found() {
    let items = source::public_items_of(
        "pub struct S { pub a: u8, b: u8 }
         impl S { pub const fn new() -> Self { loop {} } fn hidden(&self) {} pub(crate) fn inside(&self) {} }
         impl Clone for S { fn clone(&self) -> Self { loop {} } }
         pub enum E { One, Two(u8) }
         pub trait T { fn verb(&self); }
         pub fn free(x: u8) -> u8 { x }
         pub type A = u8;
         pub use other::{Named, module::Deep as Renamed};
         pub mod inner { pub fn nested() {} }
         pub(crate) struct Hidden;
         #[cfg(test)] mod tests { pub fn not_this() {} }",
    );
    assert_eq!(
        items,
        [
            "E::One",
            "E::Two(u8)",
            "S.a: u8",
            "S::const fn new() -> Self",
            "T::fn verb(&self)",
            "enum E",
            "fn free(x: u8) -> u8",
            "fn nested()",
            "impl Clone for S",
            "mod inner",
            "struct S",
            "trait T",
            "type A",
            "use Named",
            "use Renamed",
        ]
    );
}
