"""Fail when a model has changed without a migration."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.ops.test_settings")

import django
from django.core.management import call_command

django.setup()
try:
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)
except SystemExit as error:
    if error.code:
        print("models have changed without a migration: run `luming manage makemigrations -n what_changed`")
    sys.exit(error.code)
