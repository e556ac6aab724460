//! The rates as a table that people read.

use std::fmt::Write as _;

use super::rates::{Rates, Share};

/// Columns: set, category, and three rates with their bounds.
const WIDTHS: (usize, usize, usize) = (30, 20, 34);

/// Gives the first line of the table.
#[must_use]
pub fn heading(at: u8) -> String {
    let (set, category, rate) = WIDTHS;
    format!(
        "{:set$}{:category$}{:rate$}{:rate$}{:rate$}alerts at {at}+ in 10,000 harmless texts\n",
        "set", "category", "recall (95 % interval)", "raised by any category", "precision",
    )
}

/// Gives the lines of a set.
#[must_use]
pub fn set(name: &str, rates: &Rates) -> String {
    let (set, category, rate) = WIDTHS;
    let mut lines = String::new();
    for (of, counted) in &rates.categories {
        let (recall, noticed) = (percent(counted.recall), percent(counted.noticed));
        let precision = percent(counted.precision);
        // A String takes whatever is written to it.
        let _ = writeln!(
            lines,
            "{name:set$}{:category$}{recall:rate$}{noticed:rate$}{precision}",
            of.as_str()
        );
    }
    if rates.alerts.whole > 0 {
        let alerts = in_ten_thousand(rates.alerts);
        let _ = writeln!(
            lines,
            "{name:set$}{:category$}{:rate$}{:rate$}{:rate$}{alerts}",
            "none", "", "", ""
        );
    }
    lines
}

/// Gives the counts of texts that nobody labelled; `severities` has those of each from 0, nothing found, to 5.
#[must_use]
pub fn unlabelled(count: usize, severities: &[usize; 6]) -> String {
    let mut lines = format!("{count} texts\n");
    for least in (1..=5).rev() {
        let part = severities.iter().skip(least).sum();
        let share = in_ten_thousand(Share { part, whole: count });
        let _ = writeln!(lines, "at severity {least}+: {share}");
    }
    lines
}

fn percent(share: Share) -> String {
    let counts = format!("{}/{}", share.part, share.whole);
    match (share.rate(), share.interval()) {
        (Some(rate), Some((low, high))) => {
            format!("{:5.1} % ({:.1}–{:.1}) {counts}", rate * 100.0, low * 100.0, high * 100.0)
        }
        _ => "-".to_owned(),
    }
}

fn in_ten_thousand(share: Share) -> String {
    let counts = format!("{} of {}", share.part, share.whole);
    match (share.rate(), share.interval()) {
        (Some(rate), Some((low, high))) => {
            let (rate, low, high) = (rate * 1e4, low * 1e4, high * 1e4);
            format!("{rate:.1} in 10,000 ({low:.1}–{high:.1}), {counts}")
        }
        _ => "-".to_owned(),
    }
}
