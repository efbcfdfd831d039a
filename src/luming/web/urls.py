"""The addresses of all pages. The permission matrix (tests/web/test_access.py) names every one of them."""

from importlib import import_module

from django.urls import path

from luming.core import manifest
from luming.web import helping
from luming.web.cockpit import urls as cockpit
from luming.web.evidence import urls as evidence
from luming.web.instruments import urls as instruments
from luming.web.marks import urls as marks
from luming.web.onefile import urls as onefile
from luming.web.onemap import urls as onemap
from luming.web.outside import urls as outside
from luming.web.quality import urls as quality
from luming.web.registers import urls as registers
from luming.web.review import urls as review
from luming.web.sampling import urls as sampling
from luming.web.setup import urls as setup
from luming.web.statistics import urls as statistics
from luming.web.views import (
    account,
    devices,
    health,
    home,
    importing,
    packets,
    people,
    places,
    second_factor,
    tasks,
    unregistered,
)

urlpatterns = [
    path("", home.now, name="home"),
    path("summary/", home.summary, name="home-summary"),
    # places
    path("places/", places.listing, name="places"),
    path("places/<int:pk>/", places.page, name="place"),
    path("places/<int:pk>/now/", places.current, name="place-now"),
    path("places/<int:pk>/chart.json", places.chart, name="place-chart"),
    path("places/<int:pk>/values/", places.values, name="place-values"),
    path("places/<int:pk>/values.csv", places.values_csv, name="place-csv"),
    path("places/<int:pk>/values/<int:series>/<int:start>/", places.value, name="value"),
    path("places/<int:pk>/judgements/<int:judgement>/", places.judgement, name="judgement"),
    path("facilities/<int:pk>/", places.facility, name="facility"),
    # packets
    path("packets/", packets.listing, name="packets"),
    path("packets/problems/", packets.problems, name="problems"),
    path("packets/release/", packets.release, name="release"),
    path("packets/<int:pk>/", packets.page, name="packet"),
    # devices
    path("devices/", devices.listing, name="devices"),
    path("devices/<int:pk>/", devices.page, name="device"),
    path("devices/<int:pk>/now/", devices.current, name="device-now"),
    path("devices/<int:pk>/gaps/", devices.gaps, name="device-gaps"),
    path("devices/<int:pk>/commands/", devices.commands, name="device-commands"),
    path("devices/<int:pk>/commands/<int:cn>/", devices.command, name="device-command"),
    path("devices/<int:pk>/commands/<int:command>/cancel/", devices.cancel, name="command-cancel"),
    path("devices/<int:pk>/factors/", devices.map_factor, name="device-factors"),
    path("devices/<int:pk>/key/", devices.set_key, name="device-key"),
    # unregistered devices; an MN as sent may hold anything, so it travels as a parameter
    path("unregistered/", unregistered.listing, name="unregistered"),
    path("unregistered/adopt/", unregistered.adopt, name="adopt"),
    path("unregistered/dismiss/", unregistered.dismiss, name="dismiss"),
    path("unregistered/places/", unregistered.find_places, name="adopt-places"),
    # the account
    # register
    path("import/", importing.page, name="import"),
    path("import/apply/", importing.apply, name="import-apply"),
    path("import/errors/", importing.errors, name="import-errors"),
    path("import/template/", importing.template, name="import-template"),
    # accounts
    path("sign-in/", account.sign_in, name="login"),
    path("sign-out/", account.sign_out, name="sign-out"),
    path("account/", account.page, name="account"),
    path("account/password/", account.password, name="password"),
    path("account/language/", account.language, name="language"),
    path("account/code/", second_factor.give, name="second-factor"),
    path("account/second-factor/", second_factor.enrol, name="second-factor-enrol"),
    path("account/second-factor/codes/", second_factor.codes, name="second-factor-codes"),
    path("account/second-factor/remove/", second_factor.remove, name="second-factor-remove"),
    # long work of one's own
    path("tasks/", tasks.listing, name="tasks"),
    path("tasks/badge/", tasks.badge, name="task-badge"),
    path("tasks/<int:pk>/", tasks.page, name="task"),
    path("tasks/<int:pk>/file/", tasks.result, name="task-file"),
    path("tasks/<int:pk>/cancel/", tasks.cancel, name="task-cancel"),
    # people and the installation
    path("users/", people.users, name="users"),
    path("users/new/", people.create, name="user-new"),
    path("users/<int:pk>/activity/", people.set_active, name="user-activity"),
    path("users/<int:pk>/password/", people.reset_password, name="user-password"),
    path("roles/", people.roles, name="roles"),
    path("roles/<int:pk>/", people.assign, name="role"),
    path("roles/<int:pk>/second-factor/", second_factor.reset, name="second-factor-reset"),
    path("audit/", people.audit_trail, name="audit"),
    path("help/<path:name>/", helping.view, name="help"),
    # probes
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    # rooms of the web
    *registers.urlpatterns,
    *onefile.urlpatterns,
    *onemap.urlpatterns,
    *cockpit.urlpatterns,
    *outside.urlpatterns,
    *setup.urlpatterns,
    # data of record
    *quality.urlpatterns,
    *marks.urlpatterns,
    *review.urlpatterns,
    *statistics.urlpatterns,
    *instruments.urlpatterns,
    *sampling.urlpatterns,
    *evidence.urlpatterns,
    # pages of domains
    *(pattern for domain in manifest.manifests() if domain.urls for pattern in import_module(domain.urls).urlpatterns),
]

handler400 = "luming.web.views.errors.bad_request"
handler403 = "luming.web.views.errors.forbidden"
handler404 = "luming.web.views.errors.not_found"
handler500 = "luming.web.views.errors.server_error"
