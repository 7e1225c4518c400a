"""All scenarios, in the order in which they run and stand on the page."""

import itertools
import time

from . import api_job, cold_start, etl, instructions, tpch

MODULES = (cold_start, api_job, tpch, etl, instructions)
QUICK = (cold_start, api_job, tpch, etl)


class Rounds:
    """The numbers of so many rounds: at least one, and none that would not end within the minutes if it took as long as the longest."""

    def __init__(self, most, minutes=None, now=time.monotonic):
        self.most, self.minutes, self.now = most, minutes, now

    def __iter__(self):
        started, longest = self.now(), 0.0
        for number in range(self.most):
            began = self.now()
            if number and self.minutes is not None and began + longest > started + self.minutes * 60:
                return
            yield number
            longest = max(longest, self.now() - began)

    def __str__(self):
        within = "" if self.minutes is None or self.most == 1 else f" within {self.minutes:g} minutes"
        return ("one round" if self.most == 1 else f"up to {self.most} rounds" if within else f"{self.most} rounds") + within


def all_scenarios():
    return list(itertools.chain.from_iterable(module.scenarios() for module in MODULES))


def quick_scenarios():
    return list(itertools.chain.from_iterable(module.quick() for module in QUICK))


def in_order(measured):
    """What was measured, as the modules have it; what is in none of them comes last."""
    places = {scenario.name: place for place, scenario in enumerate(all_scenarios())}
    return dict(sorted(measured.items(), key=lambda item: places.get(item[0], len(places))))
