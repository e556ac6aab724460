//! Programs that policy lists.

use super::*;

#[test]
fn a_listed_program_is_for_the_summary_unless_policy_raises_it() {
    let entry = |list: v1::ProgramList, name: &str, severity| v1::ProgramEntry {
        list: list.into(),
        name: name.into(),
        reason: "a test".into(),
        severity,
        ..Default::default()
    };
    let programs = vec![
        entry(v1::ProgramList::Bypass, "tor", 0),
        entry(v1::ProgramList::Denied, "game", 3),
        entry(v1::ProgramList::Denied, "meet", 3),
        entry(v1::ProgramList::Allowed, "meet", 0),
    ];
    let mut bench = Bench::of(v1::Policy { programs, ..policy(1) });
    let mut runs = |name: &str| {
        let path = Some(format!("/home/ann/{name}"));
        bench.other(Content::Program(Program { name: name.into(), path, publisher: None }))
    };
    let tor = runs("tor").unwrap();
    assert_eq!((tor.lane, tor.severity), (Lane::Routine, 0));
    let Some(Seen::Program(program)) = &tor.payload.content else { panic!() };
    assert_eq!((program.list(), program.path.as_deref()), (v1::ProgramList::Bypass, Some("~/tor")));
    let game = runs("game").unwrap();
    assert_eq!((game.severity, &*game.payload.matches[0].category), (3, "unapproved_software"));
    assert!(runs("meet").is_none() && runs("editor").is_none());
}
