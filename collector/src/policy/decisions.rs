//! Finds each school's file among those of `policy/`, and reads it.
//!
//! A school that has no file has the defaults, unless some file there cannot be read or names no school that
//! exists: that one may be meant for it, and what is in force stays in force until it is put right.

use std::path::{Path, PathBuf};

use redshank_matcher::Diagnostic;

use super::school::{self, File};
use super::{Choices, Rules, RulesError, read};
use crate::store::schools::School;

/// The files of a collector's schools.
pub struct Decisions {
    files: Vec<File>,
    /// What is wrong with files that cannot be told to be a school's.
    unplaced: Vec<Diagnostic>,
}

impl Decisions {
    /// Reads the files of a folder, which need not be there.
    ///
    /// # Errors
    /// [`RulesError::File`] if the folder or a file in it cannot be read.
    pub fn read(folder: &Path, schools: &[School]) -> Result<Self, RulesError> {
        let mut decisions = Self { files: Vec::new(), unplaced: Vec::new() };
        for path in files(folder)? {
            let name = path.display().to_string();
            match File::parse(&name, read(&path)?) {
                Ok(file) => decisions.place(file, schools),
                Err(mistakes) => decisions.unplaced.extend(mistakes),
            }
        }
        Ok(decisions)
    }

    fn place(&mut self, file: File, schools: &[School]) {
        if schools.iter().any(|school| file.is_of(school)) {
            self.files.push(file);
            return;
        }
        let message = format!("there is no school \"{}\"", file.school());
        let names: Vec<_> = schools.iter().map(|school| school.name.as_str()).collect();
        let help = format!("write the name of one: {}", names.join(", "));
        self.unplaced.extend(file.misplaced(&message, &help));
    }

    /// What a school has decided, on top of what the settings say for every school.
    ///
    /// # Errors
    /// [`RulesError::Mistakes`] with every mistake of its file, or of those that may be its.
    pub fn of(
        &self,
        school: &School,
        rules: &Rules,
        settings: Choices,
    ) -> Result<Choices, RulesError> {
        let mut own = self.files.iter().filter(|file| file.is_of(school));
        match (own.next(), own.next()) {
            (Some(file), None) => {
                file.choices(settings, school, rules).map_err(RulesError::Mistakes)
            }
            (Some(_), Some(second)) => {
                let message = "another file is this school's already";
                let help = "merge the two: each school has one file";
                Err(RulesError::Mistakes(second.misplaced(message, help)))
            }
            (None, _) if self.unplaced.is_empty() => Ok(school::defaults(settings, school, rules)),
            (None, _) => Err(RulesError::Mistakes(self.unplaced.clone())),
        }
    }

    /// What is wrong with files that are no school's.
    #[must_use]
    pub fn unplaced(&self) -> &[Diagnostic] {
        &self.unplaced
    }
}

/// The TOML files of a folder, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, RulesError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = super::entries(folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use redshank_proto::id::SchoolId;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn each_school_has_its_own_file_and_one_s_mistake_is_nobody_else_s() {
        let rules = Rules::read(None).unwrap();
        let [marsh, hill, third] =
            [("Marsh Lane", 1), ("Hill Top", 2), ("Third", 3)].map(|(name, n)| School {
                school: SchoolId::from_bytes([n; 16]),
                name: name.to_owned(),
                time_zone: "Europe/London".to_owned(),
            });
        let schools = [marsh.clone(), hill.clone(), third.clone()];
        let folder = TempDir::new().unwrap();
        let by_id = format!("school = \"{}\"\n[notice]\nversion = 0\n", hill.school);
        for (name, text) in [
            ("a.toml", "school = \"Marsh Lane\"\n[notice]\nversion = 7\n"),
            ("b.toml", by_id.as_str()),
            ("notes.txt", "not a policy"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let read = || Decisions::read(folder.path(), &schools).unwrap();
        let of = |school| read().of(school, &rules, Choices::default());
        assert_eq!(of(&marsh).unwrap().notice.version, 7);
        assert_eq!(of(&third).unwrap().notice.version, 1);
        assert!(of(&hill).unwrap_err().to_string().contains("b.toml:3:11"));

        for (text, message) in
            [("school = ", "c.toml:1:"), ("school = \"Nowhere\"", "no school \"Nowhere\"")]
        {
            std::fs::write(folder.path().join("c.toml"), text).unwrap();
            let error = of(&third).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
            assert_eq!(of(&marsh).unwrap().notice.version, 7, "{text}");
        }
        std::fs::write(folder.path().join("c.toml"), "school = \"Marsh Lane\"").unwrap();
        assert!(of(&marsh).unwrap_err().to_string().contains("another file"));
        assert_eq!(of(&third).unwrap().notice.version, 1);
    }

    #[test]
    fn without_a_folder_there_are_the_defaults() {
        let decisions = Decisions::read(Path::new("/nowhere/policy"), &[]).unwrap();
        assert!(decisions.unplaced().is_empty());
    }
}
