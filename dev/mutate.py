#!/usr/bin/env python3
"""For developers. Break the core's own code, one rule at a time, and see whether the simulation or a test finds it.

Some rules are broken at the core's boundary (core/tests/simulation/planted.rs, in every test run). The rules here cannot be broken there: each is a change
in one file of core/src/, made in a copy of the project below target/mutants. What the simulation cannot find, since it does not watch
it or it is too rare, names the file of core/tests/core/ that finds it. One takes seconds, or a minute or two with the simulation.
Ends with status 1 if one was not found, or does not fit the code any more.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
COPY = PROJECT / "target" / "mutants"

# What is broken, the test that finds it, in which file, what stands there, and what is put in its place.
MUTATIONS = [
    (
        "an initial state is as good as a toggle",
        "simulation",
        "core/src/version.rs",
        "if self.is_provisional() || other.is_provisional() {",
        "if self.dot.n == u64::MAX {",
    ),
    (
        "a reading with another number has another alarm",
        "simulation",
        "core/src/reading.rs",
        "            ko: self.last_ko(),\n            ..*self",
        "            ko: None,\n            ..*self",
    ),
    (
        "a reading that somebody has contradicted has another alarm",
        "acknowledged",
        "core/src/owner.rs",
        "                    self.readings.set(sensor, own.renumbered(version));",
        "                    self.readings.set(sensor, Reading { version, ..own });",
    ),
    (
        "alarms that are still to come can be acknowledged",
        "acknowledged",
        "core/src/machine.rs",
        "            own.outrun(self.acknowledging.known());",
        "            let _ = own;",
    ),
    (
        "what displaces a toggle has not seen what that had seen",
        "owner",
        "core/src/owner.rs",
        "            let version = own.map_or(heard.version, |own| heard.version.in_place_of(&own.version));",
        "            let version = heard.version;",
    ),
    (
        "quarantine does not say which alarm it was",
        "acknowledged",
        "core/src/machine.rs",
        "                let ko = heartbeat.quarantined_ko[sensor];",
        "                let ko = None;",
    ),
    (
        "an acknowledged alarm of one era makes that of another one forgotten",
        "acknowledged",
        "core/src/acknowledged.rs",
        "            dots: self.dots.join(other.dots),\n            ..first",
        "            dots: first.dots,\n            ..first",
    ),
    (
        "a display says once which alarms were acknowledged",
        "simulation",
        "core/src/machine.rs",
        "            self.send_acknowledged(&heartbeat.acknowledged, effects);",
        "",
    ),
    (
        "eras that were met prove nothing",
        "simulation",
        "core/src/version.rs",
        "            Order::Unordered => Order::of(\n",
        "            Order::Unordered if self.dot.n == u64::MAX => Order::of(\n",
    ),
    (
        "what gives way while its owner is silent is forgotten",
        "quarantine",
        "core/src/machine/others.rs",
        "quarantined: self.quarantine(sensor, if taken { shown } else { reading }),",
        "quarantined: !taken && self.quarantine(sensor, reading),",
    ),
    (
        "quarantine is for ever",
        "quarantine",
        "core/src/machine/others.rs",
        "            if is_preferred(said, sensor, &reading.version, &shown.version) {",
        "            if said.is_none() && is_preferred(said, sensor, &reading.version, &shown.version) {",
    ),
    (
        "an owner is not told which version is not believed",
        "quarantine",
        "core/src/machine.rs",
        "            for (sensor, reading) in heartbeat.quarantined.of(own).iter() {",
        "            for (sensor, reading) in heartbeat.quarantined.of(own.other()).iter() {",
    ),
    (
        "an owner that speaks settles nothing",
        "simulation",
        "core/src/machine/others.rs",
        "Order::Same | Order::Unordered => has(one) && !has(other),",
        "Order::Same | Order::Unordered => said.is_none() && has(one) && !has(other),",
    ),
    (
        "the era in which an owner counts is as any other to those who hear it",
        "quarantine",
        "core/src/machine/others.rs",
        "counts_in(one) != counts_in(other) {",
        "said.is_none() && counts_in(one) != counts_in(other) {",
    ),
    (
        "what an owner has seen by now does not count",
        "quarantine",
        "core/src/machine/others.rs",
        "version.having_seen(&owners),",
        "*version,",
    ),
    (
        "a copy that an owner has found is later than what has met its era",
        "quarantine",
        "core/src/machine/others.rs",
        "        Order::Earlier => false,\n        Order::Same | Order::Unordered => has",
        "        Order::Earlier | Order::Same | Order::Unordered => has",
    ),
    (
        "what comes from somebody's memory is live at once",
        "freshness",
        "core/src/machine.rs",
        "if topic == Topic::Witness && merged.merge == Merge::Taken {",
        "if topic == Topic::Marker && merged.merge == Merge::Taken {",
    ),
    (
        "who came first is judged anew with each heartbeat",
        "twins",
        "core/src/machine/ownership.rs",
        "        if self.twin.proofs == 1 {\n            self.twin.at_once",
        "        if self.twin.proofs > 0 {\n            self.twin.at_once",
    ),
    (
        "what an owner has decided is forgotten",
        "owner",
        "core/src/owner.rs",
        "if open && self.is_own(&own.version)",
        "if open && self.begun == u32::MAX && self.is_own(&own.version)",
    ),
    (
        "who knows the reading passes over what has been decided since",
        "quarantine",
        "core/src/reading.rs",
        "                if known.state == reading.state {",
        "                if known.state == reading.state && known.version.is_provisional() {",
    ),
    (
        "an owner passes over what has been decided of its own reading",
        "owner",
        "core/src/owner.rs",
        " else {\n                    self.readings.merge(sensor, heard);\n                }",
        "",
    ),
    (
        "an owner's own era is as any other",
        "simulation",
        "core/src/owner.rs",
        "if own_heard != own_known {",
        "if own_heard != own_known && self.begun == u32::MAX {",
    ),
    (
        "what others have been told is given up for a higher number",
        "owner",
        "core/src/owner.rs",
        "Order::Unordered => !self.restored && heard.dot > own.dot,",
        "Order::Unordered => heard.dot > own.dot,",
    ),
    (
        "an owner stays in an era that somebody else counts in",
        "simulation",
        "core/src/owner.rs",
        "if core::mem::take(&mut self.claimed) {",
        "if core::mem::take(&mut self.claimed) && self.begun == u32::MAX {",
    ),
    (
        "nobody says what lies on sensors/all at broker 1",
        "simulation",
        "core/src/machine.rs",
        "joined: Some(self.others.joined).filter(|_| regular && card == Card::One),",
        "joined: Some(self.others.joined).filter(|_| regular && card == Card::One && self.leaving),",
    ),
    (
        "a display does not ask for the join",
        "simulation",
        "core/src/machine.rs",
        "self.misses_the_join(now.mono, &heartbeat.has))",
        "(self.leaving && self.misses_the_join(now.mono, &heartbeat.has)))",
    ),
    (
        "a second owner is listened to beside the first",
        "freshness",
        "core/src/chain.rs",
        "if speaks && pulse.life() != Some(heartbeat.life) {",
        "if speaks && pulse.life().is_none() {",
    ),
    (
        "a witness that lacks something is not answered",
        "simulation",
        "core/src/machine.rs",
        "            // Whoever sent it does not have what the join has.\n            self.outbox.again_on(Topic::All);",
        "            self.outbox.again_on(Topic::Marker);",
    ),
    (
        "answers do not wait",
        "flood",
        "core/src/machine.rs",
        "Duration::from_millis(250)",
        "Duration::from_millis(0)",
    ),
    (
        "what a broker has another report of is not said again",
        "simulation",
        "core/src/machine/outbox.rs",
        "slot.again |= slot.behind;",
        "slot.again |= slot.behind && slot.refused;",
    ),
    (
        "a plain word stays where the join shows none",
        "simulation",
        "core/src/machine.rs",
        "card == Card::Two && !heartbeat.other_plain {",
        "card == Card::Two && !heartbeat.other_plain && self.leaving {",
    ),
    (
        "nobody is told of a bad join",
        "simulation",
        "core/src/machine.rs",
        "            self.others.joined = Versions::default();\n            self.heart.regular_now(now.mono);",
        "",
    ),
    (
        "a new connection is no reason to say all again",
        "republish",
        "core/src/machine.rs",
        "        self.outbox.again();\n        if self.ownership",
        "        if self.ownership",
    ),
    (
        "the bridge's return is no reason to say all again",
        "republish",
        "core/src/machine.rs",
        "        if up {\n            self.speak_again(now);",
        "        if up && self.leaving {\n            self.speak_again(now);",
    ),
    (
        "what is refused is offered again at once",
        "republish",
        "core/src/machine/outbox.rs",
        "slot.refused = true;",
        "slot.refused = false;",
    ),
    (
        "what is under way is said again",
        "republish",
        "core/src/machine.rs",
        "&& !self.outbox.is_busy() && ",
        "&& ",
    ),
    (
        "a heartbeat that is told at once speaks of a join that may be on its way",
        "republish",
        "core/src/machine.rs",
        "joined: Some(self.others.joined).filter(|_| regular && card == Card::One),",
        "joined: Some(self.others.joined).filter(|_| card == Card::One),",
    ),
    (
        "a plain join is not corrected",
        "republish",
        "core/src/machine.rs",
        "self.outbox.found(Topic::Card(Card::One), true);",
        "",
    ),
    (
        "what differs for a moment is held",
        "freshness",
        "core/src/chain.rs",
        "Duration::from_secs(3)",
        "Duration::ZERO",
    ),
    (
        "what its owner cannot have made is live for a moment",
        "freshness",
        "core/src/chain.rs",
        "if !may_have_made(&said, known, card) =>",
        "if said.has.get(crate::sensor::SensorId::ALL[0]).is_some() && !may_have_made(&said, known, card) =>",
    ),
    (
        "the owner beyond a bridge that was down is the one of before",
        "freshness",
        "core/src/chain.rs",
        " && !cut;",
        " && (!cut || now.mono >= Mono::ZERO);",
    ),
    (
        "at broker 1 a display calls card 1 live over a bridge that is down",
        "freshness",
        "core/src/chain.rs",
        "(card != self.home || comes_back)",
        "card != self.home",
    ),
    (
        "at broker 1 a display names card2_monitor where the bridge is quiet",
        "freshness",
        "core/src/chain.rs",
        "if comes_back && !self",
        "if false && !self",
    ),
    (
        "a display asks for the join as long as card 1 is off",
        "freshness",
        "core/src/machine.rs",
        "!joined.same(&self.has(), card)",
        "true",
    ),
    (
        "where two do not agree who came first, both stay",
        "twins",
        "core/src/machine/ownership.rs",
        "self.twin.proofs < UNDECIDED && ",
        "",
    ),
    (
        "two are told apart by their start, however close",
        "twins",
        "core/src/machine/ownership.rs",
        "uptime.abs_diff(heartbeat.uptime) <= AT_ONCE",
        "uptime == heartbeat.uptime",
    ),
    (
        "an old report of another owner counts each time it is found",
        "twins",
        "core/src/machine/ownership.rs",
        "other.0 != life && !seen(*other)",
        "other.0 != life || seen((life, u64::MAX))",
    ),
    (
        "reports of several runs count as those of one",
        "twins",
        "core/src/machine/ownership.rs",
        "self.displaced_by.is_none_or(|known| known.0 != by)",
        "self.displaced_by.is_none_or(|known| known.0 != by && known.1 == u64::MAX)",
    ),
    (
        "that the other one has left is passed over",
        "twins",
        "core/src/machine/ownership.rs",
        "self.reporter.is_none_or(|(of, _)| of == life)",
        "self.reporter.is_some_and(|(of, _)| of == life)",
    ),
    (
        "a connection that lasted counts as taken away",
        "twins",
        "core/src/machine/ownership.rs",
        "self.lost_soon = now < at.after(MOMENTS);",
        "self.lost_soon = now >= at;",
    ),
    (
        "who takes over has no more patience than the other one",
        "twins",
        "core/src/machine/ownership.rs",
        "2 * TAKEN_AWAY",
        "TAKEN_AWAY",
    ),
    (
        "an owner at the other board's broker stays",
        "twins",
        "core/src/machine/ownership.rs",
        "_ if self.at_other_board => true,",
        "_ if self.at_other_board => false,",
    ),
    (
        "two others that are heard in turn prove nothing",
        "twins",
        "core/src/machine/ownership.rs",
        "let followed = self.twin.pulse.forgotten().is_some_and(|at| now.mono < at);",
        "let followed = self.twin.pulse.forgotten().is_some_and(|at| now.mono > at);",
    ),
    (
        "two runs from copies of one file use the same numbers",
        "hostile_events",
        "core/src/owner.rs",
        "u64::from(life.0) % (BLOCK / 2)",
        "0",
    ),
    (
        "what stands in a file above its reservation is used again",
        "hostile_events",
        "core/src/owner.rs",
        "used = dots.map(|dot| dot.n).fold(used, u64::max);",
        "used = dots.map(|dot| dot.n.min(used)).fold(used, u64::max);",
    ),
    (
        "another state under an owner's own dot is passed over",
        "hostile_findings",
        "core/src/owner.rs",
        "if own.state != heard.state && !own.version.is_provisional() {",
        "if own.state != heard.state && self.begun == u32::MAX {",
    ),
    (
        "the names on an earlier report count",
        "names",
        "core/src/machine.rs",
        " && !shown.version(sensor).is_some_and(earlier) {",
        " {",
    ),
    (
        "the join names the sensors of a card whose owner is heard",
        "names",
        "core/src/machine.rs",
        "topic == self.identity.other_topic() && !shown.version",
        "topic != Topic::Witness && !shown.version",
    ),
    (
        "nobody says which names were heard",
        "names",
        "core/src/machine.rs",
        "heard.is_some_and(|heard| heard != own)",
        "heard.is_some_and(|heard| heard != own && self.leaving)",
    ),
    (
        "other names than the owner's stay at its broker",
        "names",
        "core/src/machine.rs",
        "lacks || report.names != own.names",
        "lacks",
    ),
    (
        "an owner names the sensors of the other card",
        "names",
        "core/src/machine/naming.rs",
        "let sensors = own.into_iter().flat_map(Card::sensors).collect();",
        "let sensors = SensorId::ALL.into_iter().filter(|_| own.is_some()).collect();",
    ),
    (
        "a command that waits is done twice",
        "commands",
        "core/src/machine/commands.rs",
        "self.done.contains(id) || self.waiting.as_ref().is_some_and(waits)",
        "self.done.contains(id) || self.waiting.as_ref().is_some_and(waits) && id == 0",
    ),
    (
        "a burst is in step",
        "hostile_findings",
        "core/src/pulse.rs",
        "if between.is_some_and(|between| between <= STEP) {",
        "if between.is_some_and(|between| between < Duration::ZERO) {",
    ),
    (
        "a life that has ended without a proof is heard again",
        "pulse",
        "core/src/pulse.rs",
        "self.last_word.filter(|_| self.gone).or(self.lapsed)",
        "self.lapsed",
    ),
    (
        "a broker that says late that a source is gone makes it gone later",
        "pulse",
        "core/src/pulse.rs",
        "(Some(ended), Some(proof)) if ended.mono.since(proof.mono) > INTERVAL + STEP => Some(proof.wall),",
        "(Some(ended), Some(proof)) if ended.mono < proof.mono => Some(proof.wall),",
    ),
    (
        "a bell that was silenced rings again",
        "bell",
        "core/src/alarms/bell.rs",
        "self.next.take().is_some()",
        "self.next.is_some()",
    ),
    (
        "the bell repeats what somebody has acknowledged",
        "bell",
        "core/src/alarms/bell.rs",
        "        if !any_open {\n            self.next = None;",
        "        if !any_open && new.is_some() {\n            self.next = None;",
    ),
]


def copy_project():
    """The project as it is now, without what is built."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (PROJECT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, COPY / name)


