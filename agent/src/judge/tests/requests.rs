//! Requests from a filter's or name server's log.

use super::*;
use crate::observation::{Request, Target};

#[test]
fn a_blocked_request_is_a_breach_if_the_school_chose_its_category_and_a_count_if_not() {
    let policy = v1::Policy {
        filter_categories: vec![v1::FilterCategory { name: "Adult Sites".into(), severity: 3 }],
        report_visits: false,
        ..policy(1)
    };
    let mut bench = Bench::of(policy);
    let breach = bench.request("adult sites", Action::Blocked).unwrap();
    assert_eq!((breach.lane, breach.severity), (Lane::Urgent, 3));
    let found = &breach.payload.matches[0];
    assert_eq!((&*found.rule, &*found.category), ("filter_breach.adult-sites", "filter_breach"));
    let Some(Seen::Request(request)) = &breach.payload.content else { panic!() };
    assert_eq!(request.action(), v1::FilterAction::Blocked);
    assert_eq!(request.category.as_deref(), Some("adult sites"));
    assert_eq!(breach.payload.evidence[0].method(), v1::AttributionMethod::AddressLease);
    assert_eq!(bench.counts(), None);

    for category in ["Health", "health", "adult sites (unrated)"] {
        assert!(bench.request(category, Action::Blocked).is_none());
    }
    assert!(bench.request("adult sites", Action::Allowed).is_none());
    let counted = bench.counts().unwrap();
    assert_eq!((counted.lane, counted.severity), (Lane::Routine, 0));
    assert_eq!(counted.payload.evidence, [], "of nobody");
    let Some(Seen::FilterCounts(counts)) = counted.payload.content else { panic!() };
    let counts: Vec<_> = counts.counts.iter().map(|it| (it.category.as_str(), it.count)).collect();
    assert_eq!(counts, [("adult sites (unrated)", 1), ("health", 2)]);
    assert_eq!(bench.counts(), None);
}

#[test]
fn of_a_request_that_the_filter_blocked_as_child_abuse_no_words_leave() {
    let chosen = v1::FilterCategory { name: "IWF".into(), severity: 5 };
    let mut bench = Bench::of(v1::Policy { filter_categories: vec![chosen], ..policy(1) });
    bench.request("news", Action::Allowed);
    let search = |request| Request { search_terms: Some("how to end it all".into()), ..request };
    let captured = bench.request_with("iwf", Action::Blocked, search).unwrap();
    let matches = &captured.payload.matches;
    let found: Vec<_> = matches.iter().map(|it| (&*it.category, &*it.snippet)).collect();
    assert_eq!(found, [("illegal_imagery", ""), ("suicide", "")]);
    assert_eq!(captured.payload.context, []);
    assert_bare(&captured);
}

#[test]
fn what_a_filter_says_of_illegal_imagery_takes_all_words_away() {
    let chosen = v1::FilterCategory { name: "adult".into(), severity: 3 };
    let mut bench = Bench::of(v1::Policy { filter_categories: vec![chosen], ..policy(1) });
    let quoting =
        |request| Request { reason: Some("banned: forbidden pictures".into()), ..request };
    let captured = bench.request_with("adult", Action::Blocked, quoting).unwrap();
    assert!(!captured.payload.encode_to_vec().windows(9).any(|it| it == b"forbidden"));
    assert_bare(&captured);
}

fn assert_bare(captured: &Captured) {
    let Some(Seen::Request(request)) = &captured.payload.content else { panic!() };
    let words = (&request.search_terms, &request.reason, &request.user_agent, &request.category);
    assert_eq!(words, (&None, &None, &None, &None));
    assert_eq!(request.address, "http://blocked.example/page");
}

impl Bench {
    fn request(&mut self, category: &str, action: Action) -> Option<Captured> {
        self.request_with(category, action, |request| request)
    }

    fn request_with(
        &mut self,
        category: &str,
        action: Action,
        with: impl FnOnce(Request) -> Request,
    ) -> Option<Captured> {
        let request = with(Request {
            target: Target::Url("http://blocked.example/page?x=1".into()),
            action,
            category: Some(category.into()),
            reason: Some("how the filter judged it".into()),
            search_terms: None,
            user_agent: Some("a tablet".into()),
            status: Some(403),
        });
        let evidence = vec![Evidence::Lease { mac: "02:00:5e:00:53:01".into() }];
        let seen = search("").observation();
        self.observe(Observation {
            source: Source::ProxyLog,
            evidence,
            content: Content::Request(request),
            ..seen
        })
    }

    fn counts(&mut self) -> Option<Captured> {
        self.judge.take_counts(&self.policy)
    }
}
