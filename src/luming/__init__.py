"""Luming (鹿鸣): the digital-intelligence management system of a city's ecology-and-environment bureau."""

__version__ = "0.1.0"
