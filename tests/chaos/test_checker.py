"""The checker, checked: made-up logs, some right and one for each way of breaking the promise.

Run: dev/chaos.sh --self-test
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from .story import PROGRAMS, Story


def good(story: Story) -> None:
    """A toggle goes all the way, card 1 is killed and comes back, the link is cut and mended."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED")
    story.show("card2", s1=("KO", "LIVE"))
    story.show("display", s1=("KO", "LIVE"))
    story.show("card1", s1=("KO", "CONFIRMED"))
    story.after(3)
    story.end("card1")
    story.after(8)
    for who in ("card2", "display"):
        story.show(who, **{f"s{n}": ("KO" if n == 1 else "OK", "HELD") for n in (1, 2, 3)})
    story.after(20)
    story.start("card1")
    story.show("card1", s1=("KO", "SAVED"))
    for who in ("card2", "display"):
        story.show(who, **{f"s{n}": ("KO" if n == 1 else "OK", "LIVE") for n in (1, 2, 3)})
    story.show("card1", s1=("KO", "CONFIRMED"))
    story.agree()


def unsaved_may_go(story: Story) -> None:
    """A toggle that was only SENDING is gone after a crash: no promise was made."""
    story.agree()
    story.toggle1("KO", "SENDING")
    story.end("card1")
    story.start("card1")
    story.show("card1", s1=("OK", "CONFIRMED"))
    story.agree()


def all_copies_gone(story: Story) -> None:
    """A toggle that was saved on one board only, which was lost altogether."""
    story.agree()
    story.event("cable", way12="drop", way21="drop")
    story.toggle1("KO", "SENDING", "SAVED")
    lose_board1(story)
    story.event("cable", way12="pass", way21="pass")
    story.start("broker1")
    story.start("card1")
    story.show("card1", s1=("OK", "CONFIRMED"))
    story.agree()


def key_meets_a_restore(story: Story) -> None:
    """The operator sees UNKNOWN and expects OK; the program has just restored OK, so the key makes it KO."""
    story.agree()
    story.end("card1")
    story.start("card1")
    story.show("card1", **{f"s{n}": ("UNKNOWN", "") for n in range(1, 7)})
    story.event("press", toggle=0, sensor=1, who="card1", run=2, shown="UNKNOWN", to="OK")
    story.rows["card1"] = story.row_of("card1")
    story.after(0.01)
    story.everywhere("KO")
    story.agree()


def lose_board1(story: Story) -> None:
    """All that board 1 had."""
    story.end("card1", "power")
    story.end("broker1", "power")
    story.event("file", board=1, what="wiped")
    story.event("store", who="broker1", what="wiped")


def lost(story: Story) -> None:
    """Saved, its owner killed, gone."""
    story.agree()
    story.event("cable", way12="drop", way21="drop")
    story.toggle1("KO", "SENDING", "SAVED")
    story.end("card1")
    story.event("cable", way12="pass", way21="pass")
    story.start("card1")
    story.show("card1", s1=("OK", "CONFIRMED"))
    story.agree()


def lost_though_confirmed(story: Story) -> None:
    """Confirmed, then its whole board lost: card 2 had it. Nobody shows it."""
    story.agree()
    story.event("stop", who="display")
    story.after(1)
    story.toggle1("KO", "SENDING", "SAVED", "CONFIRMED")
    lose_board1(story)
    story.event("resume", who="display")
    story.start("broker1")
    story.start("card1")
    story.show("card1", s1=("OK", "CONFIRMED"))
    story.agree()


def lost_though_confirmed_by_card1(story: Story) -> None:
    """A toggle of card 2, confirmed; then its whole board lost: card 1 had it. Nobody shows it."""
    story.agree()
    story.event("stop", who="display")
    story.after(1)
    story.toggle(4, "KO", "SENDING", "SAVED", "CONFIRMED")
    for who in ("card2", "display", "broker2"):
        story.end(who, "power")
    story.event("file", board=2, what="wiped")
    story.event("store", who="broker2", what="wiped")
    for who in ("broker2", "card2", "display"):
        story.start(who)
    story.everywhere("OK", 4)
    story.agree()


def lost_from_the_store(story: Story) -> None:
    """Broker 1 was the only one to keep it: it was ended properly, and its store is whole."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED")
    story.everywhere("KO")
    story.agree()
    story.end("broker1", "term", 0)
    for who in (*PROGRAMS, "broker2"):
        story.end(who)
    for board in (1, 2):
        story.event("file", board=board, what="wiped")
    story.event("store", who="broker2", what="wiped")
    for who in ("broker1", "broker2", *PROGRAMS):
        story.start(who)
    story.everywhere("OK")
    story.agree()


def lost_after_agreement(story: Story) -> None:
    """All had agreed on KO; later all agree on OK, and nobody has pressed a key."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED")
    story.everywhere("KO")
    story.agree()
    for who in PROGRAMS:
        story.end(who)
        story.start(who)
    story.everywhere("OK")
    story.agree()


