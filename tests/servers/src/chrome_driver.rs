//! Chromium, driven by `chromedriver`.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::home::Home;
use crate::port;
use crate::program;
use crate::server::Server;

/// A `chromedriver` of one's own. The browsers that it starts end with it.
#[derive(Debug)]
pub struct ChromeDriver {
    server: Server,
    profiles: AtomicU32,
}

impl ChromeDriver {
    /// Starts one; `None` if this machine lacks it or Chromium.
    pub fn start() -> Option<Self> {
        program::find("chromium")?;
        let program = program::find("chromedriver")?;
        let command = move |home: &Home, port: u16| {
            let path = home.path().to_str().unwrap();
            let mut words = vec!["env".to_owned(), format!("HOME={path}"), format!("TMPDIR={path}")];
            words.extend(home.command(&program));
            words.push(format!("--port={port}"));
            words
        };
        let is_ready = |port, _: &str| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let server = Server::start(Home::new("chrome"), port::free, command, is_ready);
        Some(Self { server, profiles: AtomicU32::new(0) })
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// The arguments of a browser without a window, with a profile that is new and empty.
    pub fn arguments(&self) -> Vec<String> {
        let profile = self.server.path(&format!("profile-{}", self.profiles.fetch_add(1, Ordering::Relaxed)));
        // Its sandbox needs what containers do not give; it opens nothing but the test's own pages.
        let quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
        let offline = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
        let profile = format!("--user-data-dir={}", profile.display());
        quiet.into_iter().chain(offline).map(str::to_owned).chain([profile]).collect()
    }
}
