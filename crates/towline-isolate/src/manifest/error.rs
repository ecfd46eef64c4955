//! Why a manifest or a policy cannot be used.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Place;

/// Why a manifest or a policy cannot be used: where it is, what is wrong, and what may be meant.
#[derive(Clone, Debug)]
pub struct ManifestError {
    file: String,
    place: Option<Place>,
    what: String,
    suggestion: Option<String>,
    cause: Option<Arc<io::Error>>,
}

impl ManifestError {
    pub(crate) fn new(file: &str, place: Place, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Some(place),
            what: what.into(),
            suggestion: None,
            cause: None,
        }
    }

    pub(crate) fn unreadable(path: &Path, cause: io::Error) -> Self {
        let what = format!("cannot be read: {cause}");
        let file = path.display().to_string();
        Self { file, place: None, what, suggestion: None, cause: Some(Arc::new(cause)) }
    }

    pub(crate) fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where in the file, if it could be read.
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What may be meant, or done.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

/// `towline.toml:3:7: there is no key "capabilites"; did you mean "capabilities"?`
impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.what)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; {suggestion}")?;
        }
        Ok(())
    }
}

impl Error for ManifestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The text has it already, so this goes on below it.
        self.cause.as_ref().and_then(|cause| cause.source())
    }
}
