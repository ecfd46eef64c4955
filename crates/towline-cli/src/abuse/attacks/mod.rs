//! The attacks, by what they aim at.

mod answer;
mod certificate;
mod close;
mod compressed;
mod due;
mod flood;
mod frame;
mod head;
mod length;
mod origin;
mod reason;
mod request;
mod resource;
mod text;
mod tls;

use super::attack::{Attack, Side};

/// All attacks that this side can make, in the order in which they are played.
pub(super) fn by(side: Side) -> Vec<&'static Attack> {
    let all = [
        request::ATTACKS,
        answer::ATTACKS,
        origin::ATTACKS,
        tls::ATTACKS,
        certificate::ATTACKS,
        head::ATTACKS,
        frame::ATTACKS,
        length::ATTACKS,
        text::ATTACKS,
        close::ATTACKS,
        reason::ATTACKS,
        compressed::ATTACKS,
        flood::ATTACKS,
        resource::ATTACKS,
    ];
    all.into_iter().flatten().filter(|attack| attack.is_for(side)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::by;
    use crate::abuse::attack::Side;

    #[test]
    fn an_attack_is_known_by_its_name_and_says_where_it_comes_from() {
        for side in [Side::Client, Side::Server] {
            let mut names = BTreeSet::new();
            for attack in by(side) {
                assert!(names.insert(attack.name), "{} is there twice", attack.name);
                let plain =
                    |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
                assert!(attack.name.len() <= 24 && attack.name.chars().all(plain), "{attack:?}");
                assert!(!attack.source.is_empty() && !attack.does.is_empty(), "{attack:?}");
                assert!(!attack.due.good.is_empty() && attack.memory > 0, "{attack:?}");
            }
            assert!(names.len() > 40, "{side:?}: {}", names.len());
        }
    }
}
