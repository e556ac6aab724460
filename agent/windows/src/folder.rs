//! Folders and files that only the agent may see.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;

use windows_sys::Win32::Security::Authorization::{GetNamedSecurityInfoW, SE_FILE_OBJECT};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, FILE_NAME_NORMALIZED, GetFinalPathNameByHandleW, VOLUME_NAME_DOS,
};

use crate::account;
use crate::local::{Descriptor, OWNER_AND_LIST, done, succeeded, wide_path};
use crate::sddl;

/// The longest path of Windows, in UTF-16 units with its end.
const MOST_PATH_UNITS: usize = 32_768;

/// Makes a folder for the system and its administrators, and for this process's account unless it acts as
/// an administrator: what a technician makes, the service must find to be nobody's but its own. What is
/// made in the folder is for the same.
///
/// # Errors
/// What Windows says; [`io::ErrorKind::AlreadyExists`] if anything is there by that name.
pub fn make_private(path: &Path) -> io::Result<()> {
    let user = account::of_this_process()?;
    let user = (!account::is_administrator()?).then_some(user.as_str());
    let descriptor = Descriptor::of(&sddl::of_private_folder(user))?;
    make(path, &descriptor)
}

/// The name of an account, other than administrators and this process's own, that owns the file or folder
/// or may do anything with it; `None` if there is none.
///
/// # Errors
/// What Windows says.
pub fn stranger(path: &Path) -> io::Result<Option<String>> {
    let path = wide_path(path)?;
    let mut descriptor = null_mut();
    // SAFETY: the path has its end; the descriptor is ours to free, below.
    let code = unsafe {
        GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_AND_LIST,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    succeeded(code)?;
    let text = Descriptor::given(descriptor).to_text()?;
    let stranger = sddl::stranger(&text, &account::of_this_process()?).map(str::to_owned);
    Ok(stranger.map(|stranger| account::name(&stranger)))
}

/// Where an open file lies, in full and without links on the way (`\\?\C:\…`, as `std::fs::canonicalize`
/// writes it).
///
/// # Errors
/// What Windows says.
pub fn path_of(file: &File) -> io::Result<PathBuf> {
    let mut path = vec![0_u16; MOST_PATH_UNITS];
    let most = u32::try_from(path.len()).unwrap_or(0);
    // SAFETY: the handle is open, and the buffer is as long as we say.
    let units = unsafe {
        GetFinalPathNameByHandleW(
            file.as_raw_handle(),
            path.as_mut_ptr(),
            most,
            FILE_NAME_NORMALIZED | VOLUME_NAME_DOS,
        )
    };
    match usize::try_from(units).unwrap_or(0) {
        0 => Err(io::Error::last_os_error()),
        units if units >= path.len() => Err(io::ErrorKind::InvalidFilename.into()),
        units => Ok(OsString::from_wide(&path[..units]).into()),
    }
}

fn make(path: &Path, descriptor: &Descriptor) -> io::Result<()> {
    let path = wide_path(path)?;
    let attributes = descriptor.attributes();
    // SAFETY: the path has its end, and the attributes and the descriptor live beyond the call.
    done(unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_folder_has_no_stranger_in_it_and_another_has() {
        let base = tempfile::tempdir().unwrap();
        let private = base.path().join("private");
        make_private(&private).unwrap();
        assert_eq!(stranger(&private).unwrap(), None);
        let error = make_private(&private).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");

        let open = base.path().join("open");
        let descriptor = Descriptor::of("D:P(A;OICI;FA;;;SY)(A;OICI;FR;;;WD)").unwrap();
        make(&open, &descriptor).unwrap();
        let found = stranger(&open).unwrap().unwrap();
        assert_eq!(found, account::name("S-1-1-0"));
    }

    #[test]
    fn an_open_file_tells_where_it_lies() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("Ümlaut.txt");
        let file = File::create(&path).unwrap();
        assert_eq!(path_of(&file).unwrap(), path.canonicalize().unwrap());
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let error = stranger(Path::new(r"C:\no such thing")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
        assert!(stranger(Path::new("a\0b")).is_err());
    }
}
