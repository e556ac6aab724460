//! The program source from outside: real processes, started by these tests, are seen in the real process
//! table.

#[cfg(target_os = "linux")]
#[cfg(test)]
mod follow;
