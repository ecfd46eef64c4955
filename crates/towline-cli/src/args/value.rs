//! Values that need a word of their own.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What may be a password, and is never shown.
#[derive(Clone)]
pub(crate) struct Hidden(String);

impl Hidden {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// Reads a time: `5`, `0.5`, `500ms`, `2s`, `3m` or `1h`; a bare number is in seconds.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let unit = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)));
    let (number, unit) = unit.unwrap_or((text, 1.0));
    let bad = || "expected a time such as 5, 0.5, 500ms, 2m".to_owned();
    let seconds: f64 = number.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(seconds * unit).map_err(|_| bad())
}

/// Reads a time that is not zero.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("expected more than no time".to_owned()),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::{some_time, time};
    use std::time::Duration;

    #[test]
    fn times_are_read_in_the_units_people_write() {
        let milliseconds = |text| time(text).map(|time| time.as_millis());
        assert_eq!(milliseconds("5"), Ok(5000));
        assert_eq!(milliseconds("0.5"), Ok(500));
        assert_eq!(milliseconds("250ms"), Ok(250));
        assert_eq!(milliseconds("2m"), Ok(120_000));
        assert_eq!(milliseconds("1h"), Ok(3_600_000));
        assert_eq!(some_time("1s"), Ok(Duration::from_secs(1)));
        for bad in ["", "s", "-1", "soon", "1d", "inf", "NaN", "1e99h"] {
            assert!(time(bad).is_err(), "{bad}");
        }
        assert!(some_time("0").is_err());
    }
}
