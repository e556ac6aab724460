//! Reads an asset log: the list of devices that a school keeps anyway, as CSV.
//!
//! ```csv
//! asset_tag,serial_number,mac,allocated_to,shared,kind,note
//! IPAD-0042,DMPXK2ABCD,02:00:5e:00:53:01,SCHOOL\amy,no,ipad,cracked corner
//! TROLLEY-07,DMPXK2ABCE,02-00-5e-00-53-02; 02005e005303,,yes,ipad,
//! ```
//! - The first row names the columns, in any order. `asset_tag` is required, the others are not; `note` is left
//!   alone; a column of another name is a mistake, because it is most likely one of these misspelt.
//! - **All or nothing.** Every mistake is told with its line, its column as a spreadsheet counts them, and the
//!   way out, the first [`MISTAKES`] of them; a log with one is not imported.
//! - A tag, a serial number and an address stand once in the log: what stands twice would attribute one
//!   child's browsing to another. For the same reason the serial numbers that makers leave in place of one are
//!   refused, and so are group addresses.
//! - An account with a domain (`SCHOOL\amy`) is the same person as that account elsewhere; one without is known
//!   under the asset log alone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use redshank_matcher::Diagnostic;
use redshank_proto::bounds;

use crate::store::assets::{ASSETS, NewAsset, Sort};
use crate::store::persons::Account;

/// Bytes of an asset log: 50,000 assets with every column filled.
pub const LOG_BYTES: usize = 16 * 1024 * 1024;
/// Mistakes told at once: more are of one kind, and go with the first.
const MISTAKES: usize = 50;
/// Addresses of one asset: wireless, wired, a dock, and a few adapters.
const MACS: usize = 8;
/// What makers leave in place of a serial number, in upper case: it would stand for many devices.
const NO_SERIALS: [&str; 11] = [
    "0",
    "00000000",
    "123456789",
    "DEFAULT STRING",
    "INVALID",
    "N/A",
    "NONE",
    "NOT SPECIFIED",
    "SYSTEM SERIAL NUMBER",
    "TO BE FILLED BY O.E.M.",
    "UNKNOWN",
];

/// The columns, in the order of their values in a row.
const COLUMNS: [&str; 6] = ["asset_tag", "serial_number", "mac", "allocated_to", "shared", "kind"];
/// Columns that are left alone.
const IGNORED: [&str; 2] = ["note", "notes"];

/// Reads an asset log's bytes. `file` names it in mistakes.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<NewAsset>, Vec<Diagnostic>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader { file, mistakes: Vec::new(), seen: HashMap::new() };
    if bytes.len() > LOG_BYTES {
        reader.mistake(1, 0, "the file is longer than 16 MiB", "split it by school");
        return Err(reader.mistakes);
    }
    let mut csv = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let places = match csv.headers() {
        Ok(headers) => reader.places(headers),
        Err(error) => {
            reader.broken(&error);
            return Err(reader.mistakes);
        }
    };
    let Some(places) = places else { return Err(reader.mistakes) };
    let mut assets = Vec::new();
    for record in csv.records() {
        if reader.mistakes.len() >= MISTAKES {
            break;
        }
        match record {
            Ok(record) => assets.extend(reader.asset(&record, &places)),
            Err(error) => reader.broken(&error),
        }
        if assets.len() > ASSETS {
            reader.mistake(1, 0, "the log has more than 50,000 assets", "split it by school");
            break;
        }
    }
    if assets.is_empty() && reader.mistakes.is_empty() {
        let help = "write one asset to a line below the column names";
        reader.mistake(1, 0, "the log has no assets", help);
    }
    if reader.mistakes.is_empty() { Ok(assets) } else { Err(reader.mistakes) }
}

/// A MAC address as the store has it, `02:00:5e:00:53:01`; `None` if a text is none of one device.
#[must_use]
pub fn mac(text: &str) -> Option<String> {
    let digits: String =
        text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect::<String>().to_lowercase();
    let bytes = data_encoding::HEXLOWER.decode(digits.as_bytes()).ok()?;
    let [first, ..] = *bytes.first_chunk::<6>()?;
    // The lowest bit of the first byte marks an address of a group (IEEE 802, clause 8.2).
    if bytes.len() != 6 || first & 1 == 1 || bytes.iter().all(|byte| *byte == 0) {
        return None;
    }
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(pairs.join(":"))
}

