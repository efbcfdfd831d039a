"""The quick search of a list: the index of the search, and other ways where a word is in a large part of the rows.

The index names what matches in a few milliseconds as long as that is not much. What matches a third of 200,000 rows is
found faster in the rows themselves: Chinese words in their columns; Latin ones, which may be the pinyin of a name and
stand in the index only, by looking at row after row in the order of the list until the page is full.
"""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from luming.core import search, search_upkeep
from luming.core.models import SearchEntry
from luming.core.pieces import pattern, words_of
from luming.core.registers import Register

BROAD = 5_000  # matches from which on the index is not the fastest way


class Search:
    """What was typed into the search box of a list."""

    def __init__(self, register: Register, text: str) -> None:
        self.register = register
        self.words = words_of(text) if register.search else []
        self.is_broad = False
        if self.words:
            search_upkeep.freshen()
            matches = search.entries(register.key, self.words)
            self.is_broad = matches.values("pk")[: BROAD + 1].count() > BROAD

    @property
    def is_slow(self) -> bool:
        """Tell whether counting all that matches takes long: it is left until the page is shown."""
        return self.is_broad and not self._is_chinese

    @property
    def _is_chinese(self) -> bool:
        return all("\u3400" <= character <= "\u9fff" for word in self.words for character in word)

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the records that hold every word."""
        if not self.words:
            return queryset
        if self.is_broad and self._is_chinese:
            held = (
                reduce(or_, (Q(**{f"{path}__contains": word}) for path in self.register.search)) for word in self.words
            )
            return queryset.filter(reduce(and_, held))
        return search.narrowed(queryset, self.register.key, self.words)

    def narrow_in_order(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the same, by asking of each row; for the first rows in an order that has an index."""
        if not self.is_slow:
            return self.narrow(queryset)
        entry = SearchEntry.objects.filter(kind=self.register.key, object_id=Cast(OuterRef("pk"), CharField())).values(
            holds=reduce(and_, (Q(search.Like("haystack", pattern(word))) for word in self.words))
        )
        return queryset.annotate(_holds=Subquery(entry)).filter(_holds=True)
