"""`luming hj212 decode | encode | explain`."""

from __future__ import annotations

import argparse

__all__ = ["configure"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_subparsers(dest="action", required=True)
