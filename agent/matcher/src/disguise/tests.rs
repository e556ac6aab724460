//! What disguises are seen through, and which texts stay what they are.

use super::*;
use crate::language::Language;
use crate::phrase::{Classes, Pattern, Phrase};
use proptest::prelude::*;

#[test]
fn digits_and_marks_for_letters_are_undone() {
    for text in [
        "k1ll",
        "ki11",
        "k!ll",
        "k|ll",
        "ki!!",
        "ki££",
        "|<ill",
        "|<i11",
        "|{!||",
        "(ut",
        "<ut",
        "[ut",
        "cu+",
        "cu7",
        "$uicide",
        "$u!c!d3",
        "su1c1d3",
        "5u1<1d3",
        "suici|)e",
        "\\/\\/ant",
        "vvant",
        "w4nt",
        "w@n+",
        "phuck",
        "6un5",
        "9un5",
        "8om8",
        "2oo",
        "d1e",
        "k1lllll",
        "$uuuicide",
    ] {
        assert_undone(text);
    }
}

#[test]
fn letters_that_stand_apart_are_put_together() {
    for text in [
        "k i l l",
        "k  i  l  l",
        "k.i.l.l",
        "k-i-l-l",
        "k_i_l_l",
        "k*i*l*l",
        "k/i/l/l",
        "k . i . l . l",
        "k - i - l - l",
        "k. i.l .l",
        "k.i-l_l",
        "k💔i💔l💔l",
        "k 💔 i 💔 l 💔 l",
        "k❤️i👨‍👩‍👧l👍🏽l",
        "k 1 l l",
        "su-icide",
        "su.ic.ide",
        "kil-l",
        "ki💔ll",
        "s u i c i d e",
        "🇰🇮🇱🇱",
        "k🇮ll",
    ] {
        assert_undone(text);
    }
}

#[test]
fn stretched_and_censored_letters_are_seen_through() {
    for text in
        ["killlll", "kiiilll", "kkkkill", "kkiillll", "k*ll", "su*cide", "s**cide", "k#ll", "k_ll"]
    {
        assert_undone(text);
    }
    // It may be either.
    assert!(unmasked("g*ns").is_none());
    assert!(unmasked("c*t").is_none(), "too short to tell");
}

#[test]
fn ordinary_texts_stay_what_they_are() {
    for text in [
        "kill",
        "self-report",
        "4x4",
        "b12",
        "a b c",
        "i o u",
        "co-op",
        "re-cover",
        "www.example.org",
        "https://www.example.org/a-b/c?d=1",
        "someone@example.org",
        "100%",
        "12:30",
        "£4.99",
        "$5",
        "10/12/2024",
        "h2o",
        "c6h12o6",
        "ch3cooh",
        "mp3",
        "ps5",
        "u2",
        "r2d2",
        "x = a + b * c;",
        "for (i = 0; i < n; i++) {",
        "if (a[i] != b[j]) return;",
        "r.e.s.p.e.c.t",
        "y m c a",
        "1 2 3 4 5",
        "0 7 7 0 0 9 0",
        "so happy 😀😀😀",
        "love 💔 you 🙂",
        "🇬🇧 england 🇬🇧",
        "(^_^)",
        "¯\\_(ツ)_/¯",
        "<3",
        "o.o",
        "xd",
        "===>",
        "|--|--|",
        "f(x) = 3x + 2",
        "e.g. this, i.e. that",
        "7 a.m.",
        "u.s.a.",
        "a* search",
        "skill",
        "s k i l l e d",
        "c u t e",
        "d i e t",
        "w a n t e d",
    ] {
        let shown = unmasked(text).map(|it| said(&it.hits));
        let undone = shown.unwrap_or_default();
        assert!(undone.is_empty(), "{text}: {undone:?}");
    }
}

#[test]
fn letters_of_a_whole_text_fall_into_words() {
    for text in [
        "i w a n t t o d i e",
        "i   w a n t   t o   d i e",
        "i.w.a.n.t.t.o.d.i.e",
        "i💔w💔a💔n💔t💔t💔o💔d💔i💔e",
        "1 w4n7 70 d13",
        "! w@n+ +0 d!3",
    ] {
        let view = unmasked(text).unwrap_or_else(|| panic!("{text} is not seen through")).hits;
        assert_eq!(view.len(), 4, "{text}");
        assert!((1..4).all(|token| !view.ids(token).is_empty()), "{text}");
    }
    let view = unmasked("i w a n t t o d i e t").expect("wanting is known").hits;
    assert!(view.ids(3).is_empty(), "a diet is no death");
}

