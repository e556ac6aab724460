//! What is watched for: the categories, where they stand in *Keeping Children Safe in Education*,
//! how grave a match is, where a text was seen, and how old the pupil is.
//!
//! The vocabularies are closed. Their `snake_case` names are what rule packs, the wire and
//! the database hold, so a name never changes once shipped; `label` is what people read.

use std::fmt;
use std::str::FromStr;

/// A name that none of the values of a closed vocabulary carries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} \"{name}\"; expected one of {expected}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    expected: String,
}

/// One of the four areas of online risk of *Keeping Children Safe in Education* (2023, §136).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FourC {
    /// Illegal, inappropriate or harmful material.
    Content,
    /// Harmful interaction with other users.
    Contact,
    /// Behaviour that increases the likelihood of, or causes, harm.
    Conduct,
    /// Gambling, advertising, phishing, scams.
    Commerce,
}

macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident, $what:literal, { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant),+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Gives the `snake_case` name used in rule packs, on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name).ok_or_else(|| {
                    let names: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    UnknownName { what: $what, name: name.to_owned(), expected: names.join(", ") }
                })
            }
        }
    };
}

vocabulary! {
    /// What a match is about.
    Category, "category", {
        /// Suicidal thoughts, plans and methods.
        Suicide = "suicide",
        /// Self-injury and the harm talk of eating disorders.
        SelfHarm = "self_harm",
        /// Grooming, coercion and sextortion.
        SexualExploitation = "sexual_exploitation",
        /// Youth produced sexual imagery, deepfakes included.
        SexualImagery = "sexual_imagery",
        /// Indecent images of children.
        IllegalImagery = "illegal_imagery",
        /// Terrorism and extremism.
        Radicalisation = "radicalisation",
        /// Discrimination against groups of people.
        Hate = "hate",
        /// Cyberbullying, harassment and stalking.
        Bullying = "bullying",
        /// Threats, weapons and attacks.
        Violence = "violence",
        /// A child who is hurt, scared or neglected at home.
        AbuseDisclosure = "abuse_disclosure",
        /// Distress in the first person.
        Wellbeing = "wellbeing",
        /// Substances, vaping and alcohol.
        Drugs = "drugs",
        /// Pornography.
        Pornography = "pornography",
        /// Gambling.
        Gambling = "gambling",
        /// Scams, extortion and money mules.
        Fraud = "fraud",
        /// Hacking and attacks for hire.
        CyberOffence = "cyber_offence",
        /// Copyright infringement.
        Piracy = "piracy",
        /// Ways round the school's filter.
        Bypass = "bypass",
        /// A request that the filter blocked.
        FilterBreach = "filter_breach",
        /// Software against the school's rules.
        UnapprovedSoftware = "unapproved_software",
        /// USB and other media against the school's rules.
        RemovableMedia = "removable_media",
    }
}

impl Category {
    /// Gives the name for screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Suicide => "Suicide",
            Self::SelfHarm => "Self-harm",
            Self::SexualExploitation => "Sexual exploitation",
            Self::SexualImagery => "Sexual imagery",
            Self::IllegalImagery => "Illegal imagery",
            Self::Radicalisation => "Radicalisation",
            Self::Hate => "Hate",
            Self::Bullying => "Bullying",
            Self::Violence => "Violence",
            Self::AbuseDisclosure => "Disclosure of abuse",
            Self::Wellbeing => "Wellbeing",
            Self::Drugs => "Drugs, vaping and alcohol",
            Self::Pornography => "Pornography",
            Self::Gambling => "Gambling",
            Self::Fraud => "Fraud",
            Self::CyberOffence => "Cyber offence",
            Self::Piracy => "Piracy",
            Self::Bypass => "Getting round the filter",
            Self::FilterBreach => "Blocked by the filter",
            Self::UnapprovedSoftware => "Unapproved software",
            Self::RemovableMedia => "Removable media",
        }
    }

    /// Gives the areas of online risk it belongs to, at least one.
    #[must_use]
    pub const fn four_cs(self) -> &'static [FourC] {
        use FourC::{Commerce, Conduct, Contact, Content};
        match self {
            Self::Suicide | Self::SelfHarm | Self::Hate | Self::Violence => &[Content, Conduct],
            Self::SexualExploitation | Self::AbuseDisclosure => &[Contact],
            Self::SexualImagery
            | Self::Bullying
            | Self::CyberOffence
            | Self::Bypass
            | Self::UnapprovedSoftware
            | Self::RemovableMedia => &[Conduct],
            Self::IllegalImagery | Self::Wellbeing | Self::Pornography | Self::FilterBreach => {
                &[Content]
            }
            Self::Radicalisation => &[Content, Contact],
            Self::Drugs => &[Content, Commerce],
            Self::Gambling => &[Commerce],
            Self::Fraud | Self::Piracy => &[Commerce, Conduct],
        }
    }
}

