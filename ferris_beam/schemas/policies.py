"""What a schema check does about each kind of difference.

============  ====================  ====================  =====================  ==================
policy        missing column        extra column          other type             null where there
                                                                                 must be none
============  ====================  ====================  =====================  ==================
accept        stays away            stays, at the end     stays as it came       stays
evolve        is added, all null    stays, at the end,    becomes the type that  stays; the column
                                    sorted by name        holds both             may be null now
drop          drops the rows        is dropped            drops rows whose       drops the row
                                                          values don't fit
dead_letter   rejects the rows      rejects rows that     rejects rows whose     rejects the row
                                    have a value in it    values don't fit
fail          stops the job         stops the job         stops the job          stops the job
============  ====================  ====================  =====================  ==================

Rows go on with the expected columns in the expected order; what a policy leaves as it is stays so.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields

from ferris_beam.errors import ConfigurationError

POLICIES = ("accept", "evolve", "drop", "dead_letter", "fail")


@dataclass(frozen=True, slots=True)
class Policies:
    """A policy for each kind of difference; raises `ConfigurationError` for an unknown one."""

    missing: str = "fail"
    extra: str = "fail"
    changed: str = "fail"
    nulls: str = "fail"

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if given not in POLICIES:
                near = difflib.get_close_matches(str(given), POLICIES, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ";"
                raise ConfigurationError(
                    f"{field.name}={given!r} is no policy{hint} There are: {', '.join(POLICIES)}"
                )
