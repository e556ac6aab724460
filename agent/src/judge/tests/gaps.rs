//! What a source lost.

use super::*;
use crate::observation::Missed;

#[test]
fn what_a_source_lost_is_a_gap() {
    let captured = bench().other(Content::Missed(Missed { count: 7 })).unwrap();
    let Some(Seen::Gap(gap)) = captured.payload.content else { panic!() };
    assert_eq!((gap.reason(), gap.count), (v1::GapReason::Source, 7));
}
