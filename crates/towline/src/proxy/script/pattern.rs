//! Patterns of a shell: `*` is any text, `?` one letter.

/// Whether the whole text is of that form. Takes no longer than the lengths of both, multiplied.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut of) = (0, 0);
    // Behind the last star, and what it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(of) {
            Some('*') => {
                of += 1;
                star = Some((of, at));
            }
            Some(letter) if *letter == '?' || *letter == text[at] => {
                at += 1;
                of += 1;
            }
            // The star takes one more.
            _ => match &mut star {
                Some((behind, taken)) => {
                    *taken += 1;
                    (of, at) = (*behind, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (text, pattern) in [
            ("", ""),
            ("", "*"),
            ("abc", "abc"),
            ("abc", "a*"),
            ("abc", "*c"),
            ("abc", "a?c"),
            ("abcbc", "a*bc"),
            ("http://a.example/x.y", "*://*.example/*"),
            ("a.b", "a.b"),
            ("äö", "??"),
        ] {
            assert!(matches(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in
            [("", "?"), ("abc", "ab"), ("abc", "abcd"), ("abc", "A*"), ("axb", "a.b"), ("ab", "*a")]
        {
            assert!(!matches(text, pattern), "{text} {pattern}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let text = "a".repeat(10_000);
        assert!(!matches(&text, &format!("{}b", "a*".repeat(50))));
    }
}
