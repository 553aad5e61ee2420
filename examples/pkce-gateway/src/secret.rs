//! A secret of the configuration.

use std::path::PathBuf;
use std::{env, fs};

use serde::Deserialize;

/// A secret: its text, or the file or the environment variable that holds it.
#[derive(Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Secret {
    /// `"text"`
    Text(String),
    /// `{ "file": "/run/secrets/name" }`: the line ending at its end does not count.
    File { file: PathBuf },
    /// `{ "env": "NAME" }`
    Env { env: String },
}

impl Secret {
    /// Reads the secret. It is never empty.
    pub(crate) fn read(&self) -> Result<String, String> {
        let (text, source) = match self {
            Self::Text(text) => (text.clone(), "a secret".to_owned()),
            Self::File { file } => {
                let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
                (text.trim_end_matches(['\r', '\n']).to_owned(), file.display().to_string())
            }
            Self::Env { env } => {
                let text = env::var(env).map_err(|_| format!("the environment variable {env} is not set"))?;
                (text, format!("the environment variable {env}"))
            }
        };
        if text.is_empty() { Err(format!("{source} is empty")) } else { Ok(text) }
    }
}
