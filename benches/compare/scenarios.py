"""All scenarios, in the order in which they run and stand on the page."""

import itertools

from . import api_job, cold_start, etl, instructions, tpch

MODULES = (cold_start, api_job, tpch, etl, instructions)
QUICK = (cold_start, api_job, tpch, etl)


def all_scenarios():
    return list(itertools.chain.from_iterable(module.scenarios() for module in MODULES))


def quick_scenarios():
    return list(itertools.chain.from_iterable(module.quick() for module in QUICK))


def in_order(measured):
    """What was measured, as the modules have it; what is in none of them comes last."""
    places = {scenario.name: place for place, scenario in enumerate(all_scenarios())}
    return dict(sorted(measured.items(), key=lambda item: places.get(item[0], len(places))))