def cargo_test(test, *arguments, profile="dev", **settings):
    """Runs tests of the copy's core; gives what they printed."""
    settings["CARGO_TARGET_DIR"] = str(COPY / "target")
    settings["RUST_BACKTRACE"] = "0"
    command = f"cargo test --quiet --profile {profile} -p dualboard-core --test {test} --".split()
    ended = subprocess.run(
        [*command, *arguments], cwd=COPY, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if "could not compile" in ended.stderr:
        raise SystemExit(f"dev/mutate.py: the changed code does not compile:\n{ended.stderr}")
    return ended.stdout


def found_by(test, seeds):
    """Gives the first failing test or seed, in words; nothing if none fails."""
    if test != "simulation":
        return re.findall(r"^([\w:]+) --- FAILED", cargo_test("core", f"{test}::"), re.MULTILINE)
    printed = cargo_test(
        test,
        *"many_seeds --nocapture".split(),
        profile="simulation",
        SIM_SEEDS=str(seeds),
        SIM_FAILURES="1",
        CARGO_PROFILE_SIMULATION_LTO="off",
        CARGO_PROFILE_SIMULATION_CODEGEN_UNITS="16",
    )
    failed = re.findall(r"^failed: seed (\d+): (.*)", printed, re.MULTILINE)
    return [f"seed {seed}: {words}" for seed, words in sorted(failed, key=lambda one: int(one[0]))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", metavar="N", type=int, default=5000, help="run so many seeds of each at the most (default 5000)")
    parser.add_argument("numbers", metavar="NUMBER", type=int, nargs="*", help="only these; without any, all")
    chosen = parser.parse_args()
    missed = 0
    for number in chosen.numbers or range(len(MUTATIONS)):
        words, test, name, old, new = MUTATIONS[number]
        copy_project()
        text = (COPY / name).read_text()
        if text.count(old) != 1:
            print(f"{number:2}  does not fit {name}: {words}", flush=True)
            missed += 1
            continue
        (COPY / name).write_text(text.replace(old, new))
        found = found_by(test, chosen.seeds)
        missed += not found
        print(f"{number:2}  {'found' if found else 'NOT FOUND'} by {test}: {words}", flush=True)
        if found:
            print(f"        {found[0]}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
