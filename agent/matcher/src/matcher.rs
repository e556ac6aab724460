//! The matcher: packs compiled once, texts searched many times.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use crate::blur::Blur;
use crate::category::{Category, Place, Setting, Severity};
use crate::diagnostic::Diagnostic;
use crate::disguise::{Disguises, Slips, Unmasked};
use crate::host::HostSet;
use crate::judgement::{self, Persons, Rule, Scene, Verdict};
use crate::kept::Kept;
use crate::language::Language;
use crate::lexicon::{Lexicon, Purpose};
use crate::pack::{self, Pack};
use crate::phrase::MAX_SPAN;
use crate::phrase_set::{Growing, PhraseSet};
use crate::scan::{Scan, scan};
use crate::signs::{self, Signs, Weight};
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::unmasking::Unmasking;
use crate::view::{Same, Spelling, View};
use crate::vocabulary::Vocabulary;
use crate::words::Words;

/// The most of a text that is read, in bytes: a long page, and about 10 MiB of working memory.
pub const MAX_TEXT: usize = 256 * 1024;
/// The most matches of one rule that are kept, the gravest ones: more say nothing new.
pub const MAX_PER_RULE: usize = 8;

/// Compiled rule packs. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Matcher(Arc<Compiled>);

#[derive(Debug, Default)]
struct Compiled {
    vocabulary: Vocabulary,
    lexicon: Lexicon,
    blur: Blur,
    disguises: Disguises,
    rules: Vec<Rule>,
    phrases: PhraseSet,
    /// The owner of each phrase.
    owners: Vec<Owner>,
    signs: Signs,
    hosts: HostSet,
}

impl Compiled {
    /// Lays the words out for looking up those of a text.
    fn with_tables(mut self, slips: Slips) -> Self {
        let Self { phrases, owners, rules, .. } = &self;
        let looks_at_pages = |phrase: usize| {
            let rule = owners.get(phrase).and_then(|owner| rules.get(owner.rule));
            rule.is_some_and(|rule| rule.looks_at(Place::PageText))
        };
        let wakes = |id, purpose| {
            phrases.hanging_on(id).any(|it| purpose == Purpose::All || looks_at_pages(it))
        };
        self.lexicon = Lexicon::of(&self.vocabulary, wakes);
        self.blur = Blur::of(&self.vocabulary);
        self.disguises = Disguises::of(&self.vocabulary, slips);
        self
    }
}

/// Whose phrase a hit is of.
#[derive(Debug)]
struct Owner {
    rule: usize,
    /// How many words of a hit a negation may stand among.
    opening: usize,
}

/// One stretch of a text that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The id of the rule.
    pub rule: Arc<str>,
    /// What the rule watches for.
    pub category: Category,
    /// How grave the match is, after everything that raised or lowered it.
    pub severity: Severity,
    /// Where the stretch begins, in bytes of the original text, on a character bound.
    pub start: usize,
    /// Where it ends, in bytes of the original text, on a character bound; never before `start`.
    pub end: usize,
    /// Why it has this severity, in words for people; empty if the rule alone says it.
    pub reasons: Vec<String>,
}

/// A hit that its rule's conditions let stand, for whoever decides whether it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// What its rule watches for.
    pub category: Category,
    /// How grave it is.
    pub severity: Severity,
    /// Where it begins, in bytes of the original text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A phrase that stands in a text, before any condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Where it begins, in bytes of the original text, on a character bound.
    pub start: usize,
    /// Where it ends, in bytes of the original text, on a character bound.
    pub end: usize,
    /// The number of the phrase, counted over all packs in the order they were compiled.
    pub phrase: usize,
    /// Whether it stands there only once disguises are undone.
    pub disguised: bool,
}

/// What a text holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The matches in the order they stand.
    pub matches: Vec<Match>,
    /// The byte at which reading stopped, if the text is longer than [`MAX_TEXT`].
    pub cut_at: Option<usize>,
}

impl Findings {
    /// Gives the greatest severity of the matches, 0 if there are none.
    #[must_use]
    pub fn severity(&self) -> u8 {
        self.matches.iter().map(|found| found.severity.get()).max().unwrap_or_default()
    }
}

