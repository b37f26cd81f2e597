"""Writes the OpenAPI document of the mock to standard output."""

import json

from mock.server import app

print(json.dumps(app.openapi(), ensure_ascii=False, indent=1))
