//! The promises, checked over every order of steps of small cases.

use pkce_model::protocol::{ReplayOf, State};
use pkce_model::{Bound, Caller, Clock, Protocol, Store, properties};
use stateright::{Checker, Expectation, Model, Property};

use Caller::{OtherClient, Right, Without, Wrong};

/// Searches all of it. The least number of states shows that something was searched.
fn holds(protocol: Protocol, states: usize) {
    let described = format!("{protocol:?}");
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() >= states, "{} states: {described}", checker.unique_state_count());
}

/// Whether a state like this can be reached.
fn can_be(protocol: &Protocol, like: fn(&Protocol, &State) -> bool) -> bool {
    let checker = Only(protocol.clone(), like).checker().threads(2).spawn_bfs().join();
    checker.discovery("it can be").is_some()
}

/// A protocol with one question.
struct Only(Protocol, fn(&Protocol, &State) -> bool);

impl Model for Only {
    type State = State;
    type Action = pkce_model::protocol::Step;

    fn init_states(&self) -> Vec<State> {
        self.0.beginnings()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Self::Action>) {
        self.0.steps(state, steps);
    }

    fn next_state(&self, state: &State, step: Self::Action) -> Option<State> {
        Some(self.0.after(state, step))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::sometimes("it can be", |only: &Self, state| only.1(&only.0, state))]
    }
}

#[test]
fn two_clients_and_two_faults_in_passing_time() {
    for store in [Store::Redis, Store::Sql] {
        holds(Protocol { faults: 2, time: true, store, ..Protocol::of(&[Right, Right]) }, 50_000);
    }
}

#[test]
fn three_clients_and_two_faults() {
    holds(Protocol { faults: 2, ..Protocol::of(&[Right, Right, Right]) }, 100_000);
}

#[test]
fn two_clients_and_three_faults() {
    holds(Protocol { faults: 3, ..Protocol::of(&[Right, Right]) }, 20_000);
}

#[test]
fn a_wrong_verifier_among_two_clients() {
    holds(Protocol { faults: 2, ..Protocol::of(&[Right, Right, Wrong]) }, 50_000);
    holds(Protocol { faults: 1, time: true, ..Protocol::of(&[Right, Wrong]) }, 1_000);
}

#[test]
fn a_missing_verifier_where_the_policy_lets_it_reach_the_store() {
    holds(Protocol { faults: 2, ..Protocol::of(&[Right, Right, Without]) }, 50_000);
}

#[test]
fn another_client_and_a_wrong_verifier_at_a_code_that_is_bound_to_its_client() {
    let bound = Bound::ChallengeAndClient;
    holds(Protocol { faults: 1, bound, ..Protocol::of(&[Right, Right, OtherClient]) }, 10_000);
    holds(Protocol { faults: 1, bound, ..Protocol::of(&[Right, OtherClient, Wrong]) }, 1_000);
    holds(Protocol { faults: 1, bound, time: true, store: Store::Sql, ..Protocol::of(&[Right, OtherClient]) }, 1_000);
}

#[test]
fn a_core_that_first_tries_the_proof_of_a_code_that_is_bound_to_the_client() {
    for bound in [Bound::Challenge, Bound::ChallengeAndClient] {
        let guess = Protocol { guesses_client: true, faults: 1, bound, ..Protocol::of(&[]) };
        for callers in [[Right, Right, OtherClient], [Right, OtherClient, Wrong]] {
            holds(Protocol { callers: callers.to_vec(), ..guess.clone() }, 1_000);
        }
    }
}

#[test]
fn a_code_without_a_challenge_is_served_once_too() {
    holds(Protocol { faults: 1, bound: Bound::Nothing, ..Protocol::of(&[Right, Right, Wrong]) }, 5_000);
    let with_client =
        Protocol { faults: 1, bound: Bound::NothingButClient, ..Protocol::of(&[Right, Right, OtherClient]) };
    holds(with_client.clone(), 5_000);
    assert!(can_be(&with_client, |_, state| state.was_revoked_wrongly), "the price of having no proof");
}

#[test]
fn a_policy_that_burns_serves_once_and_takes_no_burned_code_for_a_replay() {
    let protocol = Protocol { faults: 1, burns: true, ..Protocol::of(&[Right, Right, Wrong]) };
    holds(protocol.clone(), 5_000);
    assert!(can_be(&protocol, |_, state| state.was_hindered), "the price of the policy");
}

#[test]
fn clients_that_hang_up_at_a_store_in_memory() {
    let memory = Protocol { network: false, time: true, store: Store::Memory, ..Protocol::of(&[]) };
    let with = |faults, callers: &[Caller]| Protocol { faults, callers: callers.to_vec(), ..memory.clone() };
    holds(with(3, &[Right, Right, Right]), 10_000);
    holds(with(2, &[Right, Right, Wrong]), 5_000);
    holds(Protocol { set_backs: 2, ..with(2, &[Right, Right]) }, 1_000);
}

