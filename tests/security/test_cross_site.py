"""Other sites cannot act for a signed-in person (S20)."""

from __future__ import annotations

import pytest

from tests.serving import Serving

NEW_USER = {"username": "mallory", "display_name": "M", "role": "admin"}


def test_an_unsafe_request_needs_the_token(served: Serving) -> None:
    admin = served.signed_in("admin")
    del admin.headers["x-csrf-token"]
    answer = admin.post("/api/users", json=NEW_USER)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "csrf"


def test_the_token_of_another_session_does_not_do(served: Serving) -> None:
    admin, worker = served.signed_in("admin"), served.signed_in("worker")
    admin.headers["x-csrf-token"] = worker.headers["x-csrf-token"]
    assert admin.post("/api/users", json=NEW_USER).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://evil.127.0.0.1"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_request_of_another_site_is_refused(
    served: Serving, method: str, headers: dict[str, str]
) -> None:
    admin = served.signed_in("admin") if method == "POST" else None
    client = admin or served.client()
    path = {"POST": "/api/users", "PATCH": "/api/users/x", "DELETE": "/api/session"}[method]
    answer = client.request(method, path, json=NEW_USER, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "foreign_origin"


def test_signing_in_from_another_site_is_refused(served: Serving) -> None:
    body = {"username": "worker", "password": served.passwords["worker"]}
    answer = served.client().post(
        "/api/session", json=body, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_that_a_form_could_send_is_refused(served: Serving, content_type: str) -> None:
    body = f'{{"username": "worker", "password": "{served.passwords["worker"]}"}}'
    answer = served.client().post(
        "/api/session", content=body, headers={"content-type": content_type}
    )
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


def test_own_pages_may(served: Serving) -> None:
    client = served.client()
    body = {"username": "worker", "password": served.passwords["worker"]}
    headers = {"origin": served.url, "sec-fetch-site": "same-origin"}
    assert client.post("/api/session", json=body, headers=headers).status_code == 200


def test_no_other_origin_is_allowed_to_read(served: Serving) -> None:
    answer = served.client().get("/api/settings", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
