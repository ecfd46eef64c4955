//! What connections may keep between messages, all together.

use towline_proto::handshake::headers::extensions;
use towline_proto::{Config, Deflate, MemoryBudget, Role};

use super::{connect, header};

const OFFER: &str = "permessage-deflate; client_max_window_bits";

#[test]
fn new_connections_keep_nothing_once_it_is_used_up() {
    let each = Deflate::default().compressor_memory(15) + Deflate::DECOMPRESSOR_MEMORY;
    let budget = MemoryBudget::new(2 * each + 1);
    let settings = Deflate::default().memory_budget(budget.clone());
    let mut connections = Vec::new();
    for expected in [
        "permessage-deflate",
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ] {
        let terms = settings.accept(&header(OFFER)).unwrap();
        assert_eq!(terms.to_string(), expected);
        connections.push(connect(Role::Server, Config::default(), &terms));
    }
    assert_eq!((budget.reserved(), budget.limit()), (2 * each, 2 * each + 1));

    // A connection that goes gives its part back, once both of its halves have gone.
    let (receiver, sender) = connections.remove(0).into_parts();
    drop(receiver);
    assert_eq!(budget.reserved(), 2 * each);
    drop(sender);
    assert_eq!(budget.reserved(), each);
    let terms = settings.accept(&header(OFFER)).unwrap();
    assert_eq!(terms.to_string(), "permessage-deflate");
    drop(terms);
    assert_eq!(budget.reserved(), each, "nothing came of it");
    drop(connections);
    assert_eq!(budget.reserved(), 0);
}

#[test]
fn a_client_reserves_for_its_offer_and_keeps_what_was_agreed() {
    let settings = Deflate::default();
    let both = settings.compressor_memory(15) + Deflate::DECOMPRESSOR_MEMORY;
    let budget = MemoryBudget::new(both);
    let settings = settings.memory_budget(budget.clone());
    let offer = settings.offer();
    assert_eq!(budget.reserved(), both);
    assert_eq!(
        settings.offer().to_string(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         client_max_window_bits"
    );
    let answer = header("permessage-deflate; client_no_context_takeover");
    let terms = offer.agreed(&extensions(&answer).unwrap()).unwrap().unwrap();
    assert_eq!(budget.reserved(), Deflate::DECOMPRESSOR_MEMORY);
    drop(terms);
    assert_eq!(budget.reserved(), 0);
    let offer = settings.offer();
    let smaller = header("permessage-deflate; client_max_window_bits=10");
    let terms = offer.agreed(&extensions(&smaller).unwrap()).unwrap().unwrap();
    assert_eq!(budget.reserved(), settings.compressor_memory(10) + Deflate::DECOMPRESSOR_MEMORY);
    drop(terms);
    // A server that does not compress costs nothing.
    drop(settings.offer().agreed(&[]).unwrap());
    assert_eq!(budget.reserved(), 0);
}

#[test]
fn what_is_said_not_to_be_taken_over_is_not_reserved() {
    let budget = MemoryBudget::new(usize::MAX);
    let settings = Deflate::default().memory_budget(budget.clone());
    let offers = [
        ("; client_no_context_takeover", settings.compressor_memory(15)),
        ("; server_no_context_takeover", Deflate::DECOMPRESSOR_MEMORY),
        ("; server_no_context_takeover; client_no_context_takeover", 0),
    ];
    for (params, kept) in offers {
        let terms = settings.accept(&header(&format!("{OFFER}{params}"))).unwrap();
        assert_eq!(budget.reserved(), kept, "{terms}");
    }
}
