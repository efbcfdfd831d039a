"""From a panel's HTML to what can be set on paper: headings, paragraphs, facts, tables and lists.

A dossier holds the panels of all domains, and a domain writes one template, for the page. Here its markup is read and
only its content kept: texts in the order they stand. What is for the screen only carries ``data-unprinted``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

Block = dict[str, Any]

_SILENT = {
    "svg",
    "script",
    "style",
    "luming-map",
    "luming-chart",
    "form",
    "select",
    "input",
    "template",
    "details",
    "button",
}
_VOID = {"input", "br", "img", "hr", "link", "meta", "use", "line", "polyline", "wbr"}
_BREAKS = {"div", "p", "li", "dd", "dt", "br", "h2", "h3", "h4", "section"}


@dataclass
class _Node:
    tag: str
    attributes: dict[str, str]
    children: list[_Node | str] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = _Node("root", {})
        self.stack = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = _Node(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].children.append(node)
        if tag not in _VOID:
            self.stack.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.stack[-1].children.append(_Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.stack) - 1, 0, -1):
            if self.stack[depth].tag == tag:
                del self.stack[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)


def blocks(html: str) -> list[Block]:
    """Return the content of a piece of HTML as blocks for the template of the dossier.

    >>> blocks("<h3>A</h3><dl><dt>x</dt><dd>1 <b>2</b></dd></dl>")
    [{'kind': 'heading', 'text': 'A'}, {'kind': 'facts', 'rows': [['x', '1 2']]}]
    """
    tree = _Tree()
    tree.feed(html)
    tree.close()
    found: list[Block] = []
    _walk(tree.root, found)
    return found


def _hidden(node: _Node) -> bool:
    """Tell whether an element is for the screen only; ``d-none d-print-inline`` is for paper only."""
    return (
        (node.tag in _SILENT and "lm-cell" not in node.classes)  # a value is a button that opens its packet
        or "data-unprinted" in node.attributes
        or "hidden" in node.attributes
        or bool(node.classes & {"d-print-none", "visually-hidden"})
        or ("d-none" in node.classes and not any(name.startswith("d-print-") for name in node.classes))
    )


def _walk(node: _Node, found: list[Block]) -> None:
    for child in node.children:
        if isinstance(child, str):
            if text := _clean(child):
                found.append({"kind": "paragraph", "text": text})
        elif not _hidden(child):
            _block(child, found)


def _block(node: _Node, found: list[Block]) -> None:
    if "card-header" in node.classes:  # of what stands beside a heading, nothing is for paper
        found += [{"kind": "heading", "text": text_of(child)} for child in _children(node, "h2", "h3", "h4")]
    elif node.tag in ("h2", "h3", "h4"):
        found.append({"kind": "heading", "text": text_of(node)})
    elif node.tag == "dl":
        found.append({"kind": "facts", "rows": _facts(node)})
    elif node.tag == "table":
        if table := _table(node):
            found.append(table)
    elif node.tag in ("ul", "ol"):
        rows = [_cells(item) for item in _children(node, "li")]
        found.append({"kind": "rows", "rows": [row for row in rows if any(row)]})
    elif "lm-row" in node.classes:
        if found and found[-1]["kind"] == "rows":
            found[-1]["rows"].append(_cells(node))
        else:
            found.append({"kind": "rows", "rows": [_cells(node)]})
    elif _structured(node):
        _walk(node, found)
    elif text := text_of(node):
        found.append({"kind": "paragraph", "text": text})


_STRUCTURE = {"dl", "table", "ul", "ol", "h2", "h3", "h4", "p"}


def _structured(node: _Node) -> bool:
    """Tell whether more than one paragraph is inside."""
    return any(
        child.tag in _STRUCTURE or "lm-row" in child.classes or _structured(child)
        for child in node.children
        if isinstance(child, _Node) and not _hidden(child)
    )


def _children(node: _Node, *tags: str) -> list[_Node]:
    return [child for child in node.children if isinstance(child, _Node) and child.tag in tags and not _hidden(child)]


def _facts(node: _Node) -> list[list[str]]:
    rows: list[list[str]] = []
    for child in _children(node, "dt", "dd"):
        if child.tag == "dt":
            rows.append([text_of(child), ""])
        elif rows:
            rows[-1][1] = f"{rows[-1][1]} {text_of(child)}".strip()
    return rows


def _cells(node: _Node) -> list[str]:
    """Return the pieces of a row of a list: its elements one by one."""
    cells = [text_of(child) if isinstance(child, _Node) else _clean(child) for child in node.children
             if not (isinstance(child, _Node) and _hidden(child))]  # fmt: skip
    return [cell for cell in cells if cell]


def _table(node: _Node) -> Block | None:
    head: list[str] = []
    rows: list[list[str]] = []
    right: list[int] = []
    for part in node.children:
        if not isinstance(part, _Node):
            continue
        for row in [part] if part.tag == "tr" else _children(part, "tr"):
            cells = _children(row, "th", "td")
            texts = [text_of(cell) for cell in cells]
            if part.tag == "thead":
                head = texts
                right = [number for number, cell in enumerate(cells) if "num" in cell.classes]
            else:
                rows.append(texts)
    width = max([len(head), *(len(row) for row in rows)], default=0)
    if not width or "lm-month" in node.classes:
        return None
    filled = [row + [""] * (width - len(row)) for row in rows]
    return {"kind": "table", "head": head, "rows": filled, "width": width, "right": right}


def text_of(node: _Node) -> str:
    """Return the text of an element; blocks inside it stand on lines of their own."""
    return "\n".join(line for line in (_clean(piece) for piece in _pieces(node).split("\n")) if line)


def _pieces(node: _Node) -> str:
    found = ""
    for child in node.children:
        if isinstance(child, str):
            found += re.sub(r"\s+", " ", child)
        elif child.tag == "br":
            found += "\n"
        elif not _hidden(child):
            inner = _pieces(child)
            apart = child.tag in _BREAKS or "d-block" in child.classes or "grow" in node.classes
            # Words with their coloured dots, and tags, stand apart by the look alone.
            worded = bool(child.classes & {"lm-state", "lm-tag"})
            found += f"\n{inner}\n" if apart else f" {inner} " if worded else inner
    return found


def _clean(text: str) -> str:
    return re.sub(r"[ \t\r\f\v\n]+", " ", text).strip()
