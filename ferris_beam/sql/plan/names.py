"""Unique names of a plan's columns and relations."""

from __future__ import annotations


class Names:
    """Hands out names, each once in a query. Not shared between threads."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, wanted: str) -> str:
        """``wanted``, or ``wanted_2``, ``wanted_3``, … where that is taken.

        >>> names = Names()
        >>> names.unique("sum"), names.unique("sum"), names.unique("sum")
        ('sum', 'sum_2', 'sum_3')
        """
        name, number = wanted, 2
        while name.lower() in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name.lower())
        return name


def without_duplicates(names: list[str]) -> list[str]:
    """The names of a result: a second ``id`` becomes ``id_1``, a third ``id_2``.

    >>> without_duplicates(["id", "id", "name", "id", "id_1"])
    ['id', 'id_1', 'name', 'id_2', 'id_1_1']
    """
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        taken.add(candidate)
        result.append(candidate)
    return result