impl Matcher {
    /// Compiles packs of any languages into one matcher. No packs make a matcher that finds
    /// nothing.
    ///
    /// # Errors
    /// Gives every rule id that two packs use.
    pub fn compile(packs: &[Pack]) -> Result<Self, Vec<Diagnostic>> {
        let wrong = repeated_ids(packs);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut compiled = Compiled::default();
        let (mut phrases, mut signs) = (Growing::default(), signs::Growing::default());
        let mut languages: Vec<(Language, Arc<Persons>)> = Vec::new();
        for pack in packs {
            let known = languages.iter().find(|(language, _)| *language == pack.language);
            let persons = known.map(|(_, persons)| Arc::clone(persons)).unwrap_or_else(|| {
                let persons = Arc::new(Persons::of(pack.language, &mut compiled.vocabulary));
                languages.push((pack.language, Arc::clone(&persons)));
                persons
            });
            for rule in &pack.rules {
                for phrase in &rule.phrases {
                    phrases.add(phrase, pack.language, &mut compiled.vocabulary);
                    let opening = judgement::opening(phrase, pack.language);
                    compiled.owners.push(Owner { rule: compiled.rules.len(), opening });
                }
                let (number, vocabulary) = (compiled.rules.len(), &mut compiled.vocabulary);
                for sign in &rule.signs {
                    let weight = Weight::of(number, sign.points, rule.balanced);
                    signs.add(weight, &sign.phrase, pack.language, vocabulary);
                }
                for host in &rule.hosts {
                    compiled.hosts.add(&host.value, compiled.rules.len());
                }
                let rule = Rule::of(pack, rule, &persons, &mut compiled.vocabulary);
                compiled.rules.push(rule);
            }
        }
        compiled.phrases = phrases.finish();
        compiled.signs = signs.finish();
        compiled.vocabulary.forget_shared();
        let misspelt = packs.iter().flat_map(|pack| &pack.rules).filter(|rule| rule.misspelt);
        let slips = Slips::of(misspelt.flat_map(pack::Rule::every_phrase));
        Ok(Self(Arc::new(compiled.with_tables(slips))))
    }

