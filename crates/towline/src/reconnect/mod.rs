//! Staying connected: one connection after another, as long as it is of any use.

mod backoff;
mod builder;
mod closing;
mod confirm;
mod drive;
mod losses;
mod messages;
mod opening;
mod permanence;
mod queue;
mod reconnector;
mod retry_after;
mod rules;
mod state;
mod states;
mod ticket;

pub use backoff::Backoff;
pub use builder::ReconnectBuilder;
pub use messages::{LinkEvent, Lost, Reconnecting};
pub use opening::Opening;
pub use reconnector::Reconnector;
pub use state::{LinkState, Why};
pub use states::{LinkChange, LinkStates};
pub use ticket::{Delivery, Ticket, Tickets};
