//! Hyperscan, block mode, loaded at run time from `libhs.so.5` (Debian: `libhyperscan5`).
//!
//! Values and signatures are those of `hs_common.h`, `hs_compile.h` and `hs_runtime.h` of
//! Hyperscan 5.4. A database is only ever scanned with the scratch that was made for it, and both
//! are freed before the library is unloaded.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr;

use libloading::Library;

const SUCCESS: c_int = 0;
const COMPILER_ERROR: c_int = -4;
const MODE_BLOCK: c_uint = 1;
const FLAG_CASELESS: c_uint = 1;
const FLAG_SINGLEMATCH: c_uint = 8;

/// Why Hyperscan cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum HyperscanError {
    /// The library is not there.
    #[error("libhs.so.5 cannot be loaded; on Debian: apt-get install libhyperscan5")]
    Absent(#[from] libloading::Error),
    /// A function of the library failed.
    #[error("Hyperscan's {function} failed with {code}")]
    Failed {
        /// The function.
        function: &'static str,
        /// Its error code.
        code: c_int,
    },
}

/// How patterns are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// As regular expressions.
    Expressions,
    /// As literal texts.
    Literals,
}

#[repr(C)]
struct CompileError {
    message: *mut c_char,
    expression: c_int,
}

type OnEvent = unsafe extern "C" fn(c_uint, c_ulonglong, c_ulonglong, c_uint, *mut c_void) -> c_int;
type CompileMulti = unsafe extern "C" fn(
    *const *const c_char,
    *const c_uint,
    *const c_uint,
    c_uint,
    c_uint,
    *const c_void,
    *mut *mut c_void,
    *mut *mut CompileError,
) -> c_int;
type CompileLitMulti = unsafe extern "C" fn(
    *const *const c_char,
    *const c_uint,
    *const c_uint,
    *const usize,
    c_uint,
    c_uint,
    *const c_void,
    *mut *mut c_void,
    *mut *mut CompileError,
) -> c_int;
type AllocScratch = unsafe extern "C" fn(*const c_void, *mut *mut c_void) -> c_int;
type Scan = unsafe extern "C" fn(
    *const c_void,
    *const c_char,
    c_uint,
    c_uint,
    *mut c_void,
    Option<OnEvent>,
    *mut c_void,
) -> c_int;
type Free = unsafe extern "C" fn(*mut c_void) -> c_int;
type FreeCompileError = unsafe extern "C" fn(*mut CompileError) -> c_int;
type DatabaseSize = unsafe extern "C" fn(*const c_void, *mut usize) -> c_int;
type Version = unsafe extern "C" fn() -> *const c_char;

/// Patterns compiled by Hyperscan.
#[derive(Debug)]
pub struct Hyperscan {
    database: *mut c_void,
    scratch: *mut c_void,
    scan: Scan,
    refused: Vec<usize>,
    // Last, so that it is unloaded after what points into it.
    library: Library,
}

impl Hyperscan {
    /// Compiles patterns in block mode, without regard to case; `once` reports each pattern at
    /// most once a text. Patterns that Hyperscan refuses are left out and told by
    /// [`Self::refused`].
    ///
    /// # Errors
    /// If the library is absent or takes none of the patterns.
    pub fn compile(
        patterns: &[String],
        meaning: Meaning,
        once: bool,
    ) -> Result<Self, HyperscanError> {
        // SAFETY: Debian's libhs runs no code of ours when it is loaded.
        let library = unsafe { Library::new("libhs.so.5") }?;
        let flags = FLAG_CASELESS | if once { FLAG_SINGLEMATCH } else { 0 };
        let mut left: Vec<(usize, CString)> = Vec::new();
        let mut refused = Vec::new();
        for (number, pattern) in patterns.iter().enumerate() {
            match CString::new(pattern.as_str()) {
                Ok(pattern) => left.push((number, pattern)),
                Err(_) => refused.push(number),
            }
        }
        let database = loop {
            match compile(&library, &left, meaning, flags)? {
                Ok(database) => break database,
                Err(index) => refused.push(left.remove(index).0),
            }
        };
        let mut this = Self {
            database,
            scratch: ptr::null_mut(),
            // SAFETY: the signature is that of hs_runtime.h.
            scan: unsafe { function(&library, c"hs_scan") }?,
            refused,
            library,
        };
        // SAFETY: as above.
        let alloc: AllocScratch = unsafe { function(&this.library, c"hs_alloc_scratch") }?;
        // SAFETY: the database is whole and the scratch pointer is null, as a first call wants it.
        check("hs_alloc_scratch", unsafe { alloc(this.database, &raw mut this.scratch) })?;
        Ok(this)
    }

    /// Gives the numbers of the patterns that Hyperscan did not take.
    #[must_use]
    pub fn refused(&self) -> &[usize] {
        &self.refused
    }

    /// Counts the matches in a text, which is shorter than 4 GiB.
    ///
    /// # Errors
    /// If the scan fails.
    pub fn count(&mut self, text: &[u8]) -> Result<u64, HyperscanError> {
        let mut matches = 0_u64;
        let length = c_uint::try_from(text.len()).unwrap_or(c_uint::MAX);
        // SAFETY: the text is `length` bytes long at least, the scratch is this database's and
        // borrowed for this call alone, and `matches` outlives it.
        let code = unsafe {
            (self.scan)(
                self.database,
                text.as_ptr().cast(),
                length,
                0,
                self.scratch,
                Some(count_one),
                (&raw mut matches).cast(),
            )
        };
        check("hs_scan", code)?;
        Ok(matches)
    }

