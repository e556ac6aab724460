//! Security descriptors in text: written for what is ours, read for what we find.
//!
//! `O:owner G:group D:flags(type;flags;rights;object;inherited;account)…` without the spaces ("Security
//! Descriptor String Format", Microsoft Learn). Accounts are security identifiers, or two letters for a
//! well-known one.

/// Whoever may do as he likes on the machine anyway: the system, its administrators and the account that
/// was made at its setup; and, in an entry that is inherited, whoever makes or owns the thing.
const ADMINISTRATORS: &[&str] =
    &["SY", "S-1-5-18", "BA", "S-1-5-32-544", "LA", "CO", "S-1-3-0", "OW", "S-1-3-4"];
/// How [`stranger`] speaks of everybody.
const EVERYBODY: &str = "S-1-1-0";
/// What a client does with a pipe: read and write its data and attributes, read its access list. Writing
/// in general would include making further instances of it, which has the bit of appending to a file.
pub const PIPE_CLIENT: u32 = 0x0012_019b;

/// The access list of a folder, and of all that is made in it: for the system and administrators, and for
/// `user`, if one is named.
#[must_use]
pub fn of_private_folder(user: Option<&str>) -> String {
    let user = user.map(|user| format!("(A;OICI;FA;;;{user})")).unwrap_or_default();
    format!("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA){user}")
}

/// The owner and access list of a pipe that `user` serves: whoever signed in on this machine may be its
/// client, and nobody from the network.
#[must_use]
pub fn of_pipe(user: &str) -> String {
    format!(
        "O:{user}D:P(D;;FA;;;NU)(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;{user})(A;;{PIPE_CLIENT:#x};;;AU)"
    )
}

/// An account other than `user` and the administrators that owns the thing or is granted anything on it.
/// What cannot be read is open to everybody.
#[must_use]
pub fn stranger<'a>(descriptor: &'a str, user: &str) -> Option<&'a str> {
    let Some((owner, entries)) = parts(descriptor) else { return Some(EVERYBODY) };
    let trusted = |account: &str| account == user || ADMINISTRATORS.contains(&account);
    if !trusted(owner) {
        return Some(owner);
    }
    let mut rest = entries;
    while let Some(body) = rest.strip_prefix('(') {
        // A conditional entry has parentheses within, and fails to be read at the next turn.
        let Some((entry, after)) = body.split_once(')') else { return Some(EVERYBODY) };
        rest = after;
        let fields: Vec<_> = entry.split(';').collect();
        let [kind, _, _, _, _, account, ..] = fields[..] else { return Some(EVERYBODY) };
        if !matches!(kind, "D" | "OD") && !trusted(account) {
            return Some(account);
        }
    }
    (!rest.is_empty() && !rest.starts_with("S:")).then_some(EVERYBODY)
}

/// Whether the thing belongs to `user` or an administrator.
#[must_use]
pub fn is_owned_by(descriptor: &str, user: &str) -> bool {
    owner(descriptor).is_some_and(|(owner, _)| owner == user || ADMINISTRATORS.contains(&owner))
}

/// The owner, and what follows.
fn owner(descriptor: &str) -> Option<(&str, &str)> {
    let rest = descriptor.strip_prefix("O:")?;
    let end = ["G:", "D:", "S:"].iter().filter_map(|part| rest.find(part)).min();
    Some(rest.split_at(end.unwrap_or(rest.len())))
}

/// The owner, and the access list's entries.
fn parts(descriptor: &str) -> Option<(&str, &str)> {
    let (owner, rest) = owner(descriptor)?;
    let (_, list) = rest.split_once("D:")?;
    let (flags, entries) = list.split_at(list.find('(')?);
    (!flags.contains("NO_ACCESS_CONTROL")).then_some((owner, entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMY: &str = "S-1-5-21-1-2-3-1001";

    #[test]
    fn strangers_are_found() {
        for (descriptor, stranger_in_it) in [
            ("O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", None),
            ("O:S-1-5-21-1-2-3-1001G:DUD:(A;;FA;;;SY)(A;;FA;;;S-1-5-21-1-2-3-1001)", None),
            ("O:SYD:PAI(A;OICIIO;GA;;;CO)(A;;FA;;;SY)S:AI(ML;;NW;;;LW)", None),
            ("O:SYD:(D;;FA;;;BU)(A;;FA;;;SY)", None),
            // The folder that C:\ProgramData gives: users may read and add.
            (
                "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)",
                Some("BU"),
            ),
            // A pupil who was there first.
            ("O:S-1-5-21-1-2-3-1002G:DUD:P(A;;FA;;;SY)", Some("S-1-5-21-1-2-3-1002")),
            ("O:BAD:P(A;;FR;;;WD)", Some("WD")),
            ("O:BAD:P(XA;;FX;;;S-1-1-0;(@User.Title==\"PM\"))", Some("S-1-1-0")),
            ("O:BAD:NO_ACCESS_CONTROL", Some(EVERYBODY)),
            ("O:BAD:P", Some(EVERYBODY)),
            ("O:BA", Some(EVERYBODY)),
            ("D:P(A;;FA;;;SY)", Some(EVERYBODY)),
            ("O:BAD:P(A;;FA;;;SY", Some(EVERYBODY)),
            ("O:BAD:P(A;;FA)", Some(EVERYBODY)),
            ("O:BAD:P(A;;FA;;;SY)more", Some(EVERYBODY)),
            ("", Some(EVERYBODY)),
        ] {
            assert_eq!(stranger(descriptor, AMY), stranger_in_it, "{descriptor}");
        }
    }

    #[test]
    fn what_is_written_here_is_private() {
        let folder = format!("O:BA{}", of_private_folder(Some(AMY)));
        assert_eq!(stranger(&folder, AMY), None);
        assert_eq!(stranger(&folder, "S-1-5-21-1-2-3-1002"), Some(AMY));
        assert_eq!(stranger(&format!("O:BA{}", of_private_folder(None)), AMY), None);
        assert_eq!(stranger(&of_pipe(AMY), AMY), Some("AU"), "clients");
        assert!(is_owned_by(&of_pipe(AMY), AMY));
        assert!(of_pipe(AMY).ends_with("(A;;0x12019b;;;AU)"), "{}", of_pipe(AMY));
    }

    #[test]
    fn owners_are_told() {
        assert!(is_owned_by("O:SYG:SY", AMY));
        assert!(is_owned_by("O:S-1-5-21-1-2-3-1001G:DU", AMY));
        assert!(!is_owned_by("O:S-1-5-21-1-2-3-1002G:DU", AMY));
        assert!(!is_owned_by("O:WDD:(A;;FA;;;SY)", AMY));
        assert!(!is_owned_by("", AMY));
    }
}
