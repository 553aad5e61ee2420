//! A proxy that breaks connections, and an address that moves.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// A TCP proxy on loopback between a client and a server. It cuts connections, hangs, loses responses, vanishes, or leads
/// to another server.
pub struct Proxy {
    port: u16,
    line: Arc<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Forwards,
    Hangs,
    LosesAnswers,
    LosesAnAnswer,
    Over,
}

struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    mode: Mode,
    /// The port that new connections lead to.
    target: u16,
    open: Vec<TcpStream>,
    /// How often the server has vanished.
    vanished: u32,
}

impl Proxy {
    /// A proxy to the server at this port.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let state = Mutex::new(State { mode: Mode::Forwards, target: port, open: Vec::new(), vanished: 0 });
        let line = Arc::new(Line { state, changed: Condvar::new() });
        thread::spawn({
            let line = Arc::clone(&line);
            move || {
                for client in listener.incoming().flatten() {
                    if line.state().mode == Mode::Over {
                        break;
                    }
                    line.connect(client);
                }
            }
        });
        Self { port: own, line }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on new connections lead to the server at this port. Those that are open stay where they are.
    pub fn lead_to(&self, port: u16) {
        self.line.state().target = port;
    }

    /// Ends every connection that has been used by now. New ones are accepted.
    pub fn cut(&self) {
        for stream in self.line.state().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// From now on it accepts connections and forwards nothing.
    pub fn hang(&self) {
        self.line.change(Mode::Hangs);
    }

    /// From now on it forwards requests, and ends the connection in place of a response.
    pub fn lose_answers(&self) {
        self.line.change(Mode::LosesAnswers);
    }

    /// The same for the next response only.
    pub fn lose_an_answer(&self) {
        self.line.change(Mode::LosesAnAnswer);
    }

    /// The server's machine disappears without notice and another one takes its address: whatever is sent on a connection that
    /// is open now is dropped, and neither side learns that it ended. New connections are forwarded.
    pub fn vanish(&self) {
        self.line.state().vanished += 1;
    }

    /// It forwards again, including what it has held back.
    pub fn resume(&self) {
        self.line.change(Mode::Forwards);
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, mode: Mode) {
        self.state().mode = mode;
        self.changed.notify_all();
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let target = self.state().target;
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { return };
        let born = self.state().vanished;
        for (from, to, is_response) in [(&client, &server, false), (&server, &client, true)] {
            let _ = from.set_nodelay(true);
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let line = Arc::clone(self);
            thread::spawn(move || line.forward(from, to, is_response, born));
        }
        self.state().open.extend([client, server]);
    }

    fn forward(&self, mut from: TcpStream, mut to: TcpStream, is_response: bool, born: u32) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read) = from.read(&mut buffer) {
            let mut state = self.changed.wait_while(self.state(), |state| state.mode == Mode::Hangs).unwrap();
            let (mode, swallowed) = (state.mode, state.vanished != born);
            if is_response && read > 0 && !swallowed && mode == Mode::LosesAnAnswer {
                state.mode = Mode::Forwards;
            }
            drop(state);
            if swallowed && mode != Mode::Over {
                match read {
                    0 => return,
                    _ => continue,
                }
            }
            let lost = mode == Mode::Over || (is_response && matches!(mode, Mode::LosesAnswers | Mode::LosesAnAnswer));
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() || lost || to.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.change(Mode::Over);
        self.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy(127.0.0.1:{})", self.port)
    }
}
