//! Packets in, packets out.

use std::net::SocketAddr;

use super::asked::Asked;
use super::ip::{Datagram, Refusal, datagram, refusal};
use super::names::{self, Question};

fn addresses() -> [(SocketAddr, SocketAddr); 2] {
    [
        ("192.0.0.2:40000".parse().unwrap(), "8.8.8.8:53".parse().unwrap()),
        ("[fd6c:8ad4:9e1b::2]:40000".parse().unwrap(), "[2606:4700::1111]:53".parse().unwrap()),
    ]
}

#[test]
fn a_datagram_is_read_as_it_was_written() {
    for (from, to) in addresses() {
        for payload in [&b""[..], b"x", b"odd", &[0xff; 1400], &[7; 65_000]] {
            let packet = datagram(from, to, payload).unwrap();
            let read = Datagram::parse(&packet).unwrap();
            assert_eq!((read.from, read.to), (from, to));
            assert_eq!(&packet[read.payload.clone()], payload);
            assert_eq!(sum_of_udp(&packet), 0xffff, "its checksum holds");
        }
        assert_eq!(datagram(from, to, &[0; 65_536]), None);
    }
    let [(v4, _), (_, v6)] = addresses();
    assert_eq!(datagram(v4, v6, b"x"), None);
}

/// RFC 1071: the sum over everything that is covered, the checksum with it, is all ones.
fn sum_of_udp(packet: &[u8]) -> u16 {
    let (addresses, body) = match packet[0] >> 4 {
        4 => (&packet[12..20], &packet[20..]),
        _ => (&packet[8..40], &packet[40..]),
    };
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let mut covered = [addresses, &length, &[0, 0, 0, 17], body].concat();
    covered.resize(covered.len().next_multiple_of(2), 0);
    let mut sum: u32 =
        covered.chunks_exact(2).map(|two| u32::from(u16::from_be_bytes([two[0], two[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap()
}

#[test]
fn a_packet_that_is_cut_or_changed_is_no_panic() {
    for (from, to) in addresses() {
        let packet = datagram(from, to, b"hello").unwrap();
        for length in 0..packet.len() {
            assert_eq!(Datagram::parse(&packet[..length]), None, "{length} bytes");
        }
        for at in 0..packet.len() {
            for byte in 0..=255 {
                let mut changed = packet.clone();
                changed[at] = byte;
                if let Some(read) = Datagram::parse(&changed) {
                    assert!(changed.get(read.payload).is_some());
                }
            }
        }
    }
}

#[test]
fn what_hides_where_it_goes_is_dropped() {
    let [(from, to), (from6, to6)] = addresses();
    let packet = datagram(from, to, b"hello").unwrap();
    let mut fragment = packet.clone();
    fragment[6] = 0x20; // more fragments
    let mut later = packet.clone();
    later[7] = 1; // an offset
    let mut tcp = packet.clone();
    tcp[9] = 6;
    let mut routed = datagram(from6, to6, b"hello").unwrap();
    routed[6] = 43; // a routing header
    for packet in [fragment, later, tcp, routed] {
        assert_eq!(Datagram::parse(&packet), None);
    }
    // Options of IPv4 are passed over; where it goes does not stand in them, since those are refused.
    let mut longer = packet.clone();
    longer[0] = 0x46;
    longer.splice(20..20, [1, 1, 1, 0]);
    let total = u16::try_from(longer.len()).unwrap().to_be_bytes();
    longer[2..4].copy_from_slice(&total);
    let read = Datagram::parse(&longer).unwrap();
    assert_eq!((read.to, &longer[read.payload.clone()]), (to, &b"hello"[..]));
}

#[test]
fn a_refusal_quotes_what_was_refused() {
    for (from, to) in addresses() {
        let packet = datagram(from, to, &[1; 2000]).unwrap();
        let sent = Datagram::parse(&packet).unwrap();
        for (why, four, six) in
            [(Refusal::Prohibited, [3, 13], [1, 1]), (Refusal::PortUnreachable, [3, 3], [1, 4])]
        {
            let answer = refusal(&sent, &packet, why).unwrap();
            let (header, wanted, protocol, at_most) = if from.is_ipv4() {
                (20, four, answer[9], 576)
            } else {
                (40, six, answer[6], 1280)
            };
            assert_eq!(
                (&answer[header..header + 2], protocol),
                (&wanted[..], if header == 20 { 1 } else { 58 })
            );
            assert!(answer.len() <= at_most);
            assert_eq!(&answer[header + 8..header + 108], &packet[..100]);
        }
    }
}

/// A question for a name, of type A.
fn question(labels: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in labels {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

fn name(message: &[u8]) -> Option<String> {
    Question::of(message).map(|question| question.name)
}

#[test]
fn the_name_of_a_question_is_found() {
    assert_eq!(name(&question(&["Chat", "Example", "NET"])).as_deref(), Some("chat.example.net"));
    assert_eq!(name(&question(&[])).as_deref(), Some(""));
    // With an option record behind it (RFC 6891).
    let mut with_option = question(&["a", "b"]);
    with_option[11] = 1;
    with_option.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    assert_eq!(name(&with_option).as_deref(), Some("a.b"));
}

#[test]
fn what_is_no_question_has_no_name() {
    let whole = question(&["chat", "example"]);
    for length in 0..whole.len() {
        assert_eq!(name(&whole[..length]), None);
    }
    let mut answer = whole.clone();
    answer[2] = 0x81;
    let mut two = whole.clone();
    two[5] = 2;
    let mut pointer = whole.clone();
    pointer[12] = 0xc0;
    let dotted = question(&["allowed.example", "evil"]);
    let binary = question(&["a\u{1}b"]);
    let long = question(&["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; 5]);
    // Dynamic updates, records to go with it, and bytes behind it.
    let mut update = whole.clone();
    update[2] |= 5 << 3;
    let mut behind = whole.clone();
    behind.push(0);
    let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 8, 8, 8, 8];
    let [answered, authority, additional] = [7, 9, 11].map(|count| {
        let mut with_record = whole.clone();
        with_record[count] = 1;
        with_record.extend(record);
        with_record
    });
    for message in [
        answer, two, pointer, dotted, binary, long, update, behind, answered, authority, additional,
    ] {
        assert_eq!(name(&message), None, "{message:?}");
    }
}

#[test]
fn a_question_is_refused_in_its_own_form() {
    let mut asked = question(&["chat", "example"]);
    asked[11] = 1;
    asked.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    let refused = names::refused(&asked).unwrap();
    assert_eq!(&refused[..2], &asked[..2], "its number");
    assert_eq!((refused[2] & 0x80, refused[3] & 0x0f), (0x80, 5));
    assert_eq!(&refused[4..12], &[0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(&refused[12..], &asked[12..asked.len() - 11]);
}

#[test]
fn the_addresses_of_an_answer_are_found() {
    let mut answer = question(&["chat", "example"]);
    answer[2] = 0x81;
    answer[7] = 3;
    let record = |kind: u8, data: &[u8]| {
        let length = u8::try_from(data.len()).unwrap();
        [&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, length], data].concat()
    };
    answer.extend(record(5, b"\x05other\xc0\x11"));
    answer.extend(record(1, &[8, 8, 8, 8]));
    let six: std::net::Ipv6Addr = "2606:4700::1111".parse().unwrap();
    answer.extend(record(28, &six.octets()));
    let found = names::addresses(&answer).unwrap();
    let wanted = vec!["8.8.8.8".parse().unwrap(), six.into()];
    assert_eq!((found.0.name, found.1), ("chat.example".to_owned(), wanted));
    for length in 0..answer.len() {
        assert_eq!(names::addresses(&answer[..length]), None);
    }
    assert_eq!(names::addresses(&question(&["chat"])), None, "a question");
    // Nothing in it makes it panic.
    for at in 0..answer.len() {
        for byte in 0..=255 {
            let mut changed = answer.clone();
            changed[at] = byte;
            let _ = (names::addresses(&changed), name(&changed), names::refused(&changed));
        }
    }
}

#[test]
fn only_what_was_asked_for_is_believed() {
    let asked = question(&["chat", "example"]);
    let answer = |change: fn(&mut Vec<u8>)| {
        let mut answer = asked.clone();
        (answer[2], answer[7]) = (0x81, 3);
        // It is other.example, that has an address, and so has somebody else.
        answer.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x08\x05other\xc0\x11");
        answer.extend(b"\x05OTHER\xc0\x11\0\x01\0\x01\0\0\0\x3c\0\x04\x08\x08\x08\x08");
        answer.extend(b"\x04evil\xc0\x11\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\x09\x09\x09");
        change(&mut answer);
        names::addresses(&answer)
    };
    let (found, addresses) = answer(|_| {}).unwrap();
    assert_eq!(addresses, ["8.8.8.8".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(answer(|a| a[2] = 0x01), None, "no answer");
    assert_eq!(answer(|a| a[2] = 0xa9), None, "to an update");
    assert_eq!(answer(|a| a[3] = 1), None, "an error");
    // Each question once, with its number and its type.
    let mut outstanding = Asked::default();
    assert!(!outstanding.is_answered(&found));
    outstanding.add(Question::of(&asked).unwrap());
    let others: [fn(&mut Vec<u8>); 3] = [|a| a[0] ^= 1, |a| a[13] = b'd', |a| a[27] = 28];
    for change in others {
        let other = answer(change).unwrap().0;
        assert!(!outstanding.is_answered(&other), "{other:?}");
    }
    assert!(outstanding.is_answered(&found));
    assert!(!outstanding.is_answered(&found));
}

#[test]
fn names_that_point_in_circles_are_none() {
    let mut answer = question(&["chat", "example"]);
    (answer[2], answer[7]) = (0x81, 1);
    let at = u8::try_from(answer.len()).unwrap();
    answer.extend([0xc0, at, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 8, 8, 8, 8]);
    assert!(names::addresses(&answer).unwrap().1.is_empty());
}

#[test]
fn this_machine_is_answered_for_here() {
    for labels in [&["localhost"][..], &["Secret", "LocalHost"]] {
        let asked = question(labels);
        let question = Question::of(&asked).unwrap();
        assert!(question.is_of_this_machine());
        let (again, found) = names::addresses(&question.answer(&asked).unwrap()).unwrap();
        assert_eq!((again, found), (question, vec!["127.0.0.1".parse().unwrap()]));
    }
    for labels in [&["localhost", "example"][..], &["notlocalhost"], &[]] {
        assert!(!Question::of(&question(labels)).unwrap().is_of_this_machine());
    }
}