    /// Gives the size of the compiled patterns in bytes.
    ///
    /// # Errors
    /// If Hyperscan does not tell.
    pub fn size(&self) -> Result<usize, HyperscanError> {
        // SAFETY: the signature is that of hs_common.h.
        let database_size: DatabaseSize = unsafe { function(&self.library, c"hs_database_size") }?;
        let mut size = 0;
        // SAFETY: the database is whole.
        check("hs_database_size", unsafe { database_size(self.database, &raw mut size) })?;
        Ok(size)
    }

    /// Gives the library's version.
    ///
    /// # Errors
    /// If it has no `hs_version`.
    pub fn version(&self) -> Result<String, HyperscanError> {
        // SAFETY: the signature is that of hs_common.h.
        let version: Version = unsafe { function(&self.library, c"hs_version") }?;
        // SAFETY: it takes nothing and gives a text that lives as long as the library.
        let text = unsafe { version() };
        // SAFETY: as above.
        Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
}

impl Drop for Hyperscan {
    fn drop(&mut self) {
        for (name, pointer) in
            [(c"hs_free_scratch", self.scratch), (c"hs_free_database", self.database)]
        {
            // SAFETY: both take one pointer and give a code (hs_common.h, hs_runtime.h).
            if let Ok(free) = unsafe { function::<Free>(&self.library, name) } {
                // SAFETY: each was made by this library, is freed once, and may be null.
                unsafe { free(pointer) };
            }
        }
    }
}

/// Compiles what is left; gives the index of the pattern that Hyperscan refuses, if it does.
fn compile(
    library: &Library,
    patterns: &[(usize, CString)],
    meaning: Meaning,
    flags: c_uint,
) -> Result<Result<*mut c_void, usize>, HyperscanError> {
    let texts: Vec<*const c_char> = patterns.iter().map(|(_, text)| text.as_ptr()).collect();
    let lengths: Vec<usize> = patterns.iter().map(|(_, text)| text.as_bytes().len()).collect();
    let flags = vec![flags; patterns.len()];
    let ids: Vec<c_uint> =
        patterns.iter().map(|(number, _)| c_uint::try_from(*number).unwrap_or(0)).collect();
    let count = c_uint::try_from(patterns.len()).unwrap_or(0);
    let mut database = ptr::null_mut();
    let mut error: *mut CompileError = ptr::null_mut();
    let code = match meaning {
        Meaning::Expressions => {
            // SAFETY: the signature is that of hs_compile.h.
            let compile: CompileMulti = unsafe { function(library, c"hs_compile_multi") }?;
            // SAFETY: each array has `count` elements and every text ends with a zero.
            unsafe {
                compile(
                    texts.as_ptr(),
                    flags.as_ptr(),
                    ids.as_ptr(),
                    count,
                    MODE_BLOCK,
                    ptr::null(),
                    &raw mut database,
                    &raw mut error,
                )
            }
        }
        Meaning::Literals => {
            // SAFETY: the signature is that of hs_compile.h.
            let compile: CompileLitMulti = unsafe { function(library, c"hs_compile_lit_multi") }?;
            // SAFETY: each array has `count` elements, and the lengths are those of the texts.
            unsafe {
                compile(
                    texts.as_ptr(),
                    flags.as_ptr(),
                    ids.as_ptr(),
                    lengths.as_ptr(),
                    count,
                    MODE_BLOCK,
                    ptr::null(),
                    &raw mut database,
                    &raw mut error,
                )
            }
        }
    };
    if code != COMPILER_ERROR {
        return check("hs_compile_multi", code).map(|()| Ok(database));
    }
    // SAFETY: after a compiler error it points to what is wrong, until it is freed.
    let index = unsafe { (*error).expression };
    // SAFETY: the signature is that of hs_compile.h.
    let free: FreeCompileError = unsafe { function(library, c"hs_free_compile_error") }?;
    // SAFETY: it was made by this library and is not used again.
    unsafe { free(error) };
    match usize::try_from(index) {
        Ok(index) if index < patterns.len() => Ok(Err(index)),
        _ => Err(HyperscanError::Failed { function: "hs_compile_multi", code }),
    }
}

/// # Safety
/// `F` must be the type of the function of this name.
unsafe fn function<F: Copy>(library: &Library, name: &CStr) -> Result<F, HyperscanError> {
    // SAFETY: the caller vouches for the type.
    let symbol = unsafe { library.get::<F>(name.to_bytes_with_nul()) }?;
    Ok(*symbol)
}

fn check(function: &'static str, code: c_int) -> Result<(), HyperscanError> {
    if code == SUCCESS { Ok(()) } else { Err(HyperscanError::Failed { function, code }) }
}

/// # Safety
/// `context` must be the `u64` that [`Hyperscan::count`] passes.
unsafe extern "C" fn count_one(
    _pattern: c_uint,
    _from: c_ulonglong,
    _to: c_ulonglong,
    _flags: c_uint,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the caller vouches for it, and nothing else holds it during the scan.
    unsafe { *context.cast::<u64>() += 1 };
    0
}
