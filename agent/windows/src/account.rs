//! Accounts: whose a process or a thread is, and what the account is called.

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, ConvertStringSidToSidW};
use windows_sys::Win32::Security::{
    CheckTokenMembership, GetTokenInformation, LookupAccountSidW, TOKEN_QUERY, TOKEN_USER,
    TokenUser,
};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentThread, OpenProcessToken, OpenThreadToken,
};

use crate::local::{Local, done, succeeded, text, wide};

/// Bytes of a `TOKEN_USER` with its security identifier behind it: 16 and at most 68 (`SECURITY_MAX_SID_SIZE`).
const TOKEN_USER_WORDS: usize = 16;
/// UTF-16 units of a name that are taken: an account's has 256 at most, a path some 260.
const NAME_UNITS: usize = 1024;
/// Bytes of an account's name that are told on.
const NAME_BYTES: usize = 256;
/// The group of the machine's administrators.
const ADMINISTRATORS: &str = "S-1-5-32-544";
/// Where Windows lists the folders of accounts that have signed in.
const PROFILES: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

/// The security identifier of the account that this process runs as.
///
/// # Errors
/// What Windows says.
pub fn of_this_process() -> io::Result<String> {
    let mut token: HANDLE = null_mut();
    // SAFETY: takes nothing; the handle it gives is always valid and needs no closing.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: the process's handle is valid; the token's is ours, below.
    done(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
    // SAFETY: the call has just opened it, and nobody else holds it.
    user_of(&unsafe { OwnedHandle::from_raw_handle(token) })
}

/// Whether this process acts with the rights of an administrator; one who has not been asked by User
/// Account Control does not.
///
/// # Errors
/// What Windows says.
pub fn is_administrator() -> io::Result<bool> {
    let administrators = identifier(ADMINISTRATORS)?;
    let mut is_member = 0;
    // SAFETY: the identifier is valid; no token means the thread's or the process's.
    done(unsafe { CheckTokenMembership(null_mut(), administrators.0, &raw mut is_member) })?;
    Ok(is_member != 0)
}

/// The security identifier of the account as which this thread acts for somebody else.
pub(crate) fn of_impersonation() -> io::Result<String> {
    let mut token: HANDLE = null_mut();
    // SAFETY: takes nothing; the handle it gives is always valid and needs no closing.
    let thread = unsafe { GetCurrentThread() };
    // SAFETY: the thread's handle is valid; the token's is ours, below. The process's own rights open it.
    done(unsafe { OpenThreadToken(thread, TOKEN_QUERY, 1, &raw mut token) })?;
    // SAFETY: the call has just opened it, and nobody else holds it.
    user_of(&unsafe { OwnedHandle::from_raw_handle(token) })
}

/// What the account is called: the name of its profile's folder, by which the history source calls it too,
/// or, before it has one, its own name; the identifier itself where Windows knows neither. At most 256
/// bytes. May ask the domain, so blocking.
#[must_use]
pub fn name(identifier: &str) -> String {
    let mut name = profile(identifier)
        .or_else(|| account(identifier).ok())
        .unwrap_or_else(|| identifier.to_owned());
    name.truncate(name.floor_char_boundary(NAME_BYTES));
    name
}

fn user_of(token: &OwnedHandle) -> io::Result<String> {
    let mut buffer = [0_u64; TOKEN_USER_WORDS];
    let mut length = 0;
    // SAFETY: the buffer is aligned for a TOKEN_USER and as long as we say.
    done(unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            buffer.as_mut_ptr().cast(),
            u32::try_from(size_of_val(&buffer)).unwrap_or(0),
            &raw mut length,
        )
    })?;
    // SAFETY: the call has written one there; it points into the buffer, which lives to the end.
    let user = unsafe { buffer.as_ptr().cast::<TOKEN_USER>().read() };
    let mut identifier: Local<u16> = Local::NONE;
    // SAFETY: the identifier is in the buffer; the text is ours to free.
    done(unsafe { ConvertSidToStringSidW(user.User.Sid, &raw mut identifier.0) })?;
    Ok(text(&identifier))
}

/// The last part of the path of the account's profile.
fn profile(identifier: &str) -> Option<String> {
    let key = wide(&format!(r"{PROFILES}\{identifier}"));
    let value = wide("ProfileImagePath");
    let mut path = [0_u16; NAME_UNITS];
    let mut bytes = u32::try_from(size_of_val(&path)).unwrap_or(0);
    // SAFETY: both names have their ends, and the buffer is as long as we say. A value with variables in
    // it comes expanded.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_SZ,
            null_mut(),
            path.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    succeeded(code).ok()?;
    let path = until_end(&path);
    let name = path.rsplit(['\\', '/']).find(|part| !part.is_empty())?;
    Some(name.to_owned())
}

/// The account's name, without its domain.
fn account(identifier: &str) -> io::Result<String> {
    let sid = self::identifier(identifier)?;
    let (mut name, mut domain) = ([0_u16; NAME_UNITS], [0_u16; NAME_UNITS]);
    let units = u32::try_from(NAME_UNITS).unwrap_or(0);
    let (mut name_units, mut domain_units, mut kind) = (units, units, 0);
    // SAFETY: the identifier is valid, and both buffers are as long as we say.
    done(unsafe {
        LookupAccountSidW(
            null(),
            sid.0,
            name.as_mut_ptr(),
            &raw mut name_units,
            domain.as_mut_ptr(),
            &raw mut domain_units,
            &raw mut kind,
        )
    })?;
    Ok(until_end(&name))
}

/// A security identifier, from its text.
fn identifier(text: &str) -> io::Result<Local<c_void>> {
    let text = wide(text);
    let mut sid: Local<c_void> = Local::NONE;
    // SAFETY: the text has its end; the identifier is ours to free.
    done(unsafe { ConvertStringSidToSidW(text.as_ptr(), &raw mut sid.0) })?;
    Ok(sid)
}

fn until_end(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(&units[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_an_account_with_a_name() {
        let identifier = of_this_process().unwrap();
        assert!(identifier.starts_with("S-1-5-"), "{identifier}");
        let expected = std::env::var("USERPROFILE").unwrap();
        assert_eq!(Some(name(&identifier).as_str()), expected.rsplit('\\').next());
        assert!(account(&identifier).is_ok_and(|name| !name.is_empty()));
    }

    #[test]
    fn who_has_no_profile_goes_by_his_name_and_who_has_no_name_by_his_identifier() {
        assert!(profile("S-1-1-0").is_none());
        assert!(!name("S-1-1-0").starts_with("S-1-"), "{}", name("S-1-1-0"));
        assert_eq!(name("S-1-5-21-9-9-9-4242"), "S-1-5-21-9-9-9-4242");
        assert_eq!(name("nothing of the kind"), "nothing of the kind");
    }
}
