//! The Rust in the guides that is no whole program.

mod actix {
    mod lifetime {
        include!(concat!(env!("OUT_DIR"), "/actix_piece_1.rs"));

        #[test]
        fn the_codes_live_for_five_minutes() {
            assert!(format!("{:?}", pkce("https://as.example")).contains("code_lifetime: 300s"));
        }
    }

    include!(concat!(env!("OUT_DIR"), "/actix_piece_2.rs"));

    mod test {
        include!(concat!(env!("OUT_DIR"), "/actix_piece_3.rs"));
    }
}

mod axum {
    mod lifetime {
        include!(concat!(env!("OUT_DIR"), "/axum_piece_1.rs"));

        #[test]
        fn the_codes_live_for_five_minutes() {
            assert!(format!("{:?}", pkce("https://as.example")).contains("code_lifetime: 300s"));
        }
    }

    include!(concat!(env!("OUT_DIR"), "/axum_piece_2.rs"));

    mod test {
        include!(concat!(env!("OUT_DIR"), "/axum_piece_3.rs"));
    }
}

mod migration {
    include!(concat!(env!("OUT_DIR"), "/migration_piece_1.rs"));

    #[tokio::test]
    async fn only_the_client_on_the_list_gets_a_code_without_a_challenge() {
        let policy = pkce_tower::Policy::new().allow_missing_challenge();
        let pkce = Pkce::builder(pkce_tower::MemoryStore::new()).policy(policy).build();
        let verifier = pkce_tower::CodeVerifier::generate().unwrap();

        bind(pkce.clone(), "printed", "the-old-printer", None).await.unwrap();
        assert!(pkce.redeem("printed", Some(verifier.as_str())).await.is_err());
        assert!(pkce.redeem("printed", None).await.is_ok());
        assert!(pkce.redeem("printed", None).await.is_err());

        let refused = bind(pkce.clone(), "stripped", "app", None).await;
        assert!(matches!(refused, Err(BindError::ChallengeRequired)));
        assert!(pkce.redeem("stripped", None).await.is_err());

        for client_id in ["app", "the-old-printer"] {
            bind(pkce.clone(), client_id, client_id, Some(verifier.challenge().into())).await.unwrap();
            assert!(pkce.redeem(client_id, None).await.is_err());
            assert!(pkce.redeem(client_id, Some(verifier.as_str())).await.is_ok());
        }
    }
}
