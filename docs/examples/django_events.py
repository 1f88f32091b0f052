"""Tells rucache what the database has committed: Django signals in, POST /v1/events out.

Put this file into an application, list its models in MODELS with the fields that rules look at, and
call `connect()` in the application's `AppConfig.ready`. No package but Django is needed.

Settings: RUCACHE_URL (http://127.0.0.1:8080), RUCACHE_TOKEN (none).
"""

import json
import logging
import urllib.request

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_init, post_save

MODELS = {
    "tienda.Producto": ("producto", ["precio"]),
    "tienda.Pedido": ("pedido", []),
    "tienda.Usuario": ("usuario", ["rol"]),
}
log = logging.getLogger(__name__)


def connect():
    for label, (entity, fields) in MODELS.items():
        _connect(apps.get_model(label), entity, fields)


def _connect(model, entity, fields):
    def values(instance):
        # What is deferred is not loaded for our sake.
        return {name: _plain(instance.__dict__.get(name)) for name in fields}

    def remember(instance, **_):
        instance._rucache_before = values(instance)

    def saved(instance, created, using, **_):
        before = dict.fromkeys(fields) if created else instance._rucache_before
        tell(instance, "created" if created else "updated", before, values(instance), using)
        remember(instance)

    def deleted(instance, using, **_):
        tell(instance, "deleted", values(instance), dict.fromkeys(fields), using)

    def tell(instance, action, before, after, using):
        # One that did not change is told too: an event without fields may have changed any.
        told = {name: {"old": before[name], "new": after[name]} for name in fields}
        event = {"entity": entity, "action": action, "key": str(instance.pk), "fields": told}
        # A load that starts before the commit would store what is old already.
        transaction.on_commit(lambda: post([event]), using=using)

    for signal, receiver in ((post_init, remember), (post_save, saved), (post_delete, deleted)):
        signal.connect(receiver, sender=model, weak=False)


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def post(events):
    """Posts events; a service that does not answer must not fail a request that is committed."""
    url = getattr(settings, "RUCACHE_URL", "http://127.0.0.1:8080") + "/v1/events"
    headers = {"Content-Type": "application/json"}
    if token := getattr(settings, "RUCACHE_TOKEN", None):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(events).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            effects = json.load(answer)["effects"]
    except OSError as error:
        log.error("rucache was not told of %d events: %s", len(events), error)
        return []
    for effect in effects:
        if effect["outcome"] != "done":
            log.warning("rucache: %s", effect)
    return effects
