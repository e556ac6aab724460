//! The program source from outside: real processes, started by these tests, are seen in the real process
//! table.

#[cfg(any(target_os = "linux", windows))]
#[cfg(test)]
mod follow;