def rolled_back(story: Story) -> None:
    """The display goes back for a moment."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED")
    story.show("display", s1=("KO", "LIVE"))
    story.after(0.1)
    story.show("display", s1=("OK", "LIVE"))
    story.show("display", s1=("KO", "LIVE"))
    story.everywhere("KO")
    story.agree()


def rolled_back_to_unknown(story: Story) -> None:
    """The display forgets."""
    story.agree()
    story.show("display", s1=("UNKNOWN", ""))
    story.show("display", s1=("OK", "LIVE"))
    story.agree()


def rolled_back_owner(story: Story) -> None:
    """An echo overrules the operator on the owner's own screen."""
    story.after(30)
    story.agree()
    story.toggle1("KO", "SENDING")
    story.after(0.1)
    story.show("card1", s1=("OK", "SENDING"))
    story.agree()


def invented(story: Story) -> None:
    """Nobody ever toggled sensor 5."""
    story.agree()
    story.show("card2", s5=("KO", "CONFIRMED"))
    story.show("card1", s5=("KO", "LIVE"))
    story.show("display", s5=("KO", "LIVE"))
    story.agree()


def false_saved(story: Story) -> None:
    """Its broker was stopped all the time."""
    story.agree()
    story.event("stop", who="broker1", run=1)
    story.toggle1("KO", "SENDING", "SAVED")
    story.event("resume", who="broker1", run=1)
    story.everywhere("KO")
    story.agree()


def false_confirmed_by_path(story: Story) -> None:
    """The link was down all the time."""
    story.agree()
    story.event("cable", way12="reject", way21="reject")
    story.after(0.1)
    story.toggle1("KO", "SENDING", "SAVED", "CONFIRMED")
    story.after(0.1)
    story.event("cable", way12="pass", way21="pass")
    story.everywhere("KO")
    story.agree()


def false_confirmed_frozen(story: Story) -> None:
    """The other monitor was stopped all the time."""
    story.agree()
    story.event("stop", who="card2", run=1)
    story.toggle1("KO", "SENDING", "SAVED", "CONFIRMED")
    story.event("resume", who="card2", run=1)
    story.everywhere("KO")
    story.agree()


def false_confirmed_of_card2(story: Story) -> None:
    """Card 1's monitor was dead all the time: that broker 1 has a toggle of card 2 confirms nothing."""
    story.agree()
    story.end("card1")
    story.after(0.1)
    story.toggle(4, "KO", "SENDING", "SAVED", "CONFIRMED")
    story.after(0.1)
    story.start("card1")
    story.everywhere("KO", 4)
    story.agree()


def false_confirmed_by_witness(story: Story) -> None:
    """Everything works, but the other board shows the old state for long after."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED", "CONFIRMED")
    story.after(5)
    story.everywhere("KO")
    story.agree()


def false_live_dead(story: Story) -> None:
    """Card 1 is dead, and the display goes on calling it live."""
    story.agree()
    story.end("card1")
    story.after(17)
    story.show("display", **{f"s{n}": ("OK", "HELD") for n in (1, 2, 3)})
    story.start("card1")
    story.everywhere("OK")
    story.show("display", **{f"s{n}": ("OK", "LIVE") for n in (1, 2, 3)})
    story.agree()


def false_live_frozen_link(story: Story) -> None:
    """The cable is stopped, and card 1 goes on calling board 2 live."""
    story.agree()
    story.event("stop", who="cable", run=1)
    story.after(16)
    story.event("resume", who="cable", run=1)
    story.agree()


def false_live_old_value(story: Story) -> None:
    """The path works, but an old value is called live for long."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED")
    story.after(17)
    story.everywhere("KO")
    story.agree()


def false_live_on_return(story: Story) -> None:
    """Board 1 was off for long; its heartbeat is back before its new value, and the old one flashes up as live."""
    story.agree()
    story.event("cable", way12="drop", way21="drop")
    story.toggle1("KO", "SENDING", "SAVED")
    for who in ("card2", "display"):
        story.show(who, **{f"s{n}": ("OK", "HELD") for n in (1, 2, 3)})
    story.after(18)
    story.event("cable", way12="pass", way21="pass")
    story.show("card2", **{f"s{n}": ("OK", "LIVE") for n in (1, 2, 3)})
    story.after(0.03)
    story.everywhere("KO")
    for who in ("card2", "display"):
        story.show(who, **{f"s{n}": ("OK", "LIVE") for n in (2, 3)})
    story.agree()


