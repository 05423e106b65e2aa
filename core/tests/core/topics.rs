//! Which topics a program needs, and which it must not be able to write.

use dualboard_core::machine::Role;
use dualboard_core::sensor::Card;
use dualboard_core::wire::Topic;

const ROLES: [Role; 3] = [Role::Monitor(Card::One), Role::Monitor(Card::Two), Role::Display];

fn topics() -> impl Iterator<Item = Topic> {
    Topic::COMMON.into_iter().map(|(topic, _)| topic)
}

#[test]
fn nobody_needs_a_topic_on_which_it_could_do_harm() {
    for role in ROLES {
        let both = topics().find(|topic| role.publishes_on(*topic) && role.could_harm_on(*topic));
        assert_eq!(both, None, "{role:?}");
    }
}

#[test]
fn states_and_heartbeats_have_one_writer_and_could_be_forged_by_all_others() {
    let of_owners = |topic: &Topic| matches!(topic, Topic::Card(_) | Topic::All | Topic::Alive(_));
    for topic in topics().filter(of_owners) {
        let writers = ROLES.iter().filter(|role| role.publishes_on(topic)).count();
        let forgers = ROLES.iter().filter(|role| role.could_harm_on(topic)).count();
        assert_eq!((writers, forgers), (1, 2), "{topic:?}");
    }
}

#[test]
fn a_display_changes_nothing_and_could_do_harm_on_every_topic_of_states_and_commands() {
    let harmful = topics()
        .filter(|topic| Role::Display.could_harm_on(*topic))
        .count();
    assert_eq!(
        harmful,
        topics().count() - 3,
        "all but the witness and the two of alarms"
    );
    let written = topics().filter(|topic| Role::Display.publishes_on(*topic));
    assert!(
        written.into_iter().all(|topic| Role::Display.spares(topic)),
        "it could live without"
    );
}