#[test]
fn clocks_that_are_set_back() {
    holds(Protocol { time: true, set_backs: 2, ..Protocol::of(&[Right, Right]) }, 1_000);
    let bound = Bound::ChallengeAndClient;
    holds(Protocol { time: true, set_backs: 1, bound, ..Protocol::of(&[Right, OtherClient]) }, 1_000);
}

/// The larger cases take minutes: `cargo test --release -p pkce-model -- --ignored larger`.
#[test]
#[ignore = "minutes"]
fn larger_cases() {
    for (store, callers) in [(Store::Redis, [Right, Right, Wrong]), (Store::Sql, [Right, Right, Right])] {
        holds(Protocol { faults: 2, time: true, store, ..Protocol::of(&callers) }, 1_000_000);
    }
    let bound = Bound::ChallengeAndClient;
    holds(Protocol { faults: 2, time: true, bound, ..Protocol::of(&[Right, Right, OtherClient]) }, 1_000_000);
    holds(Protocol { faults: 3, ..Protocol::of(&[Right, Right, Right]) }, 500_000);
    holds(Protocol { faults: 2, bound, ..Protocol::of(&[Right, Right, OtherClient, Wrong]) }, 500_000);
}

/// What `Replay` says: what is no theft, and can be a replay nevertheless.
#[test]
fn the_replays_are_exactly_those_that_are_documented() {
    let quiet = Protocol::of(&[Right, Right, Right]);
    let faulty = Protocol { faults: 1, ..Protocol::of(&[Right, Right, Right]) };
    let twice_faulty = Protocol { faults: 2, ..quiet.clone() };
    for (replay, protocol, is_possible) in [
        // Without a fault: the code was used, or the client did not wait for the response.
        (ReplayOf::Served as u8, &quiet, true),
        (ReplayOf::AtHost as u8, &quiet, true),
        (ReplayOf::UnderWay as u8, &quiet, true),
        (ReplayOf::VanishedAtHost as u8, &quiet, false),
        (ReplayOf::Vanished as u8, &quiet, false),
        (ReplayOf::FailedRestore as u8, &quiet, false),
        (ReplayOf::LateRedemption as u8, &quiet, false),
        (ReplayOf::RefusedAndNotRestored as u8, &quiet, false),
        // A request that was cut off; a code that could not be restored; a redemption that came late.
        (ReplayOf::VanishedAtHost as u8, &faulty, true),
        (ReplayOf::Vanished as u8, &faulty, true),
        (ReplayOf::LateRedemption as u8, &faulty, true),
        (ReplayOf::RefusedAndNotRestored as u8, &faulty, true),
        (ReplayOf::FailedRestore as u8, &faulty, false),
        (ReplayOf::FailedRestore as u8, &twice_faulty, true),
        (ReplayOf::Other as u8, &twice_faulty, false),
    ] {
        let seen: fn(&Protocol, &State) -> bool = SEEN[usize::from(replay)];
        assert_eq!(can_be(protocol, seen), is_possible, "{replay} with {} faults", protocol.faults);
    }
}

/// In the order of [`ReplayOf`].
const SEEN: [fn(&Protocol, &State) -> bool; 9] = [
    |_, state| state.replays.has(ReplayOf::Served),
    |_, state| state.replays.has(ReplayOf::AtHost),
    |_, state| state.replays.has(ReplayOf::VanishedAtHost),
    |_, state| state.replays.has(ReplayOf::Vanished),
    |_, state| state.replays.has(ReplayOf::UnderWay),
    |_, state| state.replays.has(ReplayOf::FailedRestore),
    |_, state| state.replays.has(ReplayOf::LateRedemption),
    |_, state| state.replays.has(ReplayOf::RefusedAndNotRestored),
    |_, state| state.replays.has(ReplayOf::Other),
];

/// What is not promised: a server whose clock is set back by a whole lifetime, and an insert that arrives after that lifetime.
#[test]
fn an_insert_that_is_a_lifetime_late_and_a_clock_that_is_set_back_serve_a_code_twice() {
    let protocol = Protocol { faults: 1, time: true, set_backs: 1, ..Protocol::of(&[Right, Right]) };
    let is_live = |state: &State| state.clocks.contains(&Clock::Live);
    assert!(is_live(&protocol.beginnings()[0]));
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    assert!(checker.discovery(properties::ONCE).is_some());
}

#[test]
fn every_property_is_one_that_a_counterexample_refutes() {
    let properties = Protocol::of(&[Right]).properties();
    assert_eq!(properties.iter().filter(|property| matches!(property.expectation, Expectation::Always)).count(), 7);
}
