"""What is taken and what is refused, by content and name."""

import io
import json
import zipfile

import pytest
from django.core.exceptions import ValidationError

from luming.core import files
from luming.core.files import HEAD, LONGEST_NAME, clean_name, recognise


def archive(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "<xml/>")
    return buffer.getvalue()


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
GEO = json.dumps({"type": "FeatureCollection", "features": []}).encode()
OFFICE = "application/vnd.openxmlformats-officedocument."

TAKEN = [
    (b"%PDF-1.7\n...", "permit.pdf", "application/pdf"),
    (archive("[Content_Types].xml", "word/document.xml"), "a.docx", OFFICE + "wordprocessingml.document"),
    (archive("[Content_Types].xml", "xl/workbook.xml"), "a.XLSX", OFFICE + "spreadsheetml.sheet"),
    (archive("[Content_Types].xml", "ppt/presentation.xml"), "a.pptx", OFFICE + "presentationml.presentation"),
    (PNG, "a.png", "image/png"),
    (b"\xff\xd8\xff\xe0" + b"\0" * 20, "a.JPG", "image/jpeg"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", "a.webp", "image/webp"),
    (b"GIF89a....", "a.gif", "image/gif"),
    (b"II*\x00....", "a.tiff", "image/tiff"),
    ("因子,值\nSO2,1\n".encode("gb18030"), "a.csv", "text/csv"),
    ("\ufeff因子,值\n".encode(), "a.csv", "text/csv"),
    ("说明".encode(), "说明.txt", "text/plain"),
    (("汉" * HEAD).encode(), "long.txt", "text/plain"),
    (GEO, "a.geojson", "application/geo+json"),
    (GEO, "a.json", "application/geo+json"),
]

REFUSED = [
    (b"", "empty.pdf"),
    (b"<!DOCTYPE html><script>alert(1)</script>", "a.html"),
    (b"<html><body>hello", "a.txt"),
    (b"\n\n  <svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", "a.svg"),
    (b"<?xml version='1.0'?><svg/>", "a.png"),
    (b"harmless\n<script>alert(1)</script>", "a.txt"),
    (b"a,b\n1,<iframe src=x>", "a.csv"),
    (b"MZ\x90\x00\x03", "a.exe"),
    (b"MZ\x90\x00\x03", "a.pdf"),
    (b"\x7fELF\x02\x01", "a.txt"),
    (b"#!/bin/sh\nrm -rf /", "a.txt"),
    (b"@echo off", "a.txt"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old.doc"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old.xls"),
    (archive("evil.exe"), "a.zip"),
    (archive("evil.exe"), "a.docx"),
    (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docx"),
    (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docm"),
    (archive("[Content_Types].xml", "xl/workbook.xml"), "a.docx"),
    (b"PK\x03\x04broken", "a.docx"),
    (b'{"type": "Program"}', "a.json"),
    (b"{not json", "a.geojson"),
    (b"[1, 2]", "a.json"),
    (PNG, "a.pdf"),
    (PNG, "a.jpg"),
    (b"%PDF-1.7", "a.html"),
    (b"%PDF-1.7", "a"),
    (b"text", "a.html"),
    (b"text", "a.js"),
    (b"text\x00with\x01bytes", "a.txt"),
    (b"\xff\xfe\xfa\x81\x20\xff", "a.txt"),
    (b"{\\rtf1\\ansi}", "a.txt"),
]


@pytest.mark.parametrize(("content", "name", "media_type"), TAKEN)
def test_taken(content, name, media_type):
    file = io.BytesIO(content)
    assert recognise(file, name) == media_type
    assert file.tell() == 0  # what follows reads it from its beginning


@pytest.mark.parametrize(("content", "name"), REFUSED)
def test_refused(content, name):
    with pytest.raises(ValidationError) as caught:
        recognise(io.BytesIO(content), name)
    assert name in caught.value.messages[0]


def test_a_large_geojson_is_known_by_its_beginning(monkeypatch):
    monkeypatch.setattr(files, "LARGEST_READ", 10)
    assert recognise(io.BytesIO(GEO), "a.geojson") == "application/geo+json"
    with pytest.raises(ValidationError):
        recognise(io.BytesIO(b'{"name": "x", "type": "Program"}'), "a.json")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("permit.pdf", "permit.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.pdf", "a.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("  .hidden. ", "hidden"),
        ("", "file"),
        ("汉" * 300 + ".pdf", "汉" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_names_are_cleaned(given, kept):
    assert clean_name(given) == kept
