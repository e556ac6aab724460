//! The company's name in the version information of a Windows program.
//!
//! ```text
//! DOS header ─► PE headers ─► section table ─► resource directory: version ─► first ─► first ─► strings
//! ```
//! By Microsoft's "PE Format" and "VERSIONINFO resource". The file is a stranger's: every offset of it is
//! only ever a place to read a bounded piece from, every count is bounded, and no step leads back to one
//! before it. At most some 70 KiB are read, however large the file.

use std::io::{Read, Seek, SeekFrom};

/// Windows itself loads no more sections.
const SECTIONS: u16 = 96;
/// Entries of one level of the resource directory that are looked at; a program has some twenty kinds.
const ENTRIES: u16 = 256;
/// Bytes of the version information: a few KiB for each language.
const VERSION_BYTES: u32 = 64 * 1024;
/// The kind of resource that version information is, `RT_VERSION`.
const VERSION: u32 = 16;
/// Which of the data directories is that of the resources.
const RESOURCES: u64 = 2;
/// A resource directory's entry that leads to a directory has this bit.
const DIRECTORY: u32 = 1 << 31;
/// The string's key.
const KEY: &str = "CompanyName";
/// Characters of a company's name.
const COMPANY: usize = 256;

/// Reads the company's name; `None` if the file says none, or is no Windows program.
pub(super) fn company(file: &mut (impl Read + Seek)) -> Option<String> {
    let mut file = Image { file };
    if file.bytes::<2>(0)? != *b"MZ" {
        return None;
    }
    let headers = u64::from(file.u32(0x3c)?);
    if file.bytes::<4>(headers)? != *b"PE\0\0" {
        return None;
    }
    let sections = file.u16(headers + 6)?.min(SECTIONS);
    let optional = headers + 24;
    let directories = match file.u16(optional)? {
        0x10b => optional + 96,
        0x20b => optional + 112,
        _ => return None,
    };
    let table = optional + u64::from(file.u16(headers + 20)?);
    let resources = file.u32(directories + RESOURCES * 8)?;
    let root = file.offset(resources, table, sections)?;

    let kinds = file.entry(root, root, Some(VERSION))?;
    let names = file.entry(root, kinds.directory()?, None)?;
    let languages = file.entry(root, names.directory()?, None)?;
    let Entry::Data(data) = languages else { return None };
    let (address, length) = (file.u32(data)?, file.u32(data + 4)?);
    let at = file.offset(address, table, sections)?;
    let text = file.piece(at, length.min(VERSION_BYTES))?;
    value(&text)
}

/// Where an entry of the resource directory leads, as an offset in the file.
enum Entry {
    Directory(u64),
    Data(u64),
}

impl Entry {
    fn directory(&self) -> Option<u64> {
        match self {
            Self::Directory(at) => Some(*at),
            Self::Data(_) => None,
        }
    }
}

struct Image<'a, F> {
    file: &'a mut F,
}

impl<F: Read + Seek> Image<'_, F> {
    fn bytes<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// At most `length` bytes, fewer at the file's end.
    fn piece(&mut self, at: u64, length: u32) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.take(u64::from(length)).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn u16(&mut self, at: u64) -> Option<u16> {
        self.bytes(at).map(u16::from_le_bytes)
    }

    fn u32(&mut self, at: u64) -> Option<u32> {
        self.bytes(at).map(u32::from_le_bytes)
    }

    /// The offset in the file of an address in memory, by the section that it lies in.
    fn offset(&mut self, address: u32, table: u64, sections: u16) -> Option<u64> {
        for section in 0..u64::from(sections) {
            let at = table + section * 40;
            let (start, length) = (self.u32(at + 12)?, self.u32(at + 16)?);
            if let Some(within) = address.checked_sub(start).filter(|within| *within < length) {
                return Some(u64::from(self.u32(at + 20)?) + u64::from(within));
            }
        }
        None
    }

    /// The entry of a resource directory with an id, or its first.
    fn entry(&mut self, root: u64, directory: u64, id: Option<u32>) -> Option<Entry> {
        let (named, numbered) = (self.u16(directory + 12)?, self.u16(directory + 14)?);
        let count = named.saturating_add(numbered).min(ENTRIES);
        for number in 0..u64::from(count) {
            let at = directory + 16 + number * 8;
            if id.is_some_and(|id| self.u32(at) != Some(id)) {
                continue;
            }
            let to = self.u32(at + 4)?;
            return Some(if to & DIRECTORY == 0 {
                Entry::Data(root + u64::from(to))
            } else {
                Entry::Directory(root + u64::from(to & !DIRECTORY))
            });
        }
        None
    }
}

