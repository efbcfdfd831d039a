"""Keep the translations complete: collect the strings of code and templates, and compile the Chinese catalogue.

``python tools/messages.py`` updates ``django.po`` (new strings get an empty translation, those no longer used go) and
writes ``django.mo``; ``--add FILE`` takes translations from a file of the same form; ``--check`` changes nothing and
says what is missing. Pure Python: gettext need not be installed.
The strings in the code are the English ones. Contexts and plural forms are not used: Chinese has none, and English
counts stand beside their nouns, not inside sentences.
"""

import argparse
import ast
import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "luming"
CATALOGUE = PACKAGE / "web" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
# A room may keep a catalogue of its own (registry does); the web's catalogue holds all other strings.
OTHERS = [path for path in sorted(PACKAGE.glob("**/locale/zh_Hans/LC_MESSAGES/django.po")) if path != CATALOGUE]
FUNCTIONS = {"_", "gettext", "gettext_lazy"}
FORBIDDEN = {"ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}
HEADER = {
    "Project-Id-Version": "luming",
    "Language": "zh_Hans",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
}


def of_code(path: Path) -> list[str]:
    """Return the literal strings that a module translates."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in FORBIDDEN:
            raise SystemExit(f"{path}:{node.lineno}: {name} is not used here; see tools/messages.py")
        if name in FUNCTIONS and node.args and isinstance(node.args[0], ast.Constant):
            found.append(str(node.args[0].value))
    return found


_STRING = r"""(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')"""
_TRANSLATE = re.compile(r"{%-?\s*(?:translate|trans)\s+" + _STRING)
_INLINE = re.compile(r"_\(" + _STRING + r"\)")
_BLOCK = re.compile(r"{%\s*blocktrans")


def of_template(path: Path) -> list[str]:
    """Return the strings that a template translates."""
    text = path.read_text(encoding="utf-8")
    if _BLOCK.search(text):
        raise SystemExit(f"{path}: blocktranslate is not used here; see tools/messages.py")
    return [match[1] or match[2] for pattern in (_TRANSLATE, _INLINE) for match in pattern.finditer(text)]


def strings() -> dict[str, str]:
    """Return every string to translate with the file that has it first."""
    found: dict[str, str] = {}
    files = [*sorted(PACKAGE.rglob("*.py")), *sorted(PACKAGE.rglob("templates/**/*.html"))]
    for path in files:
        for text in of_code(path) if path.suffix == ".py" else of_template(path):
            if text:
                found.setdefault(text, str(path.relative_to(PACKAGE)))
    return found


def read(path: Path = CATALOGUE) -> dict[str, str]:
    """Return the translations of a catalogue in our simple form of .po: msgid, msgstr, comments."""
    pairs: dict[str, str] = {}
    current: list[str] = []
    key = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        word, _, rest = line.partition(" ")
        if word == "msgid":
            current = [ast.literal_eval(rest)]
        elif word == "msgstr":
            key, current = "".join(current), [ast.literal_eval(rest)]
        elif line.startswith('"'):
            current.append(ast.literal_eval(line))
        if word == "msgstr" or line.startswith('"'):
            pairs[key] = "".join(current)
    pairs.pop("", None)
    return pairs


def quoted(text: str) -> str:
    """Return a string as .po writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def elsewhere() -> dict[str, str]:
    """Return what the catalogues of other rooms translate."""
    return {text: translation for path in OTHERS for text, translation in read(path).items() if translation}


def po(found: dict[str, str], known: dict[str, str]) -> str:
    """Return the catalogue as text, ordered by file."""
    lines = ['msgid ""', 'msgstr ""', *(quoted(f"{name}: {value}\n") for name, value in HEADER.items())]
    for text, where in sorted(found.items(), key=lambda item: (item[1], item[0])):
        lines += ["", f"#: {where}", f"msgid {quoted(text)}", f"msgstr {quoted(known.get(text, ''))}"]
    return "\n".join(lines) + "\n"


def mo(known: dict[str, str]) -> bytes:
    """Return the compiled catalogue (GNU gettext's binary form, revision 0)."""
    header = "".join(f"{name}: {value}\n" for name, value in HEADER.items())
    pairs = sorted({"": header, **{key: value for key, value in known.items() if value}}.items())
    encoded = [(key.encode(), value.encode()) for key, value in pairs]
    tables_at, count = 28, len(encoded)
    position = tables_at + 16 * count
    keys, values, body = [], [], b""
    for table, index in ((keys, 0), (values, 1)):
        for pair in encoded:
            table.append((len(pair[index]), position + len(body)))
            body += pair[index] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, tables_at, tables_at + 8 * count, 0, 0)
    return head + b"".join(struct.pack("<2I", *item) for item in keys + values) + body


def is_compiled(known: dict[str, str]) -> bool:
    """Tell whether the committed .mo says what the .po says."""
    path = CATALOGUE.with_suffix(".mo")
    return path.exists() and path.read_bytes() == mo(known)


def problems(found: dict[str, str], known: dict[str, str]) -> list[str]:
    """Return what is wrong with the catalogue: missing, unused, or placeholders lost on the way."""
    said = [f"{where}: not translated: {text!r}" for text, where in found.items() if not known.get(text)]
    said += [f"no longer used: {text!r}" for text in known if text not in found]
    for text, translation in known.items():
        if translation and sorted(re.findall(r"%\(\w+\)\w", text)) != sorted(re.findall(r"%\(\w+\)\w", translation)):
            said.append(f"placeholders differ: {text!r}")
    return said


def main() -> int:
    """Update or check the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 when something is missing")
    parser.add_argument("--add", type=Path, action="append", default=[], help="a file of msgid and msgstr lines")
    args = parser.parse_args()
    others = elsewhere()
    found, known = {text: where for text, where in strings().items() if text not in others}, read()
    if not args.check:
        for path in args.add:
            known |= {text: translation for text, translation in read(path).items() if translation}
        known = {text: known.get(text, "") for text in found}
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_text(po(found, known), encoding="utf-8")
        CATALOGUE.with_suffix(".mo").write_bytes(mo(known))
    elif not is_compiled(known):
        print("django.mo is not made of django.po: run python tools/messages.py", file=sys.stderr)
        return 1
    said = problems(found, known)
    print("\n".join(said) or f"{len(found)} strings, all translated", file=sys.stderr if said else sys.stdout)
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main())
