//! Removable media.

use super::*;

#[test]
fn a_medium_is_for_the_summary_unless_policy_raises_it() {
    for (media, severity) in [
        (None, 0),
        (Some(v1::MediaPolicy { allowed: false, severity: 0 }), 0),
        (Some(v1::MediaPolicy { allowed: true, severity: 3 }), 0),
        (Some(v1::MediaPolicy { allowed: false, severity: 3 }), 3),
    ] {
        let mut bench = Bench::of(v1::Policy { media, ..policy(1) });
        let stick = Medium { change: MediumChange::Inserted, name: "STICK".into(), bytes: 8 };
        let captured = bench.other(Content::Medium(stick.clone())).unwrap();
        assert_eq!(captured.severity, severity);
        let gone = Medium { change: MediumChange::Removed, ..stick };
        assert_eq!(bench.other(Content::Medium(gone)).unwrap().severity, 0);
    }
}