/// The value that follows the key: UTF-16, from the next multiple of four bytes to a zero.
fn value(version: &[u8]) -> Option<String> {
    let (units, _) = version.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let key: Vec<u16> = KEY.encode_utf16().chain([0]).collect();
    let after = units.windows(key.len()).position(|window| window == key)? + key.len();
    let text = units.get(after + after % 2..)?;
    let text: Vec<u16> = text.iter().copied().take(COMPANY).take_while(|unit| *unit != 0).collect();
    let text = String::from_utf16_lossy(&text);
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_program_tells_its_company_in_both_kinds_of_header() {
        for wide in [false, true] {
            assert_eq!(read(&program("NordVPN S.A.", wide)).as_deref(), Some("NordVPN S.A."));
            assert_eq!(read(&program("Größe", wide)).as_deref(), Some("Größe"));
            assert_eq!(read(&program(" ", wide)), None);
        }
    }

    #[test]
    fn what_is_no_program_or_cut_short_tells_none() {
        let whole = program("NordVPN S.A.", true);
        assert_eq!(read(b""), None);
        assert_eq!(read(b"#!/bin/sh\n"), None);
        assert_eq!(read(b"MZ"), None);
        let told = whole.windows(2).position(|it| it == b"N\0").unwrap();
        for length in 0..told {
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        /// A forged program leads nowhere: any byte of it changed, it tells a short text or none.
        #[test]
        fn a_forged_program_is_read_to_an_end(at in 0_usize..800, byte: u8, wide: bool) {
            let mut forged = program("NordVPN S.A.", wide);
            if let Some(place) = forged.get_mut(at) {
                *place = byte;
            }
            prop_assert!(read(&forged).is_none_or(|text| text.chars().count() <= COMPANY));
        }
    }

    fn read(bytes: &[u8]) -> Option<String> {
        company(&mut Cursor::new(bytes))
    }

    /// The least that is a program with version information: its one section begins at 0x200.
    fn program(company: &str, wide: bool) -> Vec<u8> {
        let mut file = vec![0; 0x200];
        file[..2].copy_from_slice(b"MZ");
        put(&mut file, 0x3c, 0x40);
        file[0x40..0x44].copy_from_slice(b"PE\0\0");
        file[0x46] = 1;
        let (magic, directories): (u16, usize) = if wide { (0x20b, 112) } else { (0x10b, 96) };
        let optional = directories + 16 * 8;
        file[0x54..0x56].copy_from_slice(&u16::try_from(optional).unwrap().to_le_bytes());
        file[0x58..0x5a].copy_from_slice(&magic.to_le_bytes());
        put(&mut file, 0x58 + directories + 16, 0x3000);
        let section = 0x58 + optional;
        put(&mut file, section + 12, 0x3000);
        put(&mut file, section + 20, 0x200);

        // Three levels of directories of one entry each, then the data's place.
        let mut resources = Vec::new();
        for (id, to) in [(16, DIRECTORY | 24), (1, DIRECTORY | 48), (0x809, 72)] {
            resources.extend([0; 14]);
            resources.extend([1, 0]);
            resources.extend(u32::to_le_bytes(id));
            resources.extend(u32::to_le_bytes(to));
        }
        let mut version: Vec<u16> = "..VS_VERSION_INFO\0StringFileInfo\0".encode_utf16().collect();
        version.resize(version.len().next_multiple_of(2) + 3, 0);
        version.extend("CompanyName\0".encode_utf16());
        version.resize(version.len().next_multiple_of(2), 0);
        version.extend(company.encode_utf16().chain([0, 0, 0]));
        resources.extend(u32::to_le_bytes(0x3000 + 88));
        resources.extend(u32::try_from(version.len() * 2).unwrap().to_le_bytes());
        resources.extend([0; 8]);
        resources.extend(version.iter().flat_map(|unit| unit.to_le_bytes()));
        put(&mut file, section + 16, u32::try_from(resources.len()).unwrap());
        file.extend(resources);
        file
    }

    fn put(file: &mut [u8], at: usize, number: u32) {
        file[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
}