vocabulary! {
    /// Where a text was seen.
    Place, "place", {
        /// The terms given to a search engine.
        Search = "search",
        /// Text typed into a page or program.
        Typed = "typed",
        /// The text of a page that was read.
        PageText = "page_text",
        /// The title of a page or window.
        Title = "title",
        /// The path of an address, percent-decoded by the caller.
        UrlPath = "url_path",
        /// The host name of an address.
        Host = "host",
        /// The name of a program or installer.
        Program = "program",
    }
}

impl Place {
    /// Says whether a person wrote the text: disguises are looked for only there. In addresses
    /// and program names, joined and split words are ordinary.
    pub(crate) const fn is_prose(self) -> bool {
        matches!(self, Self::Search | Self::Typed | Self::PageText | Self::Title)
    }

    /// Says whether it is prose that is short: it is read closely, word by word.
    pub(crate) const fn is_short_prose(self) -> bool {
        matches!(self, Self::Search | Self::Typed | Self::Title)
    }

    /// Says whether the pupil wrote the text: in haste, so that words may be misspelt, and in words
    /// of their own, so that signs are weighed.
    pub(crate) const fn is_own_writing(self) -> bool {
        matches!(self, Self::Search | Self::Typed)
    }

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

vocabulary! {
    /// How old a pupil is, as schools group them.
    AgeGroup, "age group", {
        /// Up to Year 6, about 11 years.
        Primary = "primary",
        /// Years 7 to 11, about 11 to 16 years.
        Secondary = "secondary",
        /// Years 12 and 13, about 16 to 18 years.
        SixthForm = "sixth_form",
    }
}

impl AgeGroup {
    /// Gives the name for screens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::SixthForm => "sixth form",
        }
    }

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Where a text was seen, and how old the pupil is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Where the text was seen.
    pub place: Place,
    /// The age group of the pupil, if it is known.
    pub age: Option<AgeGroup>,
}

impl From<Place> for Setting {
    /// Takes a place; the age is unknown.
    fn from(place: Place) -> Self {
        Self { place, age: None }
    }
}

/// How grave a match is, from 1 (noise kept for context) to 5 (immediate risk to life or a serious
/// crime).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Severity(u8);

impl Severity {
    /// The least severity, 1.
    pub const LEAST: Self = Self(1);
    /// The greatest severity, 5.
    pub const GREATEST: Self = Self(5);

    /// Takes a number from 1 to 5.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value >= Self::LEAST.0 && value <= Self::GREATEST.0 { Some(Self(value)) } else { None }
    }

    /// Gives the number, 1 to 5.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    pub(crate) fn raised(self, by: u8) -> Self {
        Self(self.0.saturating_add(by).min(Self::GREATEST.0))
    }

    pub(crate) fn lowered(self, by: u8) -> Self {
        Self(self.0.saturating_sub(by).max(Self::LEAST.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for category in Category::ALL {
            assert_eq!(category.as_str().parse(), Ok(*category));
            assert!(!category.four_cs().is_empty(), "{category} belongs to no area of risk");
            assert!(!category.label().contains('_'), "{category} has no label for people");
        }
        for place in Place::ALL {
            assert_eq!(place.as_str().parse(), Ok(*place));
        }
        for age in AgeGroup::ALL {
            assert_eq!(age.as_str().parse(), Ok(*age));
            assert!(!age.label().contains('_'), "{age} has no label for people");
        }
        assert_eq!(Category::ALL.len(), 21);
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = "serach".parse::<Place>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown place \"serach\"; expected one of search, typed, page_text, title, url_path, host, program"
        );
    }

    #[test]
    fn severities_stay_between_one_and_five() {
        assert_eq!(Severity::new(0), None);
        assert_eq!(Severity::new(6), None);
        assert_eq!(Severity::GREATEST.raised(3), Severity::GREATEST);
        assert_eq!(Severity::LEAST.lowered(3), Severity::LEAST);
        assert!(Severity::LEAST < Severity::GREATEST);
    }
}
