//! Sessions: how they begin, how they end, and how guessing is slowed.

use jiff::ToSpan as _;

use super::{DEPUTY, DSL, PASSWORD, TECHNICIAN, World};

#[tokio::test]
async fn a_right_password_begins_a_session_in_a_cookie_that_nothing_else_can_read() {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = browser.sign_in("DSL@marsh.example ", PASSWORD).await;
    assert_eq!((answer.status, answer.location()), (303, "/"));
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");
    let token = value.strip_prefix("__Host-redshank=").unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(browser.get("/").await.status, 200);
    assert_eq!(world.deeds(world.dsl).await, ["queue_viewed"]);
    assert_eq!(world.audit().await.iter().filter(|e| e.action == "signed_in").count(), 1);
    let first = world.signed_in(TECHNICIAN).await;
    assert_ne!(first.cookie, world.signed_in(TECHNICIAN).await.cookie);
}

#[tokio::test]
async fn whatever_is_wrong_the_words_are_the_same() {
    let world = World::new().await;
    let mut browser = world.browser();
    let wrong = browser.sign_in(DSL, "marsh warden bells").await;
    let unknown = browser.sign_in("nobody@marsh.example", PASSWORD).await;
    let long = browser.sign_in(&"n".repeat(300), PASSWORD).await;
    for _ in 0..4 {
        browser.sign_in(DSL, "marsh warden bells").await;
    }
    let locked = browser.sign_in(DSL, PASSWORD).await;
    for (answer, email) in [
        (&wrong, DSL),
        (&unknown, "nobody@marsh.example"),
        (&long, &*"n".repeat(300)),
        (&locked, DSL),
    ] {
        assert_eq!(answer.status, 422);
        assert!(answer.headers.get("set-cookie").is_none());
        assert_eq!(answer.body.replace(email, ""), wrong.body.replace(DSL, ""));
    }
    assert!(!wrong.body.contains("marsh warden"), "a password comes back in no page");
}

#[tokio::test]
async fn five_mistakes_lock_the_account_and_the_lock_ends() {
    let world = World::new().await;
    let mut browser = world.browser();
    for _ in 0..5 {
        assert_eq!(browser.sign_in(DSL, "wrong wrong wrong").await.status, 422);
    }
    assert_eq!(browser.sign_in(DSL, PASSWORD).await.status, 422);
    assert_eq!(browser.sign_in(TECHNICIAN, PASSWORD).await.status, 303, "others are not locked");
    world.pass(61.seconds());
    assert_eq!(browser.sign_in(DSL, "wrong wrong wrong").await.status, 422);
    world.pass(61.seconds());
    assert_eq!(browser.sign_in(DSL, PASSWORD).await.status, 422, "the second lock is longer");
    world.pass(61.seconds());
    assert_eq!(browser.sign_in(DSL, PASSWORD).await.status, 303);
    for _ in 0..4 {
        assert_eq!(browser.sign_in(DSL, "wrong wrong wrong").await.status, 422);
    }
    assert_eq!(browser.sign_in(DSL, PASSWORD).await.status, 303, "a sign-in forgives the mistakes");
    let failed = world.audit().await.iter().filter(|e| e.action == "sign_in_failed").count();
    assert_eq!(failed, 10, "attempts while it is locked are not looked at");
}

#[tokio::test]
async fn whoever_guesses_elsewhere_locks_nobody_out_where_they_sign_in() {
    let world = World::new().await;
    let at = |last: u8| {
        let mut browser = world.browser();
        browser.address = Some([192, 0, 2, last].into());
        browser
    };
    assert_eq!(at(1).sign_in(DSL, PASSWORD).await.status, 303);
    for last in 100..105 {
        for _ in 0..5 {
            assert_eq!(at(last).sign_in(DSL, "wrong wrong wrong").await.status, 422);
        }
    }
    assert_eq!(at(100).sign_in(DSL, PASSWORD).await.status, 422, "locked there");
    assert_eq!(at(110).sign_in(DSL, PASSWORD).await.status, 422, "and on what is not known");
    assert_eq!(at(1).sign_in(DSL, PASSWORD).await.status, 303, "but not where she signs in");

    for _ in 0..40 {
        at(1).sign_in("nobody@marsh.example", PASSWORD).await;
    }
    assert_eq!(at(1).sign_in(TECHNICIAN, PASSWORD).await.status, 429);
    assert_eq!(at(1).sign_in(DSL, PASSWORD).await.status, 303, "she keeps her attempts");
}

