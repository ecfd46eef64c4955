//! [`Hop`]: a proxy on the way, and what it was shown.

use http::{HeaderMap, HeaderValue, Method};

use crate::auth::{Negotiation, Party, Scheme};
use crate::error::Result;
use crate::proxy::Proxy;

pub(super) struct Hop<'a> {
    pub(super) proxy: &'a Proxy,
    /// `None` before it is asked, once it has led on, and where there are no credentials.
    negotiation: Option<Negotiation>,
    /// What to show it first on the next connection.
    next: Option<HeaderValue>,
}

impl<'a> Hop<'a> {
    pub(super) fn new(proxy: &'a Proxy) -> Self {
        Self { proxy, negotiation: None, next: None }
    }

    /// What to show it first on this connection.
    pub(super) async fn first(&mut self) -> Result<Option<HeaderValue>> {
        let Some(credentials) = self.proxy.shown_credentials() else { return Ok(None) };
        let negotiation = self.negotiation.get_or_insert_with(|| {
            Negotiation::new(credentials, Party::Proxy, self.proxy.at().host())
        });
        if let Some(value) = self.next.take() {
            return Ok(Some(value));
        }
        negotiation.prepare(None).await?;
        negotiation.first()
    }

    /// What to answer to its 407; `None` if there is nothing more to show.
    pub(super) async fn answer(
        &mut self,
        headers: &HeaderMap,
        target: &str,
    ) -> Result<Option<HeaderValue>> {
        let Some(negotiation) = &mut self.negotiation else { return Ok(None) };
        negotiation.prepare(Some(headers)).await?;
        negotiation.answer(headers, &Method::CONNECT, target).await
    }

    /// Whether what was answered last is for this connection alone.
    pub(super) fn is_bound(&self) -> bool {
        self.negotiation.as_ref().is_some_and(Negotiation::needs_same_connection)
    }

    /// It wants this on another connection.
    pub(super) fn show_next(&mut self, value: Option<HeaderValue>) {
        self.next = value;
    }

    /// It led on. If another one of the chain makes us begin anew, it is shown the same.
    pub(super) async fn led_on(
        &mut self,
        shown: Option<HeaderValue>,
        headers: &HeaderMap,
    ) -> Result<()> {
        // A ticket is shown once.
        self.next = shown.filter(|_| !self.is_bound() && self.tried() != Some(Scheme::Negotiate));
        match self.negotiation.take() {
            Some(mut negotiation) => negotiation.confirm(headers).await,
            None => Ok(()),
        }
    }

    /// The scheme by which it was last said who we are.
    pub(super) fn tried(&self) -> Option<Scheme> {
        self.negotiation.as_ref().and_then(Negotiation::tried)
    }
}
