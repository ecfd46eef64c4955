//! The lines that would permit it.

use std::fmt;

/// The lines that would permit what was not.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Fix {
    edits: Vec<Edit>,
}

/// One line, and where it belongs.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Edit {
    /// The file.
    pub target: Target,
    /// The table of TOML under which it stands, `[app]`; in XML the element, `<Capabilities>`.
    pub section: String,
    /// The line. A key that is there already gets this value.
    pub line: String,
}

/// A file that can permit something.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// The app's manifest.
    Manifest,
    /// The machine's policy, which only its administrator changes.
    MachinePolicy,
}

impl Fix {
    /// `None` without any line: nothing helps.
    pub(super) fn of(edits: Vec<Edit>) -> Option<Self> {
        (!edits.is_empty()).then_some(Self { edits })
    }

    /// The lines. It takes all of them.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }
}

impl Edit {
    pub(super) fn new(target: Target, section: impl Into<String>, line: String) -> Self {
        Self { target, section: section.into(), line }
    }
}

/// `` `<Capability Name="internetClient"/>` ``, or `` `out = [5432]` under [loopback] and … ``
impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, edit) in self.edits.iter().enumerate() {
            let and = if index == 0 { "" } else { ", and " };
            write!(f, "{and}`{}`", edit.line)?;
            if edit.section.starts_with('[') {
                write!(f, " under {}", edit.section)?;
            }
            match edit.target {
                Target::Manifest => {}
                Target::MachinePolicy => write!(f, " to the machine's policy")?,
            }
        }
        Ok(())
    }
}
