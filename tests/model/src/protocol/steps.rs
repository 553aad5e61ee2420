//! The steps: which can happen next, and what each leads to.

use super::{Clock, Command, End, Phase, Protocol, Request, State, Store, Verb};

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A server begins a request.
    Begin(usize),
    /// The store carries out a command.
    Execute(Command),
    /// The reply arrives.
    Deliver(usize),
    /// The reply does not arrive in time. The command may still be carried out.
    TimeOut(usize),
    /// The command never arrives, and the server learns that it failed.
    Lose(usize),
    /// The client library sends the command again, and waits for the new one's reply.
    Resend(usize),
    /// The client hangs up, or the server crashes.
    Vanish(usize),
    /// The host issues tokens.
    HostServes(usize),
    /// The host refuses.
    HostRefuses(usize),
    /// A clock moves on.
    Tick(usize),
    /// A clock is set back.
    SetBack(usize),
    /// The store forgets the expired record.
    Forget,
}

impl Protocol {
    /// All that can happen next.
    pub fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        let is_bound = state.requests.first().is_some_and(|bind| bind.phase == Phase::Over(End::Bound));
        for (nth, request) in state.requests.iter().enumerate() {
            match request.phase {
                Phase::Idle if nth == 0 || is_bound => steps.push(Step::Begin(nth)),
                Phase::Idle | Phase::Over(_) => {}
                Phase::AtHost(_) => {
                    steps.extend([Step::HostServes(nth), Step::HostRefuses(nth)]);
                    if state.faults_left > 0 {
                        steps.push(Step::Vanish(nth));
                    }
                }
                waiting => {
                    let reply = waiting.reply();
                    if reply.is_some() {
                        steps.push(Step::Deliver(nth));
                    }
                    if state.faults_left > 0 {
                        steps.push(Step::Vanish(nth));
                        if self.network {
                            steps.extend([Step::TimeOut(nth), Step::Resend(nth)]);
                            if reply.is_none() {
                                steps.push(Step::Lose(nth));
                            }
                        }
                    }
                }
            }
        }
        steps.extend(state.flight.iter().copied().map(Step::Execute));
        if self.time {
            let servers = if self.store == Store::Memory { 0..1 } else { 0..2 };
            for server in servers {
                if state.clocks[server] != Clock::Expired {
                    steps.push(Step::Tick(server));
                }
                if state.clocks[server] != Clock::Early && state.set_backs_left > 0 {
                    steps.push(Step::SetBack(server));
                }
            }
            // A server waits for seconds, and these stores forget a record that much later.
            let waits =
                |request: &Request| matches!(request.phase, Phase::Redeeming(..)) && request.at != Clock::Expired;
            let is_over = match self.store {
                Store::Memory => state.clocks[0] == Clock::Expired,
                Store::Redis | Store::Sql => state.clocks == [Clock::Expired; 2] && !state.requests.iter().any(waits),
            };
            if is_over && state.record.is_some_and(|record| !record.is_revived) {
                steps.push(Step::Forget);
            }
        }
    }

    /// What a step leads to.
    pub fn after(&self, state: &State, step: Step) -> State {
        let mut next = state.clone();
        match step {
            Step::Begin(nth) => self.begin(&mut next, nth),
            Step::Execute(command) => {
                self.execute(&mut next, command);
            }
            Step::Deliver(nth) => {
                if let Some(reply) = next.requests[nth].phase.reply() {
                    self.deliver(&mut next, nth, reply);
                }
            }
            Step::TimeOut(nth) => {
                next.fault(nth);
                next.abandon(nth);
                self.fail(&mut next, nth);
            }
            Step::Lose(nth) => {
                next.fault(nth);
                next.flight.retain(|command| command.request != nth || command.is_stray);
                self.fail(&mut next, nth);
            }
            Step::Resend(nth) => {
                next.fault(nth);
                next.abandon(nth);
                if let Some(verb) = next.requests[nth].phase.verb() {
                    let phase = next.requests[nth].phase.without_reply();
                    next.send(nth, verb, phase);
                }
            }
            Step::Vanish(nth) => self.vanish(&mut next, nth),
            Step::HostServes(nth) => next.requests[nth].phase = Phase::Over(End::Served),
            Step::HostRefuses(nth) => {
                if let Phase::AtHost(ticket) = next.requests[nth].phase {
                    next.send(nth, Verb::Restore(ticket), Phase::Settling(ticket, None));
                }
            }
            Step::Tick(server) => {
                next.clocks[server] = match next.clocks[server] {
                    Clock::Early => Clock::Live,
                    Clock::Live | Clock::Expired => Clock::Expired,
                };
                next.was_expired |= next.clocks[server] == Clock::Expired;
            }
            Step::SetBack(server) => {
                next.set_backs_left -= 1;
                next.clocks[server] = match next.clocks[server] {
                    Clock::Expired => Clock::Live,
                    Clock::Live | Clock::Early => Clock::Early,
                };
            }
            Step::Forget => next.record = None,
        }
        next.flight.sort_unstable();
        next
    }
}