    /// Gives the compiled packs as bytes, which [`Matcher::from_bytes`] of the same build of this
    /// engine reads many times faster than packs are compiled.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Compiled { vocabulary, lexicon: _, blur: _, disguises, rules, .. } = &*self.0;
        let Compiled { phrases, owners, signs, hosts, .. } = &*self.0;
        let mut out = Writer::default();
        vocabulary.write(&mut out);
        out.list(rules, |out, rule| rule.write(out));
        phrases.write(&mut out);
        out.list(owners, |out, Owner { rule, opening }| {
            out.size(*rule);
            out.size(*opening);
        });
        signs.write(&mut out);
        hosts.write(&mut out);
        disguises.slips().write(&mut out);
        out.finish()
    }

    /// Reads what [`Matcher::to_bytes`] gave.
    ///
    /// # Errors
    /// Gives whether another build wrote the bytes or they are damaged. What can be read finds in
    /// linear time, whoever wrote it; whether it is what these packs say, only its place can vouch for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader::of(bytes)?;
        let vocabulary = Vocabulary::read(&mut from)?;
        let rules = from.list(Rule::read)?;
        let phrases = PhraseSet::read(&mut from)?;
        let owners = from.list(|from| {
            let rule = from.size(rules.len())?;
            ensure(rule < rules.len())?;
            Ok(Owner { rule, opening: from.size(MAX_SPAN)? })
        })?;
        ensure(owners.len() == phrases.len())?;
        let signs = Signs::read(&mut from, rules.len())?;
        let hosts = HostSet::read(&mut from, rules.len())?;
        let slips = Slips::read(&mut from)?;
        from.finish()?;
        let read =
            Compiled { vocabulary, rules, phrases, owners, signs, hosts, ..Compiled::default() };
        Ok(Self(Arc::new(read.with_tables(slips))))
    }

    /// Finds what the rules are about in a text seen at `place`, of a pupil of unknown age; linear
    /// in the text's length.
    #[must_use]
    pub fn find(&self, text: &str, place: Place) -> Findings {
        self.find_in(text, place.into())
    }

    /// Finds what the rules are about in a text, with what is known of its setting; linear in the
    /// text's length.
    #[must_use]
    pub fn find_in(&self, text: &str, setting: Setting) -> Findings {
        self.find_counted(text, setting, &|_| true)
    }

    /// As [`Matcher::find_in`], of those hits alone that `counts` lets count. It is asked before
    /// hits of a rule are folded and bounded, so that what does not count hides nothing that does.
    #[must_use]
    pub fn find_counted(
        &self,
        text: &str,
        setting: Setting,
        counts: &dyn Fn(Candidate) -> bool,
    ) -> Findings {
        let read = read(text);
        let mut kept = Kept::of(counts);
        self.find_all(Scene { text: read, setting }, &mut kept);
        Findings {
            matches: kept.into_matches(&self.0.rules),
            cut_at: (read.len() < text.len()).then_some(read.len()),
        }
    }

    /// Gives every phrase of every rule that stands in a text, those disguises undone that are seen
    /// at a glance in pages, whatever the conditions of the rule say, in the order they stand. The
    /// hits of texts joined by [`PART_SEPARATOR`](crate::PART_SEPARATOR) are the hits of each of them.
    #[must_use]
    pub fn hits(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let text = read(text);
        self.search(
            text,
            &scan(text, &self.0.lexicon, Purpose::All),
            true,
            |view, phrase, span| {
                let Some((start, end)) = view.bytes(&span) else { return };
                let disguised = view.is_disguised(&span);
                hits.push(Hit { phrase, start, end, disguised });
            },
        );
        hits.sort_unstable();
        hits
    }

    /// Gives how many looks at a word or a phrase it takes to find what [`Matcher::find`] does: a
    /// measure of time that is the same on every machine.
    #[must_use]
    pub fn effort(&self, text: &str, place: Place) -> u64 {
        let mut kept = Kept::of(&|_| true);
        self.find_all(Scene { text: read(text), setting: place.into() }, &mut kept)
    }

    /// Gives why a rule exists, in its editors' words.
    #[must_use]
    pub fn note(&self, rule: &str) -> Option<&str> {
        self.0.rules.iter().find(|known| &*known.id == rule).map(|known| known.note.as_str())
    }

    /// Gives the number of rules.
    #[must_use]
    pub fn rule_count(&self) -> usize {
        self.0.rules.len()
    }

    /// Keeps every match of a text. Gives the number of looks that took.
    fn find_all(&self, scene: Scene<'_>, kept: &mut Kept<'_>) -> u64 {
        let place = scene.setting.place;
        let purpose = if place == Place::PageText { Purpose::Pages } else { Purpose::All };
        let scan = scan(scene.text, &self.0.lexicon, purpose);
        if place == Place::Host {
            self.search_hosts(&scan.view, scene, kept);
        }
        if place.is_short_prose() {
            let waking = scan.waking.iter().map(|token| *token as usize);
            return self.find_closely(&scan.view, waking, scene, kept);
        }
        let steps = self.search(scene.text, &scan, place.is_prose(), |view, phrase, span| {
            self.judge(phrase, view, &span, scene, kept, |rule, opening| {
                rule.judge(view, &span, opening, scene)
            });
        });
        steps + scan.view.steps()
    }

    /// Gives `hit` every phrase that stands in a text: as it stands first, then those that are
    /// new with the disguises undone that are seen at a glance. Gives the number of looks that the
    /// latter took.
    fn search(
        &self,
        text: &str,
        scan: &Scan<'_>,
        unmask: bool,
        mut hit: impl FnMut(&View<'_>, usize, Range<usize>),
    ) -> u64 {
        for token in &scan.waking {
            let view = &scan.view;
            self.0.phrases.at(view, *token as usize, |phrase, span| hit(view, phrase, span));
        }
        let Compiled { vocabulary, blur, phrases, .. } = &*self.0;
        let unmasking = Unmasking { text, scan, blur, vocabulary, phrases };
        let stretches = if unmask { unmasking.stretches() } else { Vec::new() };
        for stretch in &stretches {
            for token in 0..stretch.len() {
                self.0.phrases.at(stretch, token, |phrase, span| {
                    if stretch.is_disguised(&span) {
                        hit(stretch, phrase, span);
                    }
                });
            }
        }
        stretches.iter().map(View::steps).sum()
    }

    /// Keeps every match of a short text, all disguises undone, and in what a pupil wrote slips
    /// too. `waking` are the tokens of the plain view that wake a phrase. Gives the number of looks
    /// that took.
    fn find_closely(
        &self,
        plain: &View<'_>,
        waking: impl Iterator<Item = usize>,
        scene: Scene<'_>,
        kept: &mut Kept<'_>,
    ) -> u64 {
        let own = scene.setting.place.is_own_writing();
        let words = Words::of(scene.text);
        let Compiled { disguises, vocabulary, phrases, .. } = &*self.0;
        let (unmasked, effort) = disguises.unmask(scene.text, &words, plain, vocabulary, own);
        let judge_plain = |rule: &Rule, span: &Range<usize>, opening| {
            judge_plain(rule, (plain, span), unmasked.as_ref(), opening, scene)
        };
        for token in waking {
            phrases.at(plain, token, |phrase, span| {
                self.judge(phrase, plain, &span, scene, kept, |rule, opening| {
                    judge_plain(rule, &span, opening)
                });
            });
        }
        let Some(Unmasked { hits, context }) = &unmasked else {
            self.weigh((plain, plain), scene, kept);
            return plain.steps() + effort;
        };
        self.weigh((hits, context), scene, kept);
        for token in hits.beside_undone(phrases.longest()) {
            phrases.at(hits, token, |phrase, span| {
                self.judge(phrase, hits, &span, scene, kept, |rule, opening| {
                    let sees = rule.sees(hits.spelling(&span));
                    sees.then(|| rule.judge(context, &span, opening, scene)).flatten()
                });
            });
        }
        plain.steps() + effort + hits.steps() + context.steps()
    }

    /// Keeps a hit as grave as its rule says, unless it can change nothing.
    fn judge(
        &self,
        phrase: usize,
        view: &View<'_>,
        span: &Range<usize>,
        scene: Scene<'_>,
        kept: &mut Kept<'_>,
        verdict: impl FnOnce(&Rule, usize) -> Option<Verdict>,
    ) {
        let Some(owner) = self.0.owners.get(phrase) else { return };
        let Some(rule) = self.0.rules.get(owner.rule) else { return };
        if rule.looks_at(scene.setting.place)
            && !kept.is_settled(owner.rule, rule.gravest(), view, span)
            && let Some(verdict) = verdict(rule, owner.opening)
        {
            kept.keep((owner.rule, rule.category), (view, span), view.spelling(span), verdict);
        }
    }

    /// Keeps the stretches of a pupil's own writing whose signs come to enough, as grave as their
    /// rules say. Signs are looked for in one view, conditions judged in the other.
    fn weigh(
        &self,
        (view, context): (&View<'_>, &View<'_>),
        scene: Scene<'_>,
        kept: &mut Kept<'_>,
    ) {
        if !scene.setting.place.is_own_writing() {
            return;
        }
        let rules = &self.0.rules;
        let counts = |spelling: Spelling| spelling != Spelling::Slip;
        for weighed in self.0.signs.weigh((view, context), counts) {
            let Some(rule) = rules.get(weighed.rule) else { continue };
            if rule.is_enough(weighed.points)
                && rule.looks_at(scene.setting.place)
                && let Some(mut verdict) = rule.judge(context, &weighed.span, 0, scene)
            {
                verdict.reasons.push("several signs together".to_owned());
                let stretch = (view, &weighed.span);
                kept.keep((weighed.rule, rule.category), stretch, weighed.spelling, verdict);
            }
        }
    }

    /// Judges the listed hosts that a host is or lies below.
    fn search_hosts(&self, view: &View<'_>, scene: Scene<'_>, kept: &mut Kept<'_>) {
        self.0.hosts.at(scene.text, |number, bytes| {
            let first = view.tokens().partition_point(|it| (it.start as usize) < bytes.start);
            let span = first..view.len();
            let Some(rule) = self.0.rules.get(number) else { return };
            if let Some(verdict) = rule.judge(view, &span, 0, scene) {
                kept.keep((number, rule.category), (view, &span), Spelling::Plain, verdict);
            }
        });
    }
}

