//! Did you mean …?

/// `did you mean "…"?`, if one of the names is near.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    // Nobody's slip is that long, and the time grows with the square.
    if name.len() > 64 {
        return None;
    }
    let near = names.into_iter().map(|other| (distance(name, other), other));
    let (distance, nearest) = near.min_by_key(|(distance, _)| *distance)?;
    let allowed = 1 + name.chars().count() / 4;
    (distance <= allowed).then(|| format!("did you mean \"{nearest}\"?"))
}

/// How many letters are added, left out, exchanged or swapped with their neighbour; case is free.
fn distance(one: &str, other: &str) -> usize {
    let [one, other] = [one, other].map(|text| text.to_lowercase().chars().collect::<Vec<_>>());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (row[j] + usize::from(a != b)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}
