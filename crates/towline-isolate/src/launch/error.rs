//! Why a program was not started.

use std::fmt;
use std::io;

/// Why a program was not started in isolation.
#[derive(Debug)]
pub struct LaunchError {
    kind: LaunchErrorKind,
    told: String,
    advice: Option<String>,
}

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LaunchErrorKind {
    /// This machine cannot isolate it, or may not.
    Unable,
    /// There is no such program.
    NotFound,
    /// Anything else.
    Failed,
}

impl LaunchError {
    pub(super) fn unable(doing: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::new(LaunchErrorKind::Unable, doing, why)
    }

    pub(super) fn failed(doing: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::new(LaunchErrorKind::Failed, doing, why)
    }

    pub(super) fn starting(program: &str, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => LaunchErrorKind::NotFound,
            _ => LaunchErrorKind::Failed,
        };
        Self::new(kind, format!("starting {program}"), error)
    }

    pub(super) fn new(
        kind: LaunchErrorKind,
        doing: impl Into<String>,
        why: impl fmt::Display,
    ) -> Self {
        Self { kind, told: format!("{}: {why}", doing.into()), advice: None }
    }

    pub(super) fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice.to_owned());
        self
    }

    /// One that another process told of.
    pub(super) fn told(kind: LaunchErrorKind, told: &str, advice: &str) -> Self {
        let advice = (!advice.is_empty()).then(|| advice.to_owned());
        Self { kind, told: told.to_owned(), advice }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> LaunchErrorKind {
        self.kind
    }

    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl std::error::Error for LaunchError {}
