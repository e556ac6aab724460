//! The matcher: packs compiled once, texts searched many times.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::category::{Category, Place, Setting, Severity};
use crate::diagnostic::Diagnostic;
use crate::disguise;
use crate::host::HostSet;
use crate::judgement::{self, Persons, Rule, Scene, Verdict};
use crate::language::Language;
use crate::pack::Pack;
use crate::phrase_set::PhraseSet;
use crate::view::View;
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
    rules: Vec<Rule>,
    phrases: PhraseSet,
    /// The owner of each phrase.
    owners: Vec<Owner>,
    hosts: HostSet,
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
                    compiled.phrases.add(phrase, pack.language, &mut compiled.vocabulary);
                    let opening = judgement::opening(phrase, pack.language);
                    compiled.owners.push(Owner { rule: compiled.rules.len(), opening });
                }
                for host in &rule.hosts {
                    compiled.hosts.add(&host.value, compiled.rules.len());
                }
                let rule = Rule::of(pack, rule, &persons, &mut compiled.vocabulary);
                compiled.rules.push(rule);
            }
        }
        Ok(Self(Arc::new(compiled)))
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
        let read = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
        let words = Words::of(read);
        let plain = View::plain(&words, &self.0.vocabulary);
        let scene = Scene { text: read, setting };
        let mut kept = Kept::default();
        self.search(&plain, false, scene, &mut kept);
        if setting.place == Place::Host {
            self.search_hosts(&plain, scene, &mut kept);
        }
        if setting.place.is_prose()
            && let Some(unmasked) = disguise::unmask(&words, &plain, &self.0.vocabulary)
        {
            self.search(&unmasked, true, scene, &mut kept);
        }
        Findings {
            matches: kept.into_matches(&self.0.rules),
            cut_at: (read.len() < text.len()).then_some(read.len()),
        }
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

    /// Judges every hit in a view; of an unmasked one only those that are new in it.
    fn search(&self, view: &View, unmasked: bool, scene: Scene<'_>, kept: &mut Kept) {
        for token in 0..view.len() {
            self.0.phrases.at(view, token, |phrase, span| {
                let Some(owner) = self.0.owners.get(phrase) else { return };
                let Some(rule) = self.0.rules.get(owner.rule) else { return };
                if rule.looks_at(scene.setting.place)
                    && (!unmasked || view.is_disguised(&span))
                    && let Some(verdict) = rule.judge(view, &span, owner.opening, scene)
                {
                    kept.keep(owner.rule, view, &span, verdict);
                }
            });
        }
    }
}

impl Matcher {
    /// Judges the listed hosts that a host is or lies below.
    fn search_hosts(&self, view: &View, scene: Scene<'_>, kept: &mut Kept) {
        self.0.hosts.at(scene.text, |number, bytes| {
            let first = view.tokens().partition_point(|it| (it.start as usize) < bytes.start);
            let span = first..view.len();
            let Some(rule) = self.0.rules.get(number) else { return };
            if let Some(verdict) = rule.judge(view, &span, 0, scene) {
                kept.keep(number, view, &span, verdict);
            }
        });
    }
}

/// The matches so far, bounded for each rule.
#[derive(Default)]
struct Kept {
    by_rule: BTreeMap<usize, Vec<Stretch>>,
}

struct Stretch {
    start: usize,
    end: usize,
    verdict: Verdict,
}

impl Stretch {
    /// Widens by one that overlaps; the graver verdict stands, at a tie the earlier one.
    fn takes_in(&mut self, kept: &Self) -> bool {
        let overlaps = kept.start < self.end && self.start < kept.end;
        if overlaps {
            self.start = self.start.min(kept.start);
            self.end = self.end.max(kept.end);
            if kept.verdict.severity >= self.verdict.severity {
                self.verdict = kept.verdict.clone();
            }
        }
        overlaps
    }
}

impl Kept {
    /// Keeps a match: folded with those of the same rule that it overlaps, otherwise beside the
    /// others, at the bound in place of one less grave.
    fn keep(&mut self, rule: usize, view: &View, span: &Range<usize>, mut verdict: Verdict) {
        let tokens = view.tokens().get(span.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
        let (start, end) = (first.start as usize, last.end as usize);
        if view.is_disguised(span) {
            verdict.reasons.push("disguised spelling".to_owned());
        }
        let mut stretch = Stretch { start, end, verdict };
        let stretches = self.by_rule.entry(rule).or_default();
        // What is kept overlaps nothing else that is kept, so that one pass takes in all.
        stretches.retain(|kept| !stretch.takes_in(kept));
        if stretches.len() < MAX_PER_RULE {
            stretches.push(stretch);
        } else if let Some(least) = stretches.iter_mut().min_by_key(|it| it.verdict.severity)
            && least.verdict.severity < stretch.verdict.severity
        {
            *least = stretch;
        }
    }

    fn into_matches(self, rules: &[Rule]) -> Vec<Match> {
        let mut matches = Vec::new();
        for (rule, stretches) in self.by_rule {
            let Some(rule) = rules.get(rule) else { continue };
            matches.extend(stretches.into_iter().map(|stretch| Match {
                rule: Arc::clone(&rule.id),
                category: rule.category,
                severity: stretch.verdict.severity,
                start: stretch.start,
                end: stretch.end,
                reasons: stretch.verdict.reasons,
            }));
        }
        matches.sort_by(|a, b| (a.start, a.end, &a.rule).cmp(&(b.start, b.end, &b.rule)));
        matches
    }
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
