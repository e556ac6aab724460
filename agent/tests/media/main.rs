//! The removable media source from outside: a stick comes and goes in a tree that is laid out as the kernel
//! lays out `/sys`.

#[cfg(target_os = "linux")]
#[cfg(test)]
mod follow;