struct Reader<'a> {
    file: &'a str,
    mistakes: Vec<Diagnostic>,
    /// Where each tag, serial number and address stood first.
    seen: HashMap<(usize, String), u64>,
}

/// Where each of [`COLUMNS`] stands in a row.
type Places = [Option<usize>; COLUMNS.len()];

impl Reader<'_> {
    fn places(&mut self, headers: &StringRecord) -> Option<Places> {
        let mut places: Places = [None; COLUMNS.len()];
        for (at, header) in headers.iter().enumerate() {
            let name = header.to_lowercase();
            let Some(column) = COLUMNS.iter().position(|column| *column == name) else {
                if !IGNORED.contains(&name.as_str()) {
                    let help = format!("name the columns {} or note", COLUMNS.join(", "));
                    self.mistake(
                        1,
                        at,
                        &format!("`{header}` is no column of the asset log"),
                        &help,
                    );
                }
                continue;
            };
            if places[column].replace(at).is_some() {
                self.mistake(
                    1,
                    at,
                    &format!("the column {name} stands twice"),
                    "leave one of them out",
                );
            }
        }
        if places[0].is_none() {
            let help =
                "the first row names the columns, separated by commas: asset_tag, serial_number, …";
            self.mistake(1, 0, "there is no column asset_tag", help);
        }
        self.mistakes.is_empty().then_some(places)
    }

    fn asset(&mut self, record: &StringRecord, places: &Places) -> Option<NewAsset> {
        let line = record.position().map_or(0, csv::Position::line);
        let before = self.mistakes.len();
        let value = |column: usize| {
            let at = places[column]?;
            record.get(at).filter(|text| !text.is_empty()).map(|text| (at, text))
        };
        let Some((tag_at, tag)) = value(0) else {
            let help = "give every asset the tag that is on it";
            self.mistake(line, places[0].unwrap_or(0), "the asset_tag is empty", help);
            return None;
        };
        self.text(line, tag_at, "asset_tag", tag);
        self.once(line, tag_at, 0, tag.to_uppercase());
        let serial_number = value(1).map(|(at, serial)| self.serial_number(line, at, serial));
        let macs = value(2).map_or_else(Vec::new, |(at, macs)| self.macs(line, at, macs));
        let holder = value(3).map(|(at, account)| (at, self.holder(line, at, account)));
        let shared = value(4).is_some_and(|(at, shared)| self.shared(line, at, shared));
        let sort = value(5).map_or(Sort::Other, |(at, sort)| self.sort(line, at, sort));
        if let (Some((at, _)), true) = (&holder, shared) {
            let help = "a shared device is nobody's: empty allocated_to, or write shared = no";
            self.mistake(line, *at, "the asset is shared and allocated to one account", help);
        }
        (self.mistakes.len() == before).then(|| NewAsset {
            asset_tag: tag.to_owned(),
            serial_number,
            macs,
            holder: holder.map(|(_, holder)| holder),
            shared,
            sort,
        })
    }

    fn serial_number(&mut self, line: u64, at: usize, serial: &str) -> String {
        self.text(line, at, "serial_number", serial);
        // As SQLite's upper() does, which knows ASCII.
        let serial = serial.to_ascii_uppercase();
        if NO_SERIALS.contains(&serial.as_str()) {
            let help = "leave the serial_number empty: many devices have this one";
            self.mistake(line, at, &format!("`{serial}` is no serial number"), help);
        }
        self.once(line, at, 1, serial.clone());
        serial
    }

    fn macs(&mut self, line: u64, at: usize, text: &str) -> Vec<String> {
        let mut macs = Vec::new();
        for part in text.split([' ', ';']).filter(|part| !part.is_empty()) {
            let Some(mac) = mac(part) else {
                let message = format!("`{}` is not the MAC address of a device", shown(part));
                self.mistake(
                    line,
                    at,
                    &message,
                    "write it as 02:00:5e:00:53:01; separate several by ;",
                );
                continue;
            };
            self.once(line, at, 2, mac.clone());
            macs.push(mac);
        }
        if macs.len() > MACS {
            self.mistake(
                line,
                at,
                "more than 8 MAC addresses",
                "keep those that the device uses here",
            );
        }
        macs
    }

    fn holder(&mut self, line: u64, at: usize, account: &str) -> Account {
        self.text(line, at, "allocated_to", account);
        let holder = Account::of_asset_log(account);
        if holder.name().is_empty()
            || holder.authority().is_empty()
            || account.matches('\\').count() > 1
        {
            let message = format!("`{}` is not an account", shown(account));
            self.mistake(line, at, &message, "write the account's name, or DOMAIN\\name");
        }
        holder
    }

    fn shared(&mut self, line: u64, at: usize, text: &str) -> bool {
        match text.to_lowercase().as_str() {
            "yes" => true,
            "no" => false,
            _ => {
                let message = format!("shared is `{}`", shown(text));
                self.mistake(line, at, &message, "write yes or no");
                false
            }
        }
    }

    fn sort(&mut self, line: u64, at: usize, text: &str) -> Sort {
        Sort::parse(&text.to_lowercase()).unwrap_or_else(|| {
            let names: Vec<_> = Sort::ALL.iter().map(|sort| sort.as_str()).collect();
            let message = format!("`{}` is not a kind of device", shown(text));
            self.mistake(line, at, &message, &format!("write one of {}", names.join(", ")));
            Sort::Other
        })
    }

    fn text(&mut self, line: u64, at: usize, column: &str, text: &str) {
        if text.len() > bounds::LONG_NAME_BYTES || text.chars().any(char::is_control) {
            let help = "shorten it to one line of at most 256 bytes";
            self.mistake(line, at, &format!("the {column} is too long or has a line break"), help);
        }
    }

    fn once(&mut self, line: u64, at: usize, column: usize, value: String) {
        match self.seen.entry((column, value)) {
            Entry::Vacant(vacant) => {
                vacant.insert(line);
            }
            Entry::Occupied(first) => {
                let message =
                    format!("the {} stands in line {} already", COLUMNS[column], first.get());
                self.mistake(
                    line,
                    at,
                    &message,
                    "each belongs to one asset: correct one of the two",
                );
            }
        }
    }

    /// A row that is no row, or a file that is no CSV.
    fn broken(&mut self, error: &csv::Error) {
        match error.kind() {
            ErrorKind::UnequalLengths { pos, expected_len, len } => {
                let line = pos.as_ref().map_or(0, csv::Position::line);
                let message = format!("the row has {len} fields, the first row has {expected_len}");
                let help = "put a field with a comma in \"quotes\", and leave empty fields empty";
                self.mistake(line, 0, &message, help);
            }
            ErrorKind::Utf8 { pos, err } => {
                let line = pos.as_ref().map_or(0, csv::Position::line);
                let help = "save it as \"CSV UTF-8 (comma delimited)\"";
                self.mistake(line, err.field(), "the text is not UTF-8", help);
            }
            _ => self.mistake(
                1,
                0,
                "this is no CSV file",
                "save it as \"CSV UTF-8 (comma delimited)\"",
            ),
        }
    }

    fn mistake(&mut self, line: u64, at: usize, message: &str, help: &str) {
        if self.mistakes.len() < MISTAKES {
            self.mistakes.push(Diagnostic {
                file: self.file.to_owned(),
                line: usize::try_from(line).unwrap_or(usize::MAX),
                column: at + 1,
                rule: None,
                message: message.to_owned(),
                help: help.to_owned(),
            });
        }
    }
}

