//! The rule packs against the sets that lie beside them: every category, its error rates, and that each set is what it
//! says it is.

#![expect(clippy::expect_used, reason = "the helpers of a test report by panicking too")]

use std::path::{Path, PathBuf};

use redshank_matcher::Category;
use redshank_tests::evaluation::labelled::{Expected, Set};
use redshank_tests::evaluation::packs;
use redshank_tests::evaluation::rates::{ALERT, Rates};

/// The fewest texts of each kind for a category.
const TEXTS: usize = 150;
/// The least share of the texts that must raise a category and do.
const RECALL: f64 = 0.90;
/// The least share of what raises a category and must.
const PRECISION: f64 = 0.95;

#[test]
fn every_category_has_a_set_of_what_must_be_raised_and_of_near_misses() {
    let sets = sets("en");
    for category in Category::ALL {
        let set = sets.iter().find(|set| set.name == category.as_str());
        let set = set.unwrap_or_else(|| panic!("no golden set for {category}"));
        let expected = |expected| set.examples.iter().filter(|it| it.expect == expected).count();
        let (raised, missed) = (expected(Expected::Match(*category)), expected(Expected::Nothing));
        assert!(raised >= TEXTS, "{category}: only {raised} texts that must raise it");
        assert!(missed >= TEXTS, "{category}: only {missed} near misses");
    }
}

#[test]
fn the_error_rates_of_every_category_are_within_bounds() {
    let packs = packs::read(&rules(), &["en".to_owned()]).expect("the packs are sound");
    let matcher = packs::compile(&packs).expect("the packs compile");
    let mut poor = Vec::new();
    for set in sets("en") {
        let mut rates = Rates::default();
        for example in &set.examples {
            rates.take(example, &matcher.find(&example.text, example.kind), ALERT);
        }
        let category: Category = set.name.parse().expect("a set is named after its category");
        let counted = rates.categories.get(&category).expect("the set has texts of its category");
        for (what, share, least) in
            [("recall", counted.recall, RECALL), ("precision", counted.precision, PRECISION)]
        {
            if share.rate().is_none_or(|rate| rate < least) {
                poor.push(format!("{category}: {what} is {} of {}", share.part, share.whole));
            }
        }
    }
    assert!(
        poor.is_empty(),
        "below {RECALL} recall or {PRECISION} precision:\n{}",
        poor.join("\n")
    );
}

fn sets(language: &str) -> Vec<Set> {
    Set::read_all(&rules().join("golden").join(language)).expect("the golden sets are readable")
}

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../collector/rules")
}