#[tokio::test]
async fn guesses_sent_at_once_count_one_by_one() {
    let world = World::new().await;
    let guesses = (0..12).map(|_| {
        let mut browser = world.browser();
        async move { browser.sign_in(DSL, "wrong wrong wrong").await.status }
    });
    let answers = futures_util::future::join_all(guesses).await;
    assert!(answers.iter().all(|status| *status == 422));
    let failed = world.audit().await.iter().filter(|e| e.action == "sign_in_failed").count();
    assert_eq!(failed, 5);
}

#[tokio::test]
async fn one_address_is_throttled() {
    let world = World::new().await;
    let mut browser = world.browser();
    for _ in 0..30 {
        assert_eq!(browser.sign_in("nobody@marsh.example", PASSWORD).await.status, 422);
    }
    let answer = browser.sign_in(DSL, PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "60");
}

#[tokio::test]
async fn a_session_ends_by_idleness_by_age_by_sign_out_and_when_its_user_is_disabled() {
    let world = World::new().await;
    let mut idle = world.signed_in(DSL).await;
    world.pass(29.minutes());
    assert_eq!(idle.get("/account").await.status, 200);
    world.pass(29.minutes());
    assert_eq!(idle.get("/account").await.status, 200, "use keeps it alive");
    world.pass(29.minutes());
    assert_eq!(idle.get("/queue/rows").await.status, 200);
    world.pass(1.minute());
    assert_eq!(idle.get("/queue/rows").await.status, 401, "what a page fetches is no use");
    let answer = idle.get("/account").await;
    assert_eq!((answer.status, answer.location()), (303, "/sign-in?next=/account"));

    let mut old = world.signed_in(DSL).await;
    for _ in 0..35 {
        world.pass(20.minutes());
        assert_eq!(old.get("/account").await.status, 200);
    }
    world.pass(20.minutes());
    assert_eq!(old.get("/account").await.status, 303, "twelve hours are a session's life");

    let mut out = world.signed_in(DSL).await;
    let cookie = out.cookie.clone();
    let answer = out.post("/sign-out", &[]).await;
    assert_eq!((answer.status, answer.location()), (303, "/sign-in"));
    assert_eq!(out.cookie, None);
    out.cookie = cookie;
    assert_eq!(out.get("/account").await.status, 303, "the old cookie opens nothing");

    let mut again = world.signed_in(DSL).await;
    let before = again.cookie.clone();
    assert_eq!(again.sign_in(DSL, PASSWORD).await.status, 303);
    let after = std::mem::replace(&mut again.cookie, before);
    assert_eq!(again.get("/account").await.status, 303, "a new sign-in ends the session before");
    again.cookie = after;
    assert_eq!(again.get("/account").await.status, 200);

    world.scratch.vandalise("UPDATE users SET status = 'disabled'").await;
    assert_eq!(again.get("/account").await.status, 303, "disabled: at once");
    let disabled = again.sign_in(DSL, PASSWORD).await;
    assert_eq!(disabled.status, 403);
    assert!(disabled.body.contains("has been closed"));
}

#[tokio::test]
async fn only_the_tokens_hash_is_stored() {
    let world = World::new().await;
    let browser = world.signed_in(DSL).await;
    let cookie = browser.cookie.unwrap();
    let token = cookie.strip_prefix("__Host-redshank=").unwrap();
    let stored = data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &stored);
    let hash = data_encoding::HEXUPPER.encode(hash.as_ref());
    let delete = format!("DELETE FROM sessions WHERE hex(token_sha256) <> '{hash}'").leak();
    world.scratch.vandalise(delete).await;
    let mut browser = world.browser();
    browser.cookie = Some(cookie);
    assert_eq!(browser.get("/account").await.status, 200);
}

#[tokio::test]
async fn a_role_that_waits_hears_so_and_gets_no_session() {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = browser.sign_in(DEPUTY, PASSWORD).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("waits for approval"));
    assert_eq!(browser.cookie, None);
    assert!(!browser.sign_in(DEPUTY, "wrong wrong wrong").await.body.contains("waits"));
}
