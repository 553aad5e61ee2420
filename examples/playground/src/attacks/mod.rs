//! The attacks, each once: what the command's table has as a line and the page as a button.
//!
//! Each has a flow of its own and is refused. After an attack on a code that is still good comes the honest client, and
//! must be served. What the attacker sends has `user-agent: attacker`, so that it can be told apart on the wire.
//!
//! The last group is of another kind: what PKCE lets pass. Each is played twice, by PKCE alone, which serves it, and with
//! the defence that stops it.

mod authorization_request;
mod limits;
mod outcome;
mod race;
mod replay;
mod stolen_code;
mod token_request;

use std::fmt;
use std::pin::Pin;

use crate::attacks::outcome::Outcome;
use crate::table::Row;
use crate::user::Result;
use crate::wire::Wire;

/// How the attacker's requests name their sender.
const ATTACKER: (&str, &str) = ("user-agent", "attacker");

/// A verifier in the right form that is not the right one.
const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

/// Attacks with the same idea.
#[derive(Debug)]
#[non_exhaustive]
pub struct Group {
    /// What they have in common.
    pub title: &'static str,
    /// What the attacker has or does.
    pub idea: &'static str,
    /// The attacks.
    pub attacks: &'static [Attack],
}

/// The attacks that PKCE refuses.
pub static GROUPS: [Group; 5] =
    [stolen_code::GROUP, authorization_request::GROUP, token_request::GROUP, replay::GROUP, race::GROUP];

/// The attacks that PKCE does not see, on a server with the routes of [`app`](crate::app).
pub static LIMITS: Group = limits::GROUP;

/// One attack.
#[non_exhaustive]
pub struct Attack {
    /// Its name, for a URL.
    pub name: &'static str,
    /// What is tried.
    pub tried: &'static str,
    /// What a server that is less strict would do.
    pub hope: &'static str,
    /// Why it is refused; of the [`LIMITS`] why PKCE lets it pass, and what stops it.
    pub rule: &'static str,
    /// The clauses that govern it.
    pub clauses: &'static [&'static str],
    play: Play,
}

type Play = fn(Wire) -> Playing;
type Playing = Pin<Box<dyn Future<Output = Result<Outcome>> + Send>>;

impl Attack {
    /// The attack of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        GROUPS.iter().chain([&LIMITS]).flat_map(|group| group.attacks).find(|attack| attack.name == name)
    }

    /// Plays it against a server that runs.
    ///
    /// # Errors
    ///
    /// When an honest step before or after it fails.
    pub async fn play(&self, wire: Wire) -> Result<Row> {
        let Outcome { said, right } = (self.play)(wire).await?;
        Ok(Row::said(self.tried, &said, right))
    }
}

impl fmt::Debug for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attack").field("name", &self.name).finish_non_exhaustive()
    }
}
