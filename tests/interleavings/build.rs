//! Lets `pkce-core` take its locks from `shuttle`.

fn main() {
    println!("cargo::rustc-cfg=pkce_shuttle");
}
