//! A table of TOML, whose every key is known and has the right kind of value.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::suggest::did_you_mean;
use super::{ManifestError, Ports, Source, Warning};

type Result<T> = std::result::Result<T, ManifestError>;

const MAX_ENTRIES: usize = crate::Definitions::MAX_ENTRIES;

/// A table, and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) source: &'a Source,
    /// Its name, for errors; empty for the whole file.
    name: &'a str,
    table: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// Reads a file of TOML and hands over its table.
    pub(crate) fn parse<T>(
        source: &Source,
        take: impl FnOnce(Table<'_>) -> Result<T>,
    ) -> Result<T> {
        let root = DeTable::parse(&source.text).map_err(|error| {
            let byte = error.span().map_or(0, |span| span.start);
            source.error(byte, error.message().replace('\n', " "))
        })?;
        take(Table { source, name: "", table: root.get_ref() })
    }

    /// Where the text says `what` about a key.
    pub(crate) fn byte(&self, key: &str) -> usize {
        self.table.get_key_value(key).map_or(0, |(key, _)| key.span().start)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.table.keys().map(|key| &**key.get_ref())
    }

    fn place(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) }
    }

    /// Refuses all other keys: a slip in one that narrows would leave everything open.
    pub(crate) fn only(&self, keys: &[&str]) -> Result<()> {
        let Some((key, _)) = self.table.iter().find(|(key, _)| !keys.contains(&&**key.get_ref()))
        else {
            return Ok(());
        };
        let name = key.get_ref();
        let error = self
            .source
            .error(key.span().start, format!("there is no key {name:?}{}", self.place()));
        let all = || format!("there are {}", keys.join(", "));
        Err(error.suggest(did_you_mean(name, keys.iter().copied()).or_else(|| Some(all()))))
    }

    /// The table under a key.
    pub(crate) fn table(&self, key: &'a str) -> Result<Option<Self>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong(value, key, "a table"));
        };
        Ok(Some(Table { source: self.source, name: key, table }))
    }

    /// All tables in it, by their keys.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Result<(&'a str, Self)>> {
        let Self { source, table, .. } = *self;
        let this = *self;
        table.iter().map(move |(key, value)| {
            let name: &str = key.get_ref();
            let DeValue::Table(table) = value.get_ref() else {
                return Err(this.wrong(value, name, "a table"));
            };
            Ok((name, Table { source, name, table }))
        })
    }

    pub(crate) fn bool(&self, key: &str) -> Result<Option<bool>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(Some(*value)),
            _ => Err(self.wrong(value, key, "true or false")),
        }
    }

    pub(crate) fn string(&self, key: &str) -> Result<Option<(usize, &'a str)>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some((value.span().start, text))),
            _ => Err(self.wrong(value, key, "a string")),
        }
    }

    /// The strings of a list, and where they are.
    pub(crate) fn strings(&self, key: &str) -> Result<Option<Vec<(usize, &'a str)>>> {
        let Some(entries) = self.list(key, "a list of strings")? else { return Ok(None) };
        let string = |value: &'a Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::String(text) => Ok((value.span().start, &**text)),
            _ => Err(self.wrong(value, key, "a list of strings")),
        };
        entries.map(string).collect::<Result<_>>().map(Some)
    }

    /// The strings of a list, each understood.
    pub(crate) fn parsed<T>(&self, key: &str) -> Result<Option<Vec<T>>>
    where
        T: FromStr<Err: Display>,
    {
        let Some(strings) = self.strings(key)? else { return Ok(None) };
        let parse = |(byte, text): (usize, &str)| {
            text.parse()
                .map_err(|error| self.source.error(byte, format!("{text:?} in {key}: {error}")))
        };
        strings.into_iter().map(parse).collect::<Result<_>>().map(Some)
    }

    /// The ports of a list.
    pub(crate) fn ports(&self, key: &str) -> Result<Option<Vec<u16>>> {
        let Some(entries) = self.list(key, "a list of ports")? else { return Ok(None) };
        let port = |value: &'a Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::Integer(number) => {
                let port = u16::from_str_radix(number.as_str(), number.radix()).ok();
                let port = port.filter(|port| *port != 0);
                port.ok_or_else(|| self.wrong(value, key, "a list of ports from 1 to 65535"))
            }
            _ => Err(self.wrong(value, key, "a list of ports")),
        };
        entries.map(port).collect::<Result<_>>().map(Some)
    }

    /// The ports of a list, or `"any"`.
    pub(crate) fn ports_or_any(&self, key: &str) -> Result<Ports> {
        if let Some(DeValue::String(text)) = self.table.get(key).map(Spanned::get_ref)
            && text == "any"
        {
            return Ok(Ports::Any);
        }
        Ok(Ports::These(self.ports(key)?.unwrap_or_default()))
    }

    /// What is written twice in a list of strings.
    pub(crate) fn duplicates(&self, key: &str, strings: &[(usize, &str)]) -> Vec<Warning> {
        let mut seen = BTreeSet::new();
        let twice = strings.iter().filter(|(_, text)| !seen.insert(*text));
        twice
            .map(|(byte, text)| {
                self.source.warning(*byte, format!("{text:?} stands in {key} before: remove one"))
            })
            .collect()
    }

    fn list(
        &self,
        key: &str,
        kind: &str,
    ) -> Result<Option<impl Iterator<Item = &'a Spanned<DeValue<'a>>>>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let DeValue::Array(entries) = value.get_ref() else {
            return Err(self.wrong(value, key, kind));
        };
        if entries.len() > MAX_ENTRIES {
            let what = format!("{key} has more than {MAX_ENTRIES} entries");
            return Err(self.source.error(value.span().start, what));
        }
        Ok(Some(entries.iter()))
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) -> ManifestError {
        let what = format!("{key}{} is to be {wanted}", self.place());
        self.source.error(value.span().start, what)
    }
}
