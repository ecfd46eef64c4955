//! How bad an error of a certificate is.

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Severity {
    /// Nothing is wrong.
    #[default]
    None,
    /// It may be ignored, by who knows why.
    Ignorable,
    /// It may never be ignored.
    Fatal,
}
