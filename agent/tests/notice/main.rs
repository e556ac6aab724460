//! The notice from outside: the program itself shows it and says that it was shown, as a desktop's entry at
//! sign-in has it do.

#[cfg(unix)]
#[cfg(test)]
mod command;
