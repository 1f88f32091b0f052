"""Cache-aside over HTTP: of many processes that miss a value one loads it, the others wait for it."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("RUCACHE_SERVER", "http://127.0.0.1:8080")
TOKEN = os.environ.get("RUCACHE_TOKEN")


def _call(method, path, query, body=None):
    url = f"{URL}{path}?{urllib.parse.urlencode(query)}"
    headers = {"Content-Type": "application/json"}
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as answer:
        return answer.code, json.loads(answer.read() or "null")


def get_or_load(service, name, load, ttl=300, lease=30, wait=5000):
    """The value of `name`, or what `load()` returns, stored for `ttl` seconds.

    `load` has `lease` seconds. A service that does not answer costs the cache, not the value.
    """
    path = f"/v1/cache/{urllib.parse.quote(service, safe='')}/{urllib.parse.quote(name, safe='')}"
    try:
        status, body = _call("GET", path, {"lease": lease, "wait": wait})
    except OSError:
        return load()
    if status == 200:
        return body
    permit = body.get("lease") if status == 404 else None
    value = load()
    if permit:
        try:
            # 409: somebody changed or deleted the name meanwhile. The value is ours to use once.
            _call("PUT", path, {"lease": permit, "ttl": ttl}, value)
        except OSError:
            pass
    return value


if __name__ == "__main__":
    print(get_or_load("default", "estadisticas_ventas", lambda: {"total": 12}))
