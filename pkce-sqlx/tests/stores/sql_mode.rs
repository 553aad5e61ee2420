//! Modes of MySQL and MariaDB that change what a statement means.

use pkce_core::store::{Inserted, Redemption};

use crate::database::Database;
use crate::sample;

/// An empty grant is a grant: `EMPTY_STRING_IS_NULL` makes nothing of an empty value.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_comes_back_as_it_was_in_every_mode() {
    let Some(mut database) = Database::mariadb() else { return };
    for mode in [
        "SET SESSION sql_mode = 'EMPTY_STRING_IS_NULL'",
        "SET SESSION sql_mode = 'ORACLE,EMPTY_STRING_IS_NULL'",
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,EMPTY_STRING_IS_NULL,ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH'",
        "SET SESSION sql_mode = ''",
    ] {
        database.on_connect = Some(mode);
        let store = database.store().await;
        for grant in [Vec::new(), vec![0], b" ".to_vec(), vec![7; 100_000]] {
            let (code, binding) = (sample::code(), sample::binding_with(grant));
            assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
            let found = store.redeem(&code, &sample::right()).await.unwrap();
            assert_eq!(found, Redemption::First(binding), "{mode}");
        }
    }
}

/// Also when the response to the insert was lost.
#[tokio::test(flavor = "multi_thread")]
async fn an_insert_of_an_empty_grant_knows_its_own_record() {
    let Some(mut database) = Database::mariadb() else { return };
    database.on_connect = Some("SET SESSION sql_mode = 'EMPTY_STRING_IS_NULL'");
    database.test_before_acquire = false;
    let proxy = database.by_proxy();
    let store = database.store().await;
    for _ in 0..2 {
        let binding = sample::binding_with(Vec::new());
        assert_eq!(store.insert(&sample::code(), &binding).await.unwrap(), Inserted::Recorded);
    }
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    proxy.lose_an_answer();
    let (code, binding) = (sample::code(), sample::binding_with(Vec::new()));
    assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Occupied);
    assert_eq!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(binding));
}
