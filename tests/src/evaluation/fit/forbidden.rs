//! Words that are never a sign.
//!
//! Texts of children in need name who they are: their faith, whom they love, what they are ill with. A regression
//! takes each such word for evidence and would then watch every child of that faith. Who somebody is says nothing of
//! what somebody will do, and equality law forbids to treat it as if it did (Equality Act 2010, section 4).

/// The words, folded as the matcher folds, with what they tell of somebody.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        "whom they love, who they are",
        "gay gays lesbian lesbians trans transgender bi bisexual queer queers lgbt lgbtq nonbinary enby homosexual",
    ),
    (
        "faith",
        "muslim muslims islam islamic christian christians catholic catholics jewish jew jews hindu hindus sikh sikhs \
         buddhist god allah jesus church mosque temple pray prays prayed praying prayer prayers ramadan eid diwali \
         hijab quran koran bible priest imam",
    ),
    (
        "health",
        "pregnant pregnancy period periods autistic autism adhd cancer diabetes diabetic epilepsy epileptic asthma \
         disabled disability wheelchair dyslexia dyslexic",
    ),
    (
        "origin",
        "black white asian african polish romanian ukrainian syrian afghan pakistani indian chinese irish scottish \
         welsh england english africa ukraine syria poland pakistan india china",
    ),
];

/// Says whether a folded word may never be, or stand in, a sign.
#[must_use]
pub fn is_forbidden(word: &str) -> bool {
    FORBIDDEN.iter().any(|(_, words)| words.split(' ').any(|it| it == word))
}
