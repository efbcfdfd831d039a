"""The how-to of a ledger is what it says: its model is the dummy's, and its declaration is a register that works."""

import re
from dataclasses import fields
from pathlib import Path

import luming_dummy.models
import pytest
from django.http import QueryDict

from luming.core.registers import Column, Filter, Register
from luming.web.registers import catalogue, filters
from luming.web.registers.listing import Listing

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def blocks():
    text = (DOCS / "how-to" / "add-a-ledger.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.S)


def test_the_model_is_that_of_the_dummy(blocks):
    source = Path(luming_dummy.models.__file__).read_text(encoding="utf-8")
    assert blocks[0].strip() in source
    assert len(re.findall(r"^    \w+ = models\.(?!QuerySet)\w+\(", blocks[0], re.M)) == 15


def test_the_declaration_of_thirty_lines_works(blocks, world, wells):
    namespace: dict = {}
    exec(compile(blocks[1], "add-a-ledger.md", "exec"), namespace)
    register = namespace["REGISTERS"][0]
    lines = blocks[1].partition("REGISTERS")[2].splitlines()
    assert len(lines) <= 36  # "about 30"
    shown = Listing(register, world.users["duty"], QueryDict("region=150203&q=监测&sort=-depth_m"))
    assert shown.count == len(shown.page().rows) == 30
    assert filters.filterset(register, world.users["duty"], QueryDict(), shown.found).form.is_valid()
    assert {item.name for item in catalogue.described(register)} >= {"remarks", "depth_m"}


@pytest.mark.parametrize("declared", [Register, Column, Filter])
def test_the_reference_names_every_option(declared):
    text = (DOCS / "reference" / "registers.md").read_text(encoding="utf-8")
    names = {item.name for item in fields(declared)} - {"name"}
    assert not {name for name in names if f"`{name}`" not in text}
