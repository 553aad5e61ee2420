//! Faults that only calls that are dropped see.

use crate::planted::Fault;
use crate::{assert_caught, dropping};

faults! {
    dropping:
    an_insert_that_is_dropped_half_way_is_caught: InsertDroppedHalfWay [
        "cancelled: an insert that is dropped happened or did not"
    ]
    a_redeem_that_is_dropped_half_way_is_caught: RedeemDroppedHalfWay [
        "cancelled: a redeem that is dropped happened or did not"
    ]
    a_wrong_proof_that_is_dropped_half_way_is_caught: WrongProofDroppedHalfWay [
        "cancelled: a wrong proof that is dropped changes nothing"
    ]
    a_restore_that_is_dropped_half_way_is_caught: RestoreDroppedHalfWay [
        "cancelled: a restore that is dropped happened or did not"
    ]
    a_place_in_a_queue_lost_with_a_dropped_call_is_caught: DroppedWaiterKeepsItsTurn [
        "cancelled: calls that are dropped in a crowd delay no other"
    ]
    a_connection_lost_with_a_dropped_insert_is_caught: DroppedInsertKeepsItsConnection [
        "cancelled: after very many dropped calls the store answers as before"
    ]
    a_connection_lost_with_a_dropped_redeem_is_caught: DroppedRedeemKeepsItsConnection [
        "cancelled: after very many dropped calls the store answers as before"
    ]
}
