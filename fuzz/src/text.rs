//! One mask and one text: the parts that touch every byte of the peer's.

use towline_proto::{MaskKey, Utf8Validator};

/// The same bytes as a key with its payload, and as a text.
pub fn run(input: &[u8]) {
    mask(input);
    text(input);
}

fn mask(bytes: &[u8]) {
    let Some((key, payload)) = bytes.split_first_chunk() else { return };
    let naive: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, k)| byte ^ k).collect();
    let mut masked = payload.to_vec();
    let (first, second) = masked.split_at_mut(payload.len() / 3);
    let mut mask = MaskKey::new(*key);
    mask.apply(first);
    mask.apply(second);
    assert_eq!(masked, naive);
}

fn text(bytes: &[u8]) {
    let expected = str::from_utf8(bytes);
    for size in [1, 2, 3, 7, 65] {
        let mut utf8 = Utf8Validator::default();
        let mut text = String::new();
        let mut good = 0;
        let failed = bytes.chunks(size).any(|piece| match utf8.push(piece) {
            Ok(checked) => {
                text.extend(checked.first);
                text.push_str(checked.rest);
                good += piece.len();
                false
            }
            Err(_) => true,
        });
        // What was taken can still become UTF-8; what was refused cannot.
        let viable = |end: usize| {
            str::from_utf8(&bytes[..end]).map_or_else(|error| error.error_len().is_none(), |_| true)
        };
        assert!(viable(good));
        assert!(!failed || !viable(bytes.len().min(good + size)));
        let whole = !failed && utf8.finish().is_ok();
        assert_eq!(whole.then_some(&*text), expected.ok());
    }
}
