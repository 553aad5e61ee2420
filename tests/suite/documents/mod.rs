//! What the documents mention is there: each test that `README.md` and `docs/` name, and each file.

mod document;
mod sources;

use document::Document;
use sources::Sources;

#[test]
fn every_test_and_every_file_that_a_document_mentions_exists() {
    let sources = Sources::read();
    let mut wrong = Vec::new();
    let mut mentions = 0;
    for path in sources.documents() {
        let document = Document::parse(&path, sources.text(&path));
        mentions += document.mentions.len();
        wrong.extend(document.mentions.iter().filter_map(|mention| {
            let complaint = sources.complain(&document.folder, mention)?;
            Some(format!("{path}:{}: {complaint}", mention.line))
        }));
    }
    assert!(mentions > 500, "{mentions} mentions: are the documents still read?");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The sentence above can fail.
#[test]
fn a_name_that_is_wrong_is_found() {
    let sources = Sources::read();
    let complaints = |text: &str| {
        let document = Document::parse("docs/some.md", text);
        document.mentions.iter().filter_map(|mention| sources.complain(&document.folder, mention)).count()
    };
    for (right, wrong) in [
        // Links: the file, and the test in this very file.
        ("[x](../tests/suite/verifier.rs)", "[x](../tests/suite/verifiers.rs)"),
        ("[x](stores.md#which-one)", "[x](store.md#which-one)"),
        ("[x][y]\n\n[y]: ../DESIGN.md", "[x][y]\n\n[y]: DESIGN.md"),
        ("[`x`][y]\n\n[y]: ../DESIGN.md", "[`x`][y]\n\n[z]: ../DESIGN.md"),
        (
            "[`verifier::a_wrong_verifier_is_refused`](../tests/suite/verifier.rs)",
            "[`verifier::a_wrong_verifier_is_served`](../tests/suite/verifier.rs)",
        ),
        (
            "| x | [`verifier::a_wrong_verifier_…`][v] |\n[v]: ../tests/suite/verifier.rs",
            "| x | [`token::a_wrong_verifier_…`][v] |\n[v]: ../tests/suite/verifier.rs",
        ),
        (
            "[`verifier::an_unknown_code_is_refused`](../tests/suite/verifier.rs)",
            "[`verifier::an_unknown_code_is_refused`](../tests/suite/token.rs)",
        ),
        ("[`real_stores::sharing`](../tests/suite/real_stores/sharing.rs)", "[`sharing::on_stores`](../tests/run)"),
        // Files by their path or their name.
        ("`tests/suite/main.rs`", "`tests/suite/other.rs`"),
        ("`examples/custom-store`, `docs/stores.md`", "`examples/my-store`"),
        ("`mcp-sdk.mjs`", "`mcp-sdk.js.mjs`"),
        ("`application/json` `/me` `tests/run`", "`tests/walk`"),
        // Names without a link.
        ("`real_stores::faults::redis_cluster`", "`real_stores::faults::redis_cloister`"),
        ("`real_stores::faults::a_redis_that_is_full_…`", "`real_stores::faults::a_redis_that_is_fuller_…`"),
        ("`settle::Reservation` `tokio::spawn`", "`settle::Reservations`"),
        ("`pkce_core::adapter::token` `Policy::code_lifetime`", "`pkce_core::adapter::tokens`"),
        ("`pkce_tower::MemoryStore` `pkce_core::store`", "`pkce_tower::MemoryStores`"),
        ("`real_stores::sharing`", "`unreal_stores::sharing`"),
        ("`a_wrong_verifier_is_refused`", "`a_wrong_verifier_is_greeted`"),
        ("`code_challenge_methods_supported`", "`the_right_verifier_is_served_in_no_encoding`"),
        ("# Which test shows it\n`tampered` `contract`", "# Which test shows it\n`hampered`"),
        ("```sh\n`tests/walk`\n```\n# Other\n`hampered`", "```sh\n```\n`tests/walk`"),
    ] {
        assert_eq!((complaints(right), complaints(wrong)), (0, 1), "{right}\n{wrong}");
    }
}
