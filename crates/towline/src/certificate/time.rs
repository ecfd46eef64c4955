//! Moments, as certificates write them.

use super::der::{Element, tag};

/// Seconds since 1970, or none if it is no moment.
///
/// RFC 5280 §4.1.2.5: in UTC and to the second, with two digits for the years from 1950 to 2049.
pub(crate) fn seconds(time: Element<'_>) -> Option<i64> {
    let mut digits = time.value.strip_suffix(b"Z")?.iter();
    let mut pair = || match (digits.next(), digits.next()) {
        (Some(ten @ b'0'..=b'9'), Some(one @ b'0'..=b'9')) => {
            Some(i64::from(ten - b'0') * 10 + i64::from(one - b'0'))
        }
        _ => None,
    };
    let year = match time.tag {
        tag::GENERALIZED_TIME => pair()? * 100 + pair()?,
        tag::UTC_TIME => match pair()? {
            year @ 50.. => 1900 + year,
            year => 2000 + year,
        },
        _ => return None,
    };
    let (month, day) = (pair()?, pair()?);
    let (hour, minute, second) = (pair()?, pair()?, pair()?);
    let before = BEFORE_MONTH.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    let fits = (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !fits || digits.next().is_some() {
        return None;
    }
    // The leap day of this year counts from March on.
    let leap_days = leap_days(if month > 2 { year } else { year - 1 });
    let days = (year - 1970) * 365 + leap_days - self::leap_days(1969) + before + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days of a common year that are over when each month begins.
const BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Leap days from the year 1 to the end of this one.
fn leap_days(year: i64) -> i64 {
    year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        let tag = if text.len() == 13 { tag::UTC_TIME } else { tag::GENERALIZED_TIME };
        seconds(Element { tag, value: text.as_bytes(), whole: &[] })
    }

    #[test]
    fn moments_are_seconds() {
        for (text, expected) in [
            ("700101000000Z", 0),
            ("19700101000001Z", 1),
            ("491231235959Z", 2_524_607_999),
            ("500101000000Z", -631_152_000),
            ("20000229120000Z", 951_825_600),
            ("20000301000000Z", 951_868_800),
            ("20380119031408Z", 2_147_483_648),
            ("21000301000000Z", 4_107_542_400),
            ("99991231235959Z", 253_402_300_799),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for bad in [
            "",
            "Z",
            "7001010000Z",
            "700001000000Z",
            "701301000000Z",
            "700100000000Z",
            "700101240000Z",
            "700101006000Z",
            "70010100000aZ",
            "700101000000 ",
            "700101000000+",
            "197001010000001Z",
            "00000101000000",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
