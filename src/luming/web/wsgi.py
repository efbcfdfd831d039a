"""The WSGI door of the pages."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
application = get_wsgi_application()

# What is loaded by now (views and all they import) lives as long as the process. The collector need not walk these
# 340,000 objects again and again: that held a request up for 0.1 to 0.2 s now and then.
assert get_resolver().url_patterns
gc.collect()
gc.freeze()
