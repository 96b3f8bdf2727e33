//! What fixtures use of a crate that is out of the linter's sight: nothing here does anything.

#[cfg(windows)]
mod windows;

use std::ops::{Deref, DerefMut};

#[cfg(windows)]
pub use windows::*;

pub mod console {
    pub fn sorry(words: &str) -> ! {
        eprintln!("{words}");
        std::process::exit(1)
    }
}

#[derive(Default)]
pub struct Names(Vec<&'static str>);

impl Names {
    pub fn push(&mut self, name: &'static str) {
        self.0.push(name);
    }
}

pub fn receive<T>() -> Result<T, u32> {
    Err(1)
}

pub fn tries() -> Result<u32, u32> {
    Err(1)
}

pub fn count(tries: u32) -> Result<u32, u32> {
    Ok(tries)
}

pub fn watched<T>(watched: T) -> Result<T, u32> {
    Ok(watched)
}

pub fn until<T>(_exit: T, count: u32) -> Result<(), u32> {
    Err(count)
}

pub fn report(result: Result<(), u32>) -> Result<(), u32> {
    result
}

/// A lock whose guard comes without a `Result`.
pub struct Mutex<T>(std::sync::Mutex<T>);

pub struct Guard<'a, T>(std::sync::MutexGuard<'a, T>);

impl<T> Mutex<T> {
    pub fn lock(&self) -> Guard<'_, T> {
        Guard(self.0.lock().expect("nobody panics under it"))
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

pub struct Events {
    pub tries: u32,
    pub event: isize,
}

pub fn events() -> Guard<'static, Events> {
    static EVENTS: Mutex<Events> = Mutex(std::sync::Mutex::new(Events { tries: 0, event: 0 }));
    EVENTS.lock()
}

/// Tells a server to stop.
#[derive(Clone)]
pub struct Stop(());

impl Stop {
    pub async fn told(&self) {}

    pub fn abandon(&self) {}
}

/// What a system call yields when it fails.
pub trait Sentinel: Sized {
    fn sentinel() -> Self;
}

impl Sentinel for i32 {
    fn sentinel() -> Self {
        -1
    }
}
