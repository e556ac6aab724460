//! Who sees what, and what people can do with an alert.

use redshank_proto::id::{AlertId, ReaderId, UserId};

use super::*;
use crate::store::audit::Action;
use crate::store::{Edit, Role, Scope};
use crate::triage::scene::{Scene, worrying};

#[tokio::test]
async fn nobody_but_the_viewers_finds_any_trace_of_an_alert() {
    let (scene, alert) = with_alert().await;
    let elsewhere = scene.other_school("Hill Top").await;
    let theirs = scene.user(elsewhere, "Ann Other", Role::Dsl).await;
    let technician = scene.user(scene.school, "Tess Tech", Role::Technician).await;
    let late = newcomer(&scene, "Lee Late").await;
    let strangers = [
        (Scope::user(theirs, Role::Dsl, elsewhere), "no such alert"),
        // A scope that lies about its school gains nothing: the list is of persons.
        (Scope::user(theirs, Role::Dsl, scene.school), "no such alert"),
        (Scope::user(scene.dsl, Role::Dsl, elsewhere), "no such alert"),
        (scene.scope(late), "no such alert"),
        (Scope::user(technician, Role::Technician, scene.school), "out of scope"),
        (Scope::user(scene.dsl, Role::Technician, scene.school), "out of scope"),
        (Scope::command_line(), "out of scope"),
        (
            Scope::reader(ReaderId::draw(&redshank_proto::clock::System), vec![scene.school]),
            "out of scope",
        ),
    ];
    for (scope, refusal) in strangers {
        let store = &scene.scratch.store;
        let queue = store.read(&scope, |view| view.queue(QueueFilter::Active)).await;
        assert!(queue.is_err() || queue.unwrap().is_empty(), "{scope:?}");
        for id in [alert, AlertId::from_bytes([9; 16])] {
            let read = store.read(&scope, move |view| view.alert(id).map(|_| ())).await;
            assert_eq!(read.unwrap_err().to_string(), refusal, "{scope:?}");
            type Deed = fn(&Edit<'_>, AlertId) -> Result<(), StoreError>;
            let deeds: [Deed; 3] =
                [view, acknowledge, |edit, id| edit.close_alert(id, Disposition::NoConcern, "x")];
            for deed in deeds {
                let done = store.write(&scope, move |edit| deed(edit, id)).await;
                assert_eq!(done.unwrap_err().to_string(), refusal, "{scope:?}");
            }
        }
    }
    assert_eq!(actions(&scene).await, 0);
}

#[tokio::test]
async fn an_alert_is_taken_up_once_and_closed_once_with_a_reason() {
    let (scene, alert) = with_alert().await;
    let scope = scene.scope(scene.dsl);
    let write = |deed: fn(&Edit<'_>, AlertId) -> Result<(), StoreError>| {
        let store = scene.scratch.store.clone();
        let scope = scope.clone();
        async move { store.write(&scope, move |edit| deed(edit, alert)).await }
    };
    write(view).await.unwrap();
    write(acknowledge).await.unwrap();
    write(acknowledge).await.unwrap();
    for reason in ["", "   "] {
        let deed = scene
            .scratch
            .store
            .write(&scope, move |edit| edit.close_alert(alert, Disposition::FalsePositive, reason));
        assert!(matches!(deed.await, Err(StoreError::Conflict(_))));
    }
    let long = write(|edit, alert| {
        edit.close_alert(alert, Disposition::FalsePositive, &"x".repeat(REASON_BYTES + 1))
    });
    assert!(matches!(long.await, Err(StoreError::Conflict(_))));
    let close: fn(&Edit<'_>, AlertId) -> _ =
        |edit, alert| edit.close_alert(alert, Disposition::FalsePositive, "a song's words");
    write(close).await.unwrap();
    assert!(matches!(write(close).await, Err(StoreError::Conflict(_))));
    let again = write(acknowledge).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));

    let read = scene.scratch.store.read(&scope, move |view| view.alert(alert)).await;
    let detail = read.unwrap();
    assert_eq!(detail.row.status, AlertStatus::Closed);
    assert_eq!(detail.acknowledged.unwrap().1, "Jane Smith");
    let closing = detail.closed.unwrap();
    assert_eq!(closing.disposition, Disposition::FalsePositive);
    assert_eq!((closing.name.as_str(), closing.reason.as_str()), ("Jane Smith", "a song's words"));
    assert_eq!(detail.events.len(), 1, "the closing reason is no event");
    assert_eq!(scene.queue(scene.dsl).await, []);
    assert_eq!(actions(&scene).await, 3);
}

#[tokio::test]
async fn somebody_approved_later_sees_what_is_open_but_not_what_is_about_them() {
    let (scene, alert) = with_alert().await;
    let mut laptop = scene.device(scene.school).await;
    let mut about_lee = worrying("abuse_disclosure", 4);
    about_lee.matches[0].snippet = "miss late hits me".to_owned();
    scene.send(&mut laptop, &about_lee).await;
    scene.triage().await;
    assert_eq!(scene.queue(scene.dsl).await.len(), 2);

    let lee = newcomer(&scene, "Lee Late").await;
    let grant = |scope: Scope| {
        let store = scene.scratch.store.clone();
        async move { store.write(&scope, move |edit| edit.grant_open_alerts(lee)).await }
    };
    let technician = scene.user(scene.school, "Tess Tech", Role::Technician).await;
    let refused = grant(Scope::user(technician, Role::Technician, scene.school)).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope)));
    assert_eq!(grant(scene.scope(scene.dsl)).await.unwrap(), 1);
    assert_eq!(scene.alert(lee).await.alert, alert);
}

#[test]
fn every_name_comes_back() {
    for disposition in Disposition::ALL {
        assert_eq!(Disposition::parse(disposition.as_str()), Some(disposition));
    }
    assert_eq!(Disposition::parse("other"), None);
    assert_eq!(Basis::SignedIn.weaker(Basis::ProxyUser), Basis::ProxyUser);
    assert_eq!(Basis::Unknown.weaker(Basis::SignedIn), Basis::Unknown);
}

fn view(edit: &Edit<'_>, alert: AlertId) -> Result<(), StoreError> {
    edit.view_alert(alert)
}

fn acknowledge(edit: &Edit<'_>, alert: AlertId) -> Result<(), StoreError> {
    edit.acknowledge_alert(alert)
}

async fn with_alert() -> (Scene, AlertId) {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    scene.send(&mut laptop, &worrying("suicide", 5)).await;
    scene.triage().await;
    let alert = scene.alert(scene.dsl).await.alert;
    (scene, alert)
}

/// Somebody whose role opens content and who has been granted no alert yet.
async fn newcomer(scene: &Scene, name: &'static str) -> UserId {
    let user = scene.user(scene.school, name, Role::Dsl).await;
    scene
        .scratch
        .vandalise(Box::leak(
            format!(
                "DELETE FROM alert_viewers WHERE user = x'{}'",
                data_encoding::HEXLOWER.encode(user.as_bytes())
            )
            .into_boxed_str(),
        ))
        .await;
    user
}

/// How often alerts were viewed, taken up or closed, by the audit trail.
async fn actions(scene: &Scene) -> usize {
    let school = scene.school;
    let scope = scene.scope(scene.dsl);
    let read = scene.scratch.store.read(&scope, move |view| view.audit_entries(school, 1_000));
    let deeds = [Action::AlertViewed, Action::AlertAcknowledged, Action::AlertClosed];
    let entries = read.await.unwrap();
    entries.iter().filter(|entry| deeds.iter().any(|deed| deed.as_str() == entry.action)).count()
}
