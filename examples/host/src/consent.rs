//! What the user decided on the sign-in page.

use constant_time_eq::constant_time_eq;
use pkce_core::BindError;

use crate::answer::Answer;
use crate::form::Form;
use crate::grant::Grant;
use crate::host::Host;
use crate::pages;
use crate::pending::Pending;
use crate::random;

const USER: &str = "alice";
const PASSWORD: &str = "wonderland";

/// What the user decided.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, clippy::large_enum_variant, reason = "a server handles both at once")]
pub enum Consent<'a> {
    /// A code is to be issued.
    Approved(Approved<'a>),
    /// There is nothing to issue: a denial, a wrong password, a page that was used.
    Answered(Answer),
}

/// A granted request: bind a code, then redirect with it.
#[derive(Debug)]
pub struct Approved<'a> {
    host: &'a Host,
    pending: Pending,
    grant: Grant,
}

impl Host {
    /// `POST /sign-in`. Of any number of submissions of one page, one is approved.
    pub fn decide(&self, body: &[u8]) -> Consent<'_> {
        let form = Form::parse(body);
        let gone = || Consent::Answered(pages::message(400, "This page is no longer valid. Please start again."));
        let Some(transaction) = form.one("transaction") else { return gone() };
        match form.one("decision") {
            Some("deny") => match self.pending.take(transaction) {
                Some(pending) => Consent::Answered(self.redirect_error(&pending, "access_denied")),
                None => gone(),
            },
            Some("allow") if !knows_the_password(&form) => match self.pending.peek(transaction) {
                Some(pending) => Consent::Answered(pages::sign_in(401, transaction, &pending)),
                None => gone(),
            },
            Some("allow") => match (self.pending.take(transaction), random::name()) {
                (Some(pending), Some(id)) => {
                    let grant = Grant {
                        id,
                        client_id: pending.client_id.clone(),
                        redirect_uri: pending.redirect_uri.clone(),
                        subject: USER.to_owned(),
                        scope: pending.scope.clone(),
                    };
                    Consent::Approved(Approved { host: self, pending, grant })
                }
                (Some(pending), None) => Consent::Answered(self.redirect_error(&pending, "server_error")),
                (None, _) => gone(),
            },
            _ => Consent::Answered(pages::message(400, "Please allow or deny.")),
        }
    }

    /// `POST /sign-in` with a body that is too large, broken, or not a form.
    pub fn unreadable(&self, status: u16) -> Answer {
        pages::message(status, "The form cannot be read.")
    }
}

impl Approved<'_> {
    /// The request: its challenge is to be bound.
    pub const fn request(&self) -> &Pending {
        &self.pending
    }

    /// What was granted: to be bound with it.
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The redirect with the code, once it is bound.
    pub fn redirect(&self, code: &str) -> Answer {
        self.host.redirect_with(&self.pending, ("code", code))
    }

    /// The redirect if the code could not be bound: it does not leave.
    pub fn redirect_unbound(&self, error: &BindError) -> Answer {
        self.host.redirect_error(&self.pending, error.reason().error().as_str())
    }

    /// The redirect if there is no code to bind.
    pub fn redirect_without_code(&self) -> Answer {
        self.host.redirect_error(&self.pending, "server_error")
    }
}

fn knows_the_password(form: &Form) -> bool {
    let presented = form.one("password").unwrap_or_default();
    form.one("username") == Some(USER) && constant_time_eq(presented.as_bytes(), PASSWORD.as_bytes())
}
