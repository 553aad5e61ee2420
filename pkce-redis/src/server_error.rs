//! The code of a server's error, and a fixed sentence for the operator.
//!
//! A server may quote the arguments of a command in its error text, and these contain the proof and the ticket. Nothing
//! of that text is kept: every message is made of the strings in this file.

use redis::{RedisError, ServerError, Value};

/// The commands that an error can name: those that the store sends, and those that a connection sends by itself.
const COMMANDS: [&str; 10] = ["EVALSHA", "EVAL", "SET", "GET", "WAIT", "PING", "ASKING", "CLUSTER", "SELECT", "ROLE"];

/// The code of an error, and what the server says of it. Codes are words such as `READONLY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal<'a> {
    pub(crate) code: &'a str,
    detail: &'a str,
}

impl<'a> Refusal<'a> {
    /// `None` unless a server sent the error.
    pub(crate) fn of_error(error: &'a RedisError) -> Option<Self> {
        let detail = error.detail().unwrap_or_default();
        error.code().map(|code| Self::new(code, detail))
    }

    pub(crate) fn of_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::ServerError(error) => Some(Self::of_server_error(error)),
            _ => None,
        }
    }

    fn of_server_error(error: &'a ServerError) -> Self {
        Self::new(error.code(), error.details().unwrap_or_default())
    }

    fn new(code: &'a str, detail: &'a str) -> Self {
        // Redis 6 puts a script's place before its error: `@user_script: 47: -READONLY You can't …`.
        let code = match code {
            "@user_script:" => detail.split(' ').find_map(|word| word.strip_prefix('-')).unwrap_or("ERR"),
            code => code,
        };
        Self { code, detail }
    }

    /// Whether the server accepts no writes, because it is a replica, is about to become one, or has lost its own.
    ///
    /// Nothing was written, and the master is likely to be another server.
    pub(crate) fn is_by_a_demoted_server(&self) -> bool {
        matches!(self.code, "READONLY" | "MASTERDOWN" | "LOADING" | "NOREPLICAS")
    }

    /// What an operator reads in the log.
    pub(crate) fn sentence(&self) -> String {
        let sentence = match self.code {
            "READONLY" => "the connection leads to a replica, which accepts no writes",
            "MASTERDOWN" => "the connection leads to a replica that has lost its master",
            "LOADING" => "Redis is still loading its data",
            "MISCONF" => "Redis accepts no writes because it cannot save its data to disk",
            "NOREPLICAS" => "Redis accepts no writes because it has fewer replicas than min-replicas-to-write",
            "CLUSTERDOWN" => "no node of the Redis Cluster serves the slot of the key",
            "TRYAGAIN" => "the slot of the key is moving between two nodes of the Redis Cluster",
            "MOVED" | "ASK" => "another node of the Redis Cluster has the key, and this connection does not follow",
            "NOAUTH" => "Redis requires a password, and the connection sent none",
            "WRONGPASS" => "Redis rejected the user name or the password",
            "NOSCRIPT" => "Redis does not keep the script",
            "BUSY" => "Redis is busy with another script",
            "NOPERM" => return self.permission(),
            _ if self.detail.starts_with("unknown command") => {
                let command = self.command().unwrap_or("of the store");
                return format!("Redis does not know the command {command}: was it renamed? ({})", self.code());
            }
            _ if self.says("nknown Redis command called from") || self.says("nknown command called from") => {
                "Redis does not know a command that the scripts call (GET, GETRANGE, SETRANGE, STRLEN, EXISTS): \
                 was it renamed?"
            }
            _ if self.says("can't run this command") || self.says("ACL failure") => {
                "the Redis user may not run a command that the scripts call (GET, GETRANGE, SETRANGE, STRLEN, EXISTS)"
            }
            // The client reports what a connection was refused at its start under this code, too.
            _ if self.says("no permissions") => return self.permission(),
            _ if self.says("max number of clients") => "Redis accepts no more connections (maxclients)",
            _ => "Redis rejected the command",
        };
        format!("{sentence} ({})", self.code())
    }

    fn permission(&self) -> String {
        match self.command() {
            Some(command) => format!("the Redis user may not run {command} ({})", self.code()),
            None => format!("the Redis user may not access the store's keys ({})", self.code()),
        }
    }

    fn says(&self, what: &str) -> bool {
        self.detail.contains(what)
    }

    /// The first of our commands that the text quotes: Redis 6 writes `` `set` ``, later ones write `'set'`.
    fn command(&self) -> Option<&'static str> {
        let mut words = self.detail.split(['\'', '`', '|']);
        words.find_map(|word| COMMANDS.into_iter().find(|command| command.eq_ignore_ascii_case(word)))
    }

    /// The code, if it is one: a server can send any word in its place.
    fn code(&self) -> &str {
        let is_code = (1..=20).contains(&self.code.len()) && self.code.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code { self.code } else { "unknown error" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPTS_MAY_NOT: &str =
        "the Redis user may not run a command that the scripts call (GET, GETRANGE, SETRANGE, STRLEN, EXISTS) (ERR)";
    const SCRIPTS_DO_NOT: &str = "Redis does not know a command that the scripts call (GET, GETRANGE, SETRANGE, \
                                  STRLEN, EXISTS): was it renamed? (ERR)";

    /// What Redis 6.2, Redis 7.0 and Valkey 9.1 send, and what a log shows of it.
    const SENTENCES: [(&str, &str); 28] = [
        (
            "READONLY You can't write against a read only replica.",
            "the connection leads to a replica, which accepts no writes (READONLY)",
        ),
        (
            "@user_script: 47: -READONLY You can't write against a read only replica.",
            "the connection leads to a replica, which accepts no writes (READONLY)",
        ),
        (
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "the connection leads to a replica that has lost its master (MASTERDOWN)",
        ),
        ("LOADING Redis is loading the dataset in memory", "Redis is still loading its data (LOADING)"),
        (
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
            "Redis accepts no writes because it cannot save its data to disk (MISCONF)",
        ),
        (
            "@user_script: 25: -NOREPLICAS Not enough good replicas to write.",
            "Redis accepts no writes because it has fewer replicas than min-replicas-to-write (NOREPLICAS)",
        ),
        ("CLUSTERDOWN Hash slot not served", "no node of the Redis Cluster serves the slot of the key (CLUSTERDOWN)"),
        (
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "the slot of the key is moving between two nodes of the Redis Cluster (TRYAGAIN)",
        ),
        (
            "MOVED 3999 127.0.0.1:6381",
            "another node of the Redis Cluster has the key, and this connection does not follow (MOVED)",
        ),
        ("NOAUTH Authentication required.", "Redis requires a password, and the connection sent none (NOAUTH)"),
        (
            "WRONGPASS invalid username-password pair or user is disabled.",
            "Redis rejected the user name or the password (WRONGPASS)",
        ),
        ("NOSCRIPT No matching script. Please use EVAL.", "Redis does not keep the script (NOSCRIPT)"),
        (
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            "Redis is busy with another script (BUSY)",
        ),
        (
            "NOPERM this user has no permissions to run the 'evalsha' command or its subcommand",
            "the Redis user may not run EVALSHA (NOPERM)",
        ),
        (
            "NOPERM User codes has no permissions to run the 'cluster|slots' command",
            "the Redis user may not run CLUSTER (NOPERM)",
        ),
        (
            "NOPERM this user has no permissions to access one of the keys used as arguments",
            "the Redis user may not access the store's keys (NOPERM)",
        ),
        (
            "ERR unknown command `EVALSHA`, with args beginning with: `secret`, `1`, `pkce:secret`, ",
            "Redis does not know the command EVALSHA: was it renamed? (ERR)",
        ),
        (
            "ERR unknown command 'SET', with args beginning with: 'pkce:secret' 'secret' ",
            "Redis does not know the command SET: was it renamed? (ERR)",
        ),
        (
            "ERR unknown command 'secret', with args beginning with: 'secret' ",
            "Redis does not know the command of the store: was it renamed? (ERR)",
        ),
        ("@user_script: 1: Unknown Redis command called from Lua script", SCRIPTS_DO_NOT),
        ("ERR Unknown command called from script script: on @user_script:1.", SCRIPTS_DO_NOT),
        ("ERR The user executing the script can't run this command or subcommand", SCRIPTS_MAY_NOT),
        ("ERR ACL failure in script: User default has no permissions to run the 'setrange' command", SCRIPTS_MAY_NOT),
        ("ERR this user has no permissions to run the 'select' command", "the Redis user may not run SELECT (ERR)"),
        ("ERR max number of clients reached", "Redis accepts no more connections (maxclients) (ERR)"),
        ("ERR secret", "Redis rejected the command (ERR)"),
        ("SECRETS secret", "Redis rejected the command (SECRETS)"),
        ("secret secret", "Redis rejected the command (unknown error)"),
    ];

    #[test]
    fn every_error_is_a_sentence_that_names_its_code() {
        for (sent, sentence) in SENTENCES {
            let value = redis::parse_redis_value(format!("-{sent}\r\n").as_bytes()).unwrap();
            assert_eq!(
                Refusal::of_value(&value).map(|refusal| refusal.sentence()).as_deref(),
                Some(sentence),
                "{sent}"
            );
            let error = value.extract_error().unwrap_err();
            assert_eq!(
                Refusal::of_error(&error).map(|refusal| refusal.sentence()).as_deref(),
                Some(sentence),
                "{sent}"
            );
        }
    }

    #[test]
    fn a_value_and_an_error_of_the_client_are_no_refusals() {
        assert_eq!(Refusal::of_value(&Value::Nil), None);
        let error = RedisError::from((redis::ErrorKind::Client, "READONLY"));
        assert_eq!(Refusal::of_error(&error), None);
    }
}
