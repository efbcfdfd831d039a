"""The WSGI door of the pages."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
application = get_wsgi_application()
