//! The rule packs, the private list and the lists of programs that are compiled in.
//!
//! Every file of `rules/` stands in this one list; a test holds the list against the folder.

use redshank_proto::v1;

/// The private list.
pub const PRIVATE: &str = include_str!("../../rules/private.toml");

/// The lists of programs.
pub const PROGRAMS: &str = include_str!("../../rules/programs.toml");

macro_rules! packs {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../rules/", $name)))),*]
    };
}

const PACKS: &[(&str, &str)] = packs![
    "cy/abuse_disclosure.toml",
    "cy/self_harm.toml",
    "cy/sexual_exploitation.toml",
    "cy/suicide.toml",
    "cy/violence.toml",
    "en/abuse_disclosure.toml",
    "en/bullying.toml",
    "en/bypass.toml",
    "en/cyber_offence.toml",
    "en/drugs.toml",
    "en/filter_breach.toml",
    "en/fraud.toml",
    "en/gambling.toml",
    "en/hate.toml",
    "en/illegal_imagery.toml",
    "en/piracy.toml",
    "en/pornography.toml",
    "en/radicalisation.toml",
    "en/removable_media.toml",
    "en/self_harm.toml",
    "en/sexual_exploitation.toml",
    "en/sexual_imagery.toml",
    "en/suicide.toml",
    "en/unapproved_software.toml",
    "en/violence.toml",
    "en/wellbeing.toml",
    "pl/abuse_disclosure.toml",
    "pl/self_harm.toml",
    "pl/sexual_exploitation.toml",
    "pl/suicide.toml",
    "pl/violence.toml",
    "ur/abuse_disclosure.toml",
    "ur/self_harm.toml",
    "ur/sexual_exploitation.toml",
    "ur/suicide.toml",
    "ur/violence.toml",
];

/// The packs, by name.
#[must_use]
pub fn packs() -> Vec<v1::RulePack> {
    PACKS
        .iter()
        .map(|(name, text)| v1::RulePack { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect()
}