def late(story: Story) -> None:
    """They agree, but only half a minute after the last repair."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED")
    story.event("cable", way12="pass", way21="pass")
    story.show("card2", s1=("KO", "LIVE"))
    story.after(14)
    story.show("card1", s1=("KO", "CONFIRMED"))
    story.show("display", **{f"s{n}": ("OK", "HELD") for n in (1, 2, 3)})
    story.after(16)
    story.everywhere("KO")
    story.show("display", **{f"s{n}": ("KO" if n == 1 else "OK", "LIVE") for n in (1, 2, 3)})
    story.agree()


def never(story: Story) -> None:
    """They do not agree."""
    story.agree(whole=False)


def store_differs(story: Story) -> None:
    """The screens agree, and a broker has kept something else."""
    story.agree()
    held = [event for event in story.log if event["e"] == "retained" and event["topic"] == "sensors/card1"]
    held[-1]["sensors"]["2"] = "KO"


def store_differs_on_card2(story: Story) -> None:
    """The screens agree, and so does sensors/all; broker 1 has something else on sensors/card2."""
    story.agree()
    held = [event for event in story.log if event["e"] == "retained" and event["topic"] == "sensors/card2"]
    held[0]["sensors"]["5"] = "KO"


def ended_by_itself(story: Story) -> None:
    """A program that nobody has killed is gone."""
    story.agree()
    story.end("display", "itself", 101)
    story.start("display")
    story.show("display")
    story.agree()


def new_alarm(story: Story) -> None:
    """A round ends with sensor 1 KO, and nobody has seen it."""
    story.agree()
    story.toggle1("KO", "SENDING", "SAVED")
    story.everywhere("KO", alarm="new alarm")
    story.agree()


def acknowledged(story: Story) -> None:
    """Acknowledged on the display, and then everywhere."""
    new_alarm(story)
    story.acknowledge("display")
    story.show("card2", s1=("KO", "LIVE", "acknowledged SAVED"))
    story.everywhere("KO", alarm="acknowledged")
    story.agree()


def killed_with_it(story: Story, who: str, wiped: bool) -> None:
    """A monitor has called it SAVED, and is killed, and its file perhaps wiped; afterwards nobody knows of it."""
    new_alarm(story)
    story.acknowledge(who)
    story.show(who, s1=("KO", "CONFIRMED" if who == "card1" else "LIVE", "acknowledged SAVED"))
    story.end(who)
    if wiped:
        story.event("file", board=1 if who == "card1" else 2, what="wiped")
    story.start(who)
    story.everywhere("KO", alarm="new alarm")
    story.agree()


def acknowledgement_may_go_with_the_file(story: Story) -> None:
    """The only file that held it is gone."""
    killed_with_it(story, "card1", wiped=True)


def acknowledgement_lost(story: Story) -> None:
    """The file that held it is still there."""
    killed_with_it(story, "card2", wiped=False)


def acknowledgement_taken_back(story: Story) -> None:
    """All agreed on it in the round before."""
    acknowledged(story)
    story.everywhere("KO", alarm="new alarm")
    story.agree()


def acknowledgement_invented(story: Story) -> None:
    """Nobody has done it."""
    new_alarm(story)
    story.everywhere("KO", alarm="acknowledged")
    story.agree()


def alarms_differ(story: Story) -> None:
    """The display does not know of it."""
    new_alarm(story)
    story.acknowledge("card1")
    story.everywhere("KO", alarm="acknowledged")
    story.show("display", s1=("KO", "LIVE", "new alarm"))
    story.agree()


CASES: list[tuple[Callable[[Story], None], str]] = [
    (good, ""),
    (unsaved_may_go, ""),
    (all_copies_gone, ""),
    (key_meets_a_restore, ""),
    (lost, "lost:"),
    (lost_though_confirmed, "lost:"),
    (lost_though_confirmed_by_card1, "lost:"),
    (lost_from_the_store, "lost:"),
    (lost_after_agreement, "lost:"),
    (rolled_back, "rolled back:"),
    (rolled_back_to_unknown, "rolled back:"),
    (rolled_back_owner, "rolled back:"),
    (invented, "invented:"),
    (false_saved, "false SAVED:"),
    (false_confirmed_by_path, "false CONFIRMED:"),
    (false_confirmed_frozen, "false CONFIRMED:"),
    (false_confirmed_of_card2, "false CONFIRMED:"),
    (false_confirmed_by_witness, "false CONFIRMED:"),
    (false_live_dead, "false LIVE:"),
    (false_live_frozen_link, "false LIVE:"),
    (false_live_old_value, "false LIVE:"),
    (false_live_on_return, "false LIVE:"),
    (late, "late:"),
    (never, "no agreement"),
    (store_differs, "views differ"),
    (store_differs_on_card2, "views differ"),
    (new_alarm, ""),
    (acknowledged, ""),
    (acknowledgement_may_go_with_the_file, ""),
    (acknowledgement_lost, "acknowledgement lost:"),
    (acknowledgement_taken_back, "acknowledgement lost:"),
    (acknowledgement_invented, "acknowledgement invented:"),
    (alarms_differ, "views differ"),
    (ended_by_itself, "display has ended by itself"),
]


def main() -> int:
    """Tells every story to the checker."""
    failed = 0
    for tell, wanted in CASES:
        story = Story()
        tell(story)
        said = story.over()
        right = any(words.startswith(wanted) for words in said) if wanted else not said
        if not right:
            failed += 1
            print(f"FAILED: {tell.__name__}: wanted {wanted or 'nothing'!r}, the checker says {said}")
    print(f"checker: {len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
