//! A policy from a file: what the machine, or its user, says about apps.

use std::collections::BTreeMap;

use crate::{Capabilities, Definitions, Ports, Range, Warning};

/// What the machine's administrator, or its user, says about apps. Each only narrows.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Its file, for errors.
    pub(super) file: String,
    /// For all apps, and for those that are named.
    pub(super) all: AppRules,
    pub(super) apps: BTreeMap<String, AppRules>,
    /// Further ones.
    pub(super) critical_ports: Vec<u16>,
    pub(super) definitions: Definitions,
    /// Whether the user's policy may have exemptions.
    pub(super) user_exemptions: bool,
    pub(super) minimum_backend: Option<String>,
    pub(super) warnings: Vec<Warning>,
}

/// What is said about one app, or about all.
#[derive(Clone, Debug, Default)]
pub(super) struct AppRules {
    /// No more than these.
    pub(super) capabilities: Option<Capabilities>,
    pub(super) deny: Vec<Range>,
    /// Exemptions: all that widens.
    pub(super) loopback_out: Ports,
    pub(super) loopback_in: Ports,
    pub(super) critical_ports: Vec<u16>,
    pub(super) metadata: bool,
}

impl Layer {
    /// What is odd in it.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What is said about an app under one of its names.
    pub(super) fn app(&self, name: &str, family_name: Option<&str>) -> AppRules {
        let named = self.apps.get(name);
        named.or_else(|| self.apps.get(family_name?)).cloned().unwrap_or_default()
    }
}
