"""One process of clients: `python -m benchmarks.soak_clients PORT CONNECTIONS PATIENCE SEED`.

Keeps so many connections busy until it is ended. Each second it prints a line of JSON with what was
counted so far, and at once whatever was wrong, so that little is lost when it is killed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
from collections import Counter
from dataclasses import dataclass, field

from benchmarks import machine
from benchmarks.soak_people import BAD, GOOD, Person, WrongAnswerError, connect

PEOPLE = [*GOOD, *BAD]
ARE_GOOD = {person for person, _ in GOOD}


@dataclass
class Tally:
    """What one process has seen, in numbers; `wrong` holds the words."""

    answers: int = 0
    connections: int = 0
    cut: int = 0  # bad clients whose connection the server had ended before they left
    came: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def tell(self) -> None:
        print(json.dumps(vars(self)), flush=True)


async def keep_coming(port: int, seed: str, patience: float, tally: Tally) -> None:
    """One place: somebody comes, does what he does, leaves, and the next one comes."""
    seeded = random.Random(seed)  # noqa: S311 - has to be repeatable, not secret
    people, weights = zip(*PEOPLE, strict=True)
    number = 0
    await asyncio.sleep(seeded.random() * patience / 2)
    while True:
        number += 1
        person: Person = seeded.choices(people, weights)[0]
        try:
            line = await connect(port, seeded, f"{seed}-{number}", patience)
        except OSError as error:
            tally.wrong.append(f"cannot connect: {error!r}")
            tally.tell()
            await asyncio.sleep(1)
            continue
        tally.connections += 1
        tally.came[person.__name__] += 1
        try:
            await person(line)
        except WrongAnswerError as error:
            tally.wrong.append(f"{person.__name__} {line.name}: {error}")
            tally.tell()
        except OSError:
            pass  # of a bad one, and seen below: the good say by themselves what is wrong
        finally:
            tally.answers += line.answers
            tally.cut += person not in ARE_GOOD and line.ended
            line.close()


async def main(port: int, connections: int, patience: float, seed: str) -> None:
    tally = Tally()
    places = [
        asyncio.create_task(keep_coming(port, f"{seed}-{number}", patience, tally))
        for number in range(connections)
    ]
    while not any(place.done() for place in places):
        tally.tell()
        await asyncio.sleep(1)
    for place in places:  # a fault of ours: it must be seen
        if place.done():
            tally.wrong.append(f"a client failed: {place.exception()!r}")
    tally.tell()


if __name__ == "__main__":
    # That a bad client writes to a connection that was cut is what it is here for.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    machine.raise_open_files()
    words = sys.argv[1:]
    asyncio.run(main(int(words[0]), int(words[1]), float(words[2]), words[3]))
