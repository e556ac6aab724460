//! Text to Windows and back, and memory that it allots.

use std::io;
use std::path::Path;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
    SECURITY_ATTRIBUTES,
};

/// What is asked for of a security descriptor: the owner and the access list.
pub(crate) const OWNER_AND_LIST: u32 = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
/// UTF-16 units that are read of a text of Windows. The longest is an access list: of 64 KiB at most, in
/// some four times as many units.
const MOST_UNITS: usize = 256 * 1024;

/// A block of memory that Windows has allotted with `LocalAlloc`, and that goes back when dropped.
#[derive(Debug)]
pub(crate) struct Local<T>(pub(crate) *mut T);

impl<T> Local<T> {
    pub(crate) const NONE: Self = Self(std::ptr::null_mut());
}

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer is null, which is allowed, or came from a call that says it is to be freed
        // so, and nobody else holds it.
        unsafe { LocalFree(self.0.cast()) };
    }
}

/// A text with its end, as Windows takes it.
pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A path with its end, as Windows takes it.
pub(crate) fn wide_path(path: &Path) -> io::Result<Vec<u16>> {
    use std::os::windows::ffi::OsStrExt as _;
    let mut wide: Vec<u16> = path.as_os_str().encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path holds a zero"));
    }
    wide.push(0);
    Ok(wide)
}

/// Reads a text up to its end.
pub(crate) fn text(units: &Local<u16>) -> String {
    if units.0.is_null() {
        return String::new();
    }
    let mut text = Vec::new();
    for index in 0..MOST_UNITS {
        let unit = units.0.wrapping_add(index);
        // SAFETY: the pointer is not null and Windows ends its texts with a zero, before which we stop.
        let unit = unsafe { unit.read() };
        if unit == 0 {
            break;
        }
        text.push(unit);
    }
    String::from_utf16_lossy(&text)
}

/// What Windows answers: zero is failure, and says why elsewhere.
pub(crate) fn done(answer: i32) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What Windows answers: zero is success.
pub(crate) fn succeeded(code: u32) -> io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}

/// A security descriptor, made of its text.
#[derive(Debug)]
pub(crate) struct Descriptor(Local<std::ffi::c_void>);

impl Descriptor {
    pub(crate) fn of(sddl: &str) -> io::Result<Self> {
        let sddl = wide(sddl);
        let mut descriptor: Local<std::ffi::c_void> = Local::NONE;
        // SAFETY: the text has its end; the descriptor is ours to free.
        done(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                sddl.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor.0,
                std::ptr::null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }

    /// Takes over what Windows gave.
    pub(crate) fn given(descriptor: PSECURITY_DESCRIPTOR) -> Self {
        Self(Local(descriptor))
    }

    /// Its owner and access list, in text.
    pub(crate) fn to_text(&self) -> io::Result<String> {
        let mut units: Local<u16> = Local::NONE;
        // SAFETY: the descriptor is one that Windows made; the text is ours to free.
        done(unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                self.0.0,
                SDDL_REVISION_1,
                OWNER_AND_LIST,
                &raw mut units.0,
                std::ptr::null_mut(),
            )
        })?;
        Ok(text(&units))
    }

    /// For a call that makes something; to be used while this lives.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
            lpSecurityDescriptor: self.0.0,
            bInheritHandle: 0,
        }
    }
}