/// Judges a hit in the plain view: in the surroundings that the unmasked one shows, if there is
/// one, so that a harmless context counts in disguise too ("beat me 1n ch3ss").
fn judge_plain(
    rule: &Rule,
    (view, span): (&View<'_>, &Range<usize>),
    unmasked: Option<&Unmasked>,
    opening: usize,
    scene: Scene<'_>,
) -> Option<Verdict> {
    let Some(Unmasked { context, .. }) = unmasked else {
        return rule.judge(view, span, opening, scene);
    };
    match context.same(view, span) {
        Same::Fragment => None,
        Same::Tokens(span) => rule.judge(context, &span, opening, scene),
        Same::Other => rule.judge(view, span, opening, scene),
    }
}

/// Gives what is read of a text.
pub(crate) fn read(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default()
}

fn repeated_ids(packs: &[Pack]) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for pack in packs {
        for rule in &pack.rules {
            let id = rule.id.value.as_str();
            if !seen.insert(id) {
                wrong.push(pack.diagnostic(
                    rule.id.at,
                    id,
                    "id is used by another pack".to_owned(),
                    "give each rule its own id",
                ));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::vocabulary::WordId;
    use crate::words::Words;

    static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::compile(&shipped()).unwrap());

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn a_text_is_scanned_into_the_words_it_has(text in texts()) {
            let compiled = &MATCHER.0;
            let words = Words::of(&text);
            let expected = View::plain(&words, &compiled.vocabulary);
            let scan = scan(&text, &compiled.lexicon, Purpose::All);
            prop_assert_eq!(tokens(&scan.view), tokens(&expected));
            let waking = |token: &usize| {
                expected.ids(*token).iter().any(|id| compiled.phrases.hanging_on(*id).next().is_some())
            };
            let waking: Vec<usize> = (0..expected.len()).filter(waking).collect();
            let all = 0..expected.len();
            for (at, whole) in all.map(|token| (token, &expected)) {
                prop_assert_eq!(scan.view.begins_text(at), whole.begins_text(at));
            }
            prop_assert_eq!(scan.waking.iter().map(|it| *it as usize).collect::<Vec<_>>(), waking);
        }

        #[test]
        fn what_is_found_is_what_reading_all_twice_finds(
            text in texts(),
            place in prop::sample::select(Place::ALL.to_vec()),
        ) {
            prop_assert_eq!(MATCHER.find(&text, place), find_slowly(&MATCHER, &text, place));
        }
    }

    /// Finds by the words of the whole text, every token of them, with the disguises undone that
    /// its place asks for.
    fn find_slowly(matcher: &Matcher, text: &str, place: Place) -> Findings {
        let compiled = &matcher.0;
        let words = Words::of(text);
        let plain = View::plain(&words, &compiled.vocabulary);
        let scene = Scene { text, setting: place.into() };
        let mut kept = Kept::of(&|_| true);
        if place == Place::Host {
            matcher.search_hosts(&plain, scene, &mut kept);
        }
        if place.is_short_prose() {
            matcher.find_closely(&plain, 0..plain.len(), scene, &mut kept);
        } else {
            let unmasked = crate::glance::unmask(&words, &plain, &compiled.vocabulary);
            let unmasked = unmasked.filter(|_| place.is_prose());
            for (view, whole) in [(Some(&plain), true), (unmasked.as_ref(), false)] {
                let Some(view) = view else { continue };
                for token in 0..view.len() {
                    compiled.phrases.at(view, token, |phrase, span| {
                        if whole || view.is_disguised(&span) {
                            matcher.judge(
                                phrase,
                                view,
                                &span,
                                scene,
                                &mut kept,
                                |rule, opening| rule.judge(view, &span, opening, scene),
                            );
                        }
                    });
                }
            }
        }
        Findings { matches: kept.into_matches(&compiled.rules), cut_at: None }
    }

    fn tokens(view: &View<'_>) -> Vec<(u32, u32, bool, Vec<WordId>)> {
        let all = view.tokens().iter().enumerate();
        all.map(|(index, it)| (it.start, it.end, it.sentence, view.ids(index).to_vec())).collect()
    }

    /// Texts of the packs' own words and of whatever makes cutting hard, long enough for several
    /// blocks and several stretches.
    fn texts() -> impl Strategy<Value = String> {
        let vocabulary = &MATCHER.0.vocabulary;
        let words = vocabulary.exact_words().chain(vocabulary.beginnings());
        let mut words: Vec<String> = words.map(str::to_owned).collect();
        words.sort_unstable();
        let hard = [
            " ",
            " ",
            " ",
            " ",
            " ",
            " ",
            " ",
            "-",
            ".",
            ". ",
            "\n",
            "\n\n",
            "'",
            "’",
            "`",
            "…",
            "\u{200B}",
            "\u{301}",
            "½",
            "⒈",
            "ﬁ",
            "$",
            "\u{1E}",
            "@",
            "!",
            "| ",
            "€",
            "1",
            "0",
            "w00t",
            "кіll",
            "k1ll",
            "k.i.l.l",
            "k i l l",
            "kiiill",
            "myself",
            "how to kill myself",
            "su-icide",
            "é",
            "\u{A0}",
            "\u{2028}",
            "\u{FDFA}",
            "self-harm",
            "e-mail",
            "x",
            "a",
            "i",
            "\r\n",
            "\t \n",
            "i want to die",
            "suicide squad",
            "painless ways to die",
            "b12",
            "www.example.org",
            "The ordinary words of an ordinary page, with nothing in them. ",
        ];
        let part = prop_oneof![
            4 => prop::sample::select(words).prop_map(|word| format!("{word} ")),
            4 => prop::sample::select(hard.to_vec()).prop_map(str::to_owned),
            1 => any::<String>(),
            1 => "[ -~]{0,80}",
        ];
        prop::collection::vec(part, 0..120).prop_map(|parts| parts.concat())
    }

    #[expect(clippy::disallowed_methods, reason = "the packs of this repository have a known size")]
    fn shipped() -> Vec<Pack> {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../collector/rules/en");
        let mut files: Vec<_> =
            std::fs::read_dir(rules).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let read = |file| Pack::parse("shipped", &std::fs::read_to_string(file).unwrap()).unwrap();
        files.iter().map(read).collect()
    }
}
