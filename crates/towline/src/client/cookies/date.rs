//! Dates as servers write them in cookies (RFC 6265 §5.1.1).

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Longest date that is read, in bytes. They have thirty.
const MAX_DATE: usize = 128;

/// Reads a date, in whatever order its parts are; what is before 1970 is 1970.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let text = text.get(..MAX_DATE).unwrap_or(text);
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let delimiter = |c: char| !(c.is_ascii_alphanumeric() || c == ':' || !c.is_ascii());
    for part in text.split(delimiter).filter(|part| !part.is_empty()) {
        if time.is_none() && part.contains(':') {
            time = Some(time_of_day(part)?);
        } else if day.is_none() && digits(part).len() <= 2 && !digits(part).is_empty() {
            day = digits(part).parse::<u64>().ok();
        } else if month.is_none() && month_of(part).is_some() {
            month = month_of(part);
        } else if year.is_none() && (2..=4).contains(&digits(part).len()) {
            year = digits(part).parse::<u64>().ok();
        }
    }
    let year = match year? {
        year @ 0..=69 => year + 2000,
        year @ 70..=99 => year + 1900,
        year => year,
    };
    let (day, month) = (day?, month?);
    if year < 1601 || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days(year, month, day).checked_mul(86_400)?.checked_add(time?)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The digits with which a part begins.
fn digits(part: &str) -> &str {
    part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

fn time_of_day(part: &str) -> Option<u64> {
    let mut fields = part.split(':').map(|field| digits(field).parse::<u64>().ok());
    let (hour, minute, second) = (fields.next()??, fields.next()??, fields.next()??);
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
}

/// From 1 for January.
fn month_of(part: &str) -> Option<u64> {
    let name = part.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find_map(|(number, month)| (name == month).then_some(number))
}

/// Days since 1970, none before it.
fn days(year: u64, month: u64, day: u64) -> u64 {
    // Years begin with March here, so that a leap day is the last.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let since_zero =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    since_zero.saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        Some(parse(text)?.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn dates_come_in_many_forms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "08:49:37 1994 november 6th",
        ] {
            assert_eq!(seconds(text), Some(784_111_777), "{text}");
        }
        assert_eq!(seconds("1 Jan 1970 00:00:00"), Some(0));
        assert_eq!(seconds("31 Dec 1969 23:59:59").map(|at| at < 86_400), Some(true));
        assert_eq!(seconds("29 Feb 2024 00:00:00"), Some(1_709_164_800));
        for bad in
            ["", "6 Nov 1994", "32 Nov 1994 08:49:37", "6 Nov 1994 24:00:00", "6 Nov 1600 0:0:0"]
        {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