#[test]
fn slips_count_in_own_writing_only() {
    let slip = |text: &str, own: bool| undone(text, own).map(|it| said(&it.hits));
    assert_eq!(slip("sucide", true), Some(vec![("sucide".to_owned(), Spelling::Slip)]));
    assert_eq!(slip("sucide", false), None);
    assert_eq!(slip("skill", true), None, "an ordinary word");
}

#[test]
fn a_doubtful_reading_is_context_only() {
    let unmasked = unmasked("7o").expect("read");
    assert!(unmasked.hits.ids(0).is_empty());
    assert_eq!(unmasked.context.ids(0).len(), 1);
}

#[test]
fn a_mark_after_a_beginning_is_no_letter_of_it() {
    let mut vocabulary = Vocabulary::default();
    for (word, prefix) in [("friends", false), ("friend", true)] {
        vocabulary.intern(&Pattern { word: word.into(), prefix });
    }
    let disguises = Disguises::of(&vocabulary, Slips::default());
    let mut both = Vec::new();
    vocabulary.ids("friends", &mut both);
    both.sort_unstable();
    for text in ["fr1ends!", "fr1ends!!", "fr1end$"] {
        let words = Words::of(text);
        let plain = View::plain(&words, &vocabulary);
        let (unmasked, _) = disguises.unmask(text, &words, &plain, &vocabulary, true);
        assert_eq!(unmasked.map(|it| it.hits.ids(0).to_vec()), Some(both.clone()), "{text}");
    }
}

#[test]
fn effort_is_bounded() {
    for text in ["k.1", "a ", "4$!", "k*", "|\\/|", "kk11", "💔k"] {
        let text = text.repeat(20_000);
        let views = undone(&text, true);
        assert!(views.is_none_or(|it| it.hits.len() == it.context.len()));
    }
}

proptest! {
    #[test]
    fn both_views_have_the_same_tokens_in_order(text in "([a-l0-9 .!|(*💔]|ki|ll|\\PC){0,60}") {
        if let Some(unmasked) = undone(&text, true) {
            prop_assert_eq!(unmasked.hits.len(), unmasked.context.len());
            let mut last = 0;
            for (hit, context) in unmasked.hits.tokens().iter().zip(unmasked.context.tokens()) {
                prop_assert_eq!((hit.start, hit.end), (context.start, context.end));
                prop_assert!(text.get(hit.start as usize..hit.end as usize).is_some());
                prop_assert!(hit.start >= last && hit.start < hit.end);
                last = hit.start;
            }
        }
    }

    #[test]
    fn a_hard_separator_parts_disguises(left in "[a-l0-9 .!|(*]{0,20}", right in "[a-l0-9 .!|(*]{0,20}") {
        let parts = [&left, &right].map(|part| undone(part, true).map(|it| said(&it.hits)));
        let both = undone(&format!("{left}\n\n{right}"), true).map(|it| said(&it.hits));
        let parts: Vec<_> = parts.into_iter().flatten().flatten().collect();
        prop_assert_eq!(both.unwrap_or_default(), parts);
    }
}

fn assert_undone(text: &str) {
    let unmasked = unmasked(text).unwrap_or_else(|| panic!("{text} is not seen through"));
    let view = unmasked.hits;
    assert_eq!(view.len(), 1, "{text}: {:?}", view.tokens());
    assert!(!view.ids(0).is_empty(), "{text}");
    assert_eq!(view.tokens()[0].spelling, Spelling::Disguised, "{text}");
}

/// Gives the tokens that were undone to words of the packs.
fn said(view: &View<'_>) -> Vec<(String, Spelling)> {
    let tokens = view.tokens().iter().enumerate();
    let undone =
        tokens.filter(|(at, it)| it.spelling != Spelling::Plain && !view.ids(*at).is_empty());
    undone
        .map(|(_, token)| {
            (
                TEXT.with_borrow(|text| text[token.start as usize..token.end as usize].to_owned()),
                token.spelling,
            )
        })
        .collect()
}

thread_local! {
    /// The text that was read last, for messages.
    static TEXT: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

fn unmasked(text: &str) -> Option<Unmasked> {
    undone(text, true)
}

fn undone(text: &str, own_writing: bool) -> Option<Unmasked> {
    TEXT.with_borrow_mut(|last| text.clone_into(last));
    let known = "i kill suicide want to die cut fuck guns gins bomb zoo";
    let mut vocabulary = Vocabulary::default();
    for word in known.split(' ') {
        vocabulary.intern(&Pattern { word: word.into(), prefix: false });
    }
    let phrase = Phrase::parse("suicide kill", &Classes::new(Language::English)).unwrap();
    let disguises = Disguises::of(&vocabulary, Slips::of([&phrase].into_iter()));
    let words = Words::of(text);
    let plain = View::plain(&words, &vocabulary);
    disguises.unmask(text, &words, &plain, &vocabulary, own_writing).0
}
