#!/usr/bin/env python3
"""Break the core's own code, one rule at a time, and see how soon the simulation finds it.

Usage: scripts/mutate.py [--seeds N] [NUMBER ...]

  --seeds N     run so many seeds of each at the most (default 5000)
  NUMBER ...    only these; without any, all
  -h, --help    this text

Some rules are broken at the core's boundary (tests/sim/planted.rs, in every test run). These cannot be: each is a change in one
file of src/, made in a copy of the project below target/mutants. One takes a minute or two: it is compiled, and then run.
Ends with status 1 if one was not found, or does not fit the code any more.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
COPY = PROJECT / "target" / "mutants"

# What is broken, in which file, what stands there, and what is put in its place.
MUTATIONS = [
    (
        "an initial state is as good as a toggle",
        "src/version.rs",
        "if self.is_provisional() || other.is_provisional() {",
        "if self.dot.n == u64::MAX {",
    ),
    (
        "eras that were met prove nothing",
        "src/version.rs",
        "            Order::Unordered => Order::of(\n",
        "            Order::Unordered if self.dot.n == u64::MAX => Order::of(\n",
    ),
    (
        "quarantine is for ever",
        "src/machine/quarantine.rs",
        "            if self.is_vouched(now, sensor, &reading.version)",
        "            if now.since_start().as_secs() == u64::MAX && self.is_vouched(now, sensor, &reading.version)",
    ),
    (
        "an owner that speaks settles nothing",
        "src/machine/quarantine.rs",
        "            [true, false] => {\n",
        "            [true, false] if now.since_start().as_secs() == u64::MAX => {\n",
    ),
    (
        "what gives way while its owner is silent is forgotten",
        "src/machine/quarantine.rs",
        "self.quarantine(arrival, sensor, if taken { shown } else { reading });",
        "if !taken { self.quarantine(arrival, sensor, reading); }",
    ),
    (
        "an owner's own era is as any other",
        "src/owner.rs",
        "if own_heard != own_known {",
        "if own_heard != own_known && self.begun == u32::MAX {",
    ),
    (
        "what others have been told is given up for a higher number",
        "src/owner.rs",
        "Order::Unordered => !self.restored && heard.dot > own.dot,",
        "Order::Unordered => heard.dot > own.dot,",
    ),
    (
        "an owner stays in an era that somebody else counts in",
        "src/owner.rs",
        "if std::mem::take(&mut self.claimed) {",
        "if std::mem::take(&mut self.claimed) && self.begun == u32::MAX {",
    ),
    (
        "nobody says what lies on sensors/all at broker 1",
        "src/machine/sending.rs",
        "joined: Some(self.joined).filter(|_| regular && card == Card::One),",
        "joined: Some(self.joined).filter(|_| regular && card == Card::One && self.leaving),",
    ),
    (
        "a display does not ask for the join",
        "src/machine/signs.rs",
        "self.knows_better(&heartbeat.has) || self.misses_the_join(now)",
        "self.knows_better(&heartbeat.has) || (self.leaving && self.misses_the_join(now))",
    ),
    (
        "a second owner is listened to beside the first",
        "src/chain.rs",
        "if speaks && pulse.life() != Some(heartbeat.life) {",
        "if speaks && pulse.life().is_none() {",
    ),
    (
        "answers do not wait",
        "src/machine/hearing.rs",
        "Duration::from_millis(250)",
        "Duration::from_millis(0)",
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


def run(seeds):
    """Gives the first failing seed with its words, or None."""
    settings = {
        "SIM_SEEDS": str(seeds),
        "SIM_FAILURES": "1",
        "RUST_BACKTRACE": "0",
        "CARGO_TARGET_DIR": str(COPY / "target"),
        "CARGO_PROFILE_SIMULATION_LTO": "off",
        "CARGO_PROFILE_SIMULATION_CODEGEN_UNITS": "16",
    }
    command = "cargo test --quiet --profile simulation --no-default-features --test simulation -- many_seeds --nocapture"
    ended = subprocess.run(
        command.split(), cwd=COPY, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if "could not compile" in ended.stderr:
        raise SystemExit(f"scripts/mutate.py: the changed code does not compile:\n{ended.stderr}")
    failed = re.findall(r"^failed: seed (\d+): (.*)", ended.stdout, re.MULTILINE)
    return min(((int(seed), words) for seed, words in failed), default=None)


def main(arguments):
    if "-h" in arguments or "--help" in arguments:
        print(__doc__.strip())
        return 0
    seeds = 5000
    if arguments[:1] == ["--seeds"]:
        seeds, arguments = int(arguments[1]), arguments[2:]
    chosen = [int(number) for number in arguments] or range(len(MUTATIONS))
    missed = 0
    for number in chosen:
        words, name, old, new = MUTATIONS[number]
        copy_project()
        text = (COPY / name).read_text()
        if text.count(old) != 1:
            print(f"{number:2}  does not fit {name}: {words}", flush=True)
            missed += 1
            continue
        (COPY / name).write_text(text.replace(old, new))
        found = run(seeds)
        missed += found is None
        print(f"{number:2}  {'not found' if found is None else f'seed {found[0]}':>10}  {words}", flush=True)
        if found:
            print(f"                {found[1]}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