/// A value as a mistake repeats it: short, on one line.
fn shown(text: &str) -> String {
    bounds::cut(text, 40).chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_whatever_the_order_of_its_columns() {
        let text = "\u{feff}Kind,asset_tag,note,mac,allocated_to,shared,serial_number\r\n\
                    ipad,IPAD-1,\"a, b\",02-00-5E-00-53-01; 0200.5e00.5302,SCHOOL\\Amy,no,dmpx1\r\n\
                    ,TROLLEY-1,,,,YES,\r\n";
        let assets = parse("assets.csv", text.as_bytes()).unwrap();
        let ipad = NewAsset {
            asset_tag: "IPAD-1".to_owned(),
            serial_number: Some("DMPX1".to_owned()),
            macs: vec!["02:00:5e:00:53:01".to_owned(), "02:00:5e:00:53:02".to_owned()],
            holder: Some(Account::new("school", "amy")),
            shared: false,
            sort: Sort::Ipad,
        };
        let trolley = NewAsset {
            asset_tag: "TROLLEY-1".to_owned(),
            serial_number: None,
            macs: Vec::new(),
            holder: None,
            shared: true,
            sort: Sort::Other,
        };
        assert_eq!(assets, [ipad, trolley]);
    }

    #[test]
    fn every_mistake_is_told_with_line_column_and_the_way_out() {
        const HEAD: &str = "asset_tag,serial_number,mac,allocated_to,shared,kind\n";
        for (rows, place, message) in [
            ("tag,mac\nA,\n", "1:1", "`tag` is no column"),
            ("asset_tag;mac\nA;\n", "1:1", "`asset_tag;mac` is no column"),
            ("asset_tag,mac,mac\nA,,\n", "1:3", "the column mac stands twice"),
            ("mac\n\n", "1:1", "there is no column asset_tag"),
            ("", "1:1", "there is no column asset_tag"),
            ("asset_tag\n", "1:1", "no assets"),
            (",S1,,,,\n", "2:1", "the asset_tag is empty"),
            ("A,,,,\n", "2:1", "5 fields, the first row has 6"),
            ("A,,,,,\nB,,,,,\na,,,,,\n", "4:1", "asset_tag stands in line 2 already"),
            ("A,s1,,,,\nB,S1,,,,\n", "3:2", "serial_number stands in line 2 already"),
            ("A,To be filled by O.E.M.,,,,\n", "2:2", "is no serial number"),
            ("A,,02:00:5e:00:53:01,,,\nB,,02005E005301,,,\n", "3:3", "mac stands in line 2"),
            ("A,,02:00:5e:00:53,,,\n", "2:3", "is not the MAC address"),
            ("A,,ff:ff:ff:ff:ff:ff,,,\n", "2:3", "is not the MAC address"),
            ("A,,00:00:00:00:00:00,,,\n", "2:3", "is not the MAC address"),
            ("A,,,SCHOOL\\,,\n", "2:4", "is not an account"),
            ("A,,,\\amy,,\n", "2:4", "is not an account"),
            ("A,,,a\\b\\c,,\n", "2:4", "is not an account"),
            ("A,,,,maybe,\n", "2:5", "shared is `maybe`"),
            ("A,,,amy,yes,\n", "2:4", "shared and allocated to one account"),
            ("A,,,,,fridge\n", "2:6", "write one of laptop"),
            ("\"A\nB\",,,,,\n", "2:1", "line break"),
        ] {
            let text = if rows.starts_with(['t', 'a', 'm']) || rows.is_empty() {
                rows.to_owned()
            } else {
                format!("{HEAD}{rows}")
            };
            let wrong = parse("assets.csv", text.as_bytes()).unwrap_err();
            let told = wrong[0].to_string();
            assert!(told.starts_with(&format!("assets.csv:{place}: ")), "{rows}: {told}");
            assert!(told.contains(message), "{rows}: {told}");
        }
        let wrong = parse("assets.csv", b"asset_tag,note\nA,caf\xe9\n").unwrap_err();
        assert!(wrong[0].to_string().contains(":2:2: the text is not UTF-8"), "{}", wrong[0]);
    }

    #[test]
    fn the_mistakes_told_are_bounded_and_so_is_the_file() {
        let rows = "A,x,,\n".repeat(2_000);
        let wrong =
            parse("a", format!("asset_tag,mac,shared,kind\n{rows}").as_bytes()).unwrap_err();
        assert_eq!(wrong.len(), MISTAKES);
        let wrong = parse("a", &vec![b'a'; LOG_BYTES + 1]).unwrap_err();
        assert!(wrong[0].message.contains("16 MiB"));
    }

    #[test]
    fn a_mac_is_read_as_machines_and_people_write_it() {
        for text in ["02:00:5e:00:53:01", "02-00-5E-00-53-01", "0200.5e00.5301", "02005e005301"] {
            assert_eq!(mac(text).as_deref(), Some("02:00:5e:00:53:01"), "{text}");
        }
        for text in ["", "02:00:5e:00:53", "02:00:5e:00:53:01:02", "zz:00:5e:00:53:01", "10.0.0.7"]
        {
            assert_eq!(mac(text), None, "{text}");
        }
    }
}
