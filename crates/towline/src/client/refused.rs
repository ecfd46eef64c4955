//! [`Refused`]: how a visit ended that opened no WebSocket, and what that means for whoever connects.

use http::StatusCode;
use towline_proto::WsUri;

use super::redirect::RedirectError;
use super::{ShakingHands, proxy};
use crate::auth::{Negotiation, Scheme};
use crate::error::{Error, ErrorKind};
use crate::http1::{self, Refusal};
use crate::info::ConnectionInfo;

pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) info: ConnectionInfo,
    /// What there was to say who we are.
    pub(super) had: Had,
}

/// What there was to say who we are.
#[derive(Clone, Copy)]
pub(super) enum Had {
    Nothing,
    /// It was left behind when a redirect led to another origin.
    LeftBehind,
    /// Nothing that the server asked for.
    Unasked,
    /// It was said so.
    Said(Scheme),
}

impl Had {
    pub(super) fn of(negotiation: Option<&Negotiation>, left_behind: bool) -> Self {
        match negotiation.map(Negotiation::tried) {
            None if left_behind => Self::LeftBehind,
            None => Self::Nothing,
            Some(None) => Self::Unasked,
            Some(Some(scheme)) => Self::Said(scheme),
        }
    }
}

impl Refused {
    pub(super) fn error(self, uri: &WsUri) -> Error {
        let status = self.refusal.response.status();
        let asks = status == StatusCode::UNAUTHORIZED;
        let refused = |response| http1::refused(ShakingHands(uri), response);
        let error = match self.had {
            Had::Said(scheme) if asks => {
                let cause = format!("the server answered {status} to credentials sent by {scheme}");
                Error::new(ErrorKind::Handshake, ShakingHands(uri))
                    .cause(cause)
                    .advise(match scheme {
                        Scheme::Bearer => {
                            "is the token right? or the server wants other credentials"
                        }
                        Scheme::Negotiate => "are they right, and the ticket this server's?",
                        Scheme::Basic | Scheme::Digest | Scheme::Ntlm => {
                            "are the user name and password right?"
                        }
                    })
                    .with_response(self.refusal.response)
            }
            Had::Unasked if asks => refused(self.refusal.response)
                .advise("it asks for something else than the credentials that are set"),
            Had::LeftBehind if asks => refused(self.refusal.response).advise(
                "a redirect led there, and credentials do not go along to another origin: connect \
                 to that address if you trust it",
            ),
            Had::Nothing | Had::LeftBehind | Had::Unasked | Had::Said(_) => {
                refused(self.refusal.response)
            }
        };
        proxy::named(error, &self.info)
    }

    /// It leads somewhere else, and there nobody goes.
    pub(super) fn nowhere(self, uri: &WsUri, error: RedirectError) -> Error {
        let error = Error::new(ErrorKind::Handshake, ShakingHands(uri))
            .with_hresult(error.hresult())
            .cause(error)
            .advise("connect to the address that it should lead to")
            .with_response(self.refusal.response);
        proxy::named(error, &self.info)
    }

    /// The connection ended between being asked and answering.
    pub(super) fn interrupted(self, uri: &WsUri) -> Error {
        let scheme = match self.had {
            Had::Said(scheme) => scheme.name(),
            Had::Nothing | Had::LeftBehind | Had::Unasked => "credentials",
        };
        let error = Error::new(ErrorKind::Handshake, ShakingHands(uri))
            .cause(format!("the server asked for {scheme} and ended the connection"))
            .advise("it has to be answered on the same one; is there a proxy between?")
            .with_response(self.refusal.response);
        proxy::named(error, &self.info)
    }
}
