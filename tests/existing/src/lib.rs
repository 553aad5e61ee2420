//! Nothing here: the tests are in `suite`, and the servers as they were before PKCE are made by `build.rs` of the diffs
//! that stand in the examples' README files.
