//! The mask against a naive one, at every length, alignment and split.

use proptest::prelude::{any, proptest};
use towline_proto::MaskKey;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn naive(key: [u8; 4], data: &[u8]) -> Vec<u8> {
    data.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect()
}

fn pattern(len: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().map(|byte| byte.wrapping_mul(37)).take(len).collect()
}

#[test]
fn every_length_at_every_alignment() {
    for start in 0..64 {
        for len in 0..=64 {
            let mut data = pattern(start + len + 3);
            let expected = naive(KEY, &data[start..start + len]);
            let around = (data[..start].to_vec(), data[start + len..].to_vec());
            MaskKey::new(KEY).apply(&mut data[start..start + len]);
            assert_eq!(data[start..start + len], expected, "{len} bytes from {start}");
            assert_eq!(around, (data[..start].to_vec(), data[start + len..].to_vec()));
        }
    }
}

#[test]
fn every_split_into_three() {
    let expected = naive(KEY, &pattern(40));
    for first in 0..=40 {
        for second in first..=40 {
            let mut data = pattern(40);
            let mut key = MaskKey::new(KEY);
            key.apply(&mut data[..first]);
            key.apply(&mut data[first..second]);
            key.apply(&mut data[second..]);
            assert_eq!(data, expected, "split at {first} and {second}");
        }
    }
}

#[test]
fn the_key_turns_on_by_as_many_bytes_as_were_masked() {
    for len in 0..64 {
        let mut key = MaskKey::new(KEY);
        key.apply(&mut pattern(len));
        let mut turned = KEY;
        turned.rotate_left(len % 4);
        assert_eq!(key.to_bytes(), turned, "after {len} bytes");
    }
}

#[test]
fn masking_twice_is_nothing() {
    let mut data = pattern(1000);
    MaskKey::new(KEY).apply(&mut data);
    assert_ne!(data, pattern(1000));
    MaskKey::new(KEY).apply(&mut data);
    assert_eq!(data, pattern(1000));
}

#[test]
fn a_key_of_zeros_changes_nothing() {
    let mut data = pattern(100);
    MaskKey::new([0; 4]).apply(&mut data);
    assert_eq!(data, pattern(100));
}

proptest! {
    #[test]
    fn any_key_over_any_bytes_cut_anywhere(
        key: [u8; 4],
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..10),
    ) {
        let expected = naive(key, &pieces.concat());
        let mut mask = MaskKey::new(key);
        let mut masked = pieces;
        for piece in &mut masked {
            mask.apply(piece);
        }
        proptest::prop_assert_eq!(masked.concat(), expected);
    }
}
