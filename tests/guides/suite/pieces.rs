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

    mod sealed {
        include!(concat!(env!("OUT_DIR"), "/axum_piece_4.rs"));

        use chacha20poly1305::KeyInit as _;
        use tower::ServiceExt as _;

        fn cipher() -> XChaCha20Poly1305 {
            XChaCha20Poly1305::new(&[7; 32].into())
        }

        fn pending(expires_at: u64) -> Pending {
            Pending {
                client_id: "app".to_owned(),
                redirect_uri: "https://app.example/callback".to_owned(),
                state: Some("xyz".to_owned()),
                challenge: pkce_tower::CodeVerifier::generate().unwrap().challenge().into(),
                expires_at,
            }
        }

        #[test]
        fn the_user_whose_it_is_opens_it_and_another_does_not() {
            let pending = pending(now() + 600);
            let sealed = seal(&cipher(), "alice", &pending).unwrap();
            let opened = open(&cipher(), "alice", &sealed).unwrap();
            assert_eq!(serde_json::to_value(&opened).unwrap(), serde_json::to_value(&pending).unwrap());
            for other in ["mallory", "Alice", "alice ", ""] {
                assert!(open(&cipher(), other, &sealed).is_none(), "{other}");
            }
            assert!(open(&XChaCha20Poly1305::new(&[8; 32].into()), "alice", &sealed).is_none());
        }

        /// What the consent page's POST is answered with, in this user's browser.
        async fn posted(user: Option<&str>, sealed: &str) -> Response {
            let pkce = Pkce::new(pkce_tower::MemoryStore::new());
            let app = axum::Router::new().route("/consent", axum::routing::post(consent)).with_state((pkce, cipher()));
            let request =
                axum::http::Request::post("/consent").header("content-type", "application/x-www-form-urlencoded");
            let request =
                user.into_iter().fold(request, |request, user| request.header("cookie", format!("session={user}")));
            app.oneshot(request.body(axum::body::Body::from(format!("sealed={sealed}"))).unwrap()).await.unwrap()
        }

        #[tokio::test]
        async fn the_consent_of_the_user_whose_it_is_issues_a_code_and_no_other_does() {
            let sealed = seal(&cipher(), "alice", &pending(now() + 600)).unwrap();
            let response = posted(Some("alice"), &sealed).await;
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            let location = response.headers()["location"].to_str().unwrap();
            assert!(location.starts_with("https://app.example/callback?code=") && location.contains("state=xyz"));

            let changed = format!("A{}", &sealed[1..]);
            let changed = if changed == sealed { format!("B{}", &sealed[1..]) } else { changed };
            let expired = seal(&cipher(), "alice", &pending(now() - 1)).unwrap();
            for (user, sealed) in
                [(Some("mallory"), &sealed), (None, &sealed), (Some("alice"), &changed), (Some("alice"), &expired)]
            {
                let response = posted(user, sealed).await;
                assert_eq!(response.status(), StatusCode::FORBIDDEN);
                assert!(response.headers().get("location").is_none());
            }
        }

        #[test]
        fn it_is_opened_until_it_expires() {
            let sealed = |expires_at| seal(&cipher(), "alice", &pending(expires_at)).unwrap();
            assert!(open(&cipher(), "alice", &sealed(now() + 600)).is_some());
            for expired in [0, now() - 1, now()] {
                assert!(open(&cipher(), "alice", &sealed(expired)).is_none(), "{expired}");
            }
        }

        #[test]
        fn no_character_of_it_can_be_changed_and_nothing_of_it_can_be_read() {
            let sealed = seal(&cipher(), "alice", &pending(now() + 600)).unwrap();
            for at in 0..sealed.len() {
                for other in ["A", "B", "", "AA", "="] {
                    let (before, after) = (&sealed[..at], &sealed[at + 1..]);
                    let changed = format!("{before}{other}{after}");
                    assert!(changed == sealed || open(&cipher(), "alice", &changed).is_none(), "{at} {other}");
                }
            }
            let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("app"));
            assert_ne!(sealed, seal(&cipher(), "alice", &pending(now() + 600)).unwrap());
        }
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
