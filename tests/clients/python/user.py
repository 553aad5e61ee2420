"""The user with a browser, and what all the clients here are registered with."""

import sys
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

SERVER = sys.argv[1]

SPA = {"id": "spa", "redirect_uri": "http://127.0.0.1:8765/callback"}
WEB = {"id": "web", "redirect_uri": "https://app.example/cb?tenant=7"}
SECRET = "web-secret"


class Form(HTMLParser):
    """The one form of a page."""

    def __init__(self, page):
        super().__init__()
        self.attributes, self.fields = {}, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.attributes = attributes
        elif tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and attributes.get("value") == "allow":
            self.fields[attributes["name"]] = "allow"


def authorize(url):
    """The answer to an authorization request: a sign-in page, or a redirect."""
    return requests.get(url, allow_redirects=False, timeout=10)


def sign_in(url):
    """Alice fills in the form as a browser would and allows. The callback, which nobody requests."""
    page = authorize(url)
    assert page.status_code == 200, page.status_code
    form = Form(page.text)
    fields = {**form.fields, "username": "alice", "password": "wonderland"}
    action, method = urljoin(page.url, form.attributes["action"]), form.attributes["method"]
    answer = requests.request(method, action, data=fields, allow_redirects=False, timeout=10)
    assert answer.status_code == 303, answer.status_code
    return answer.headers["location"]


def tampered(callback, name, value):
    """A callback with one parameter changed on the way."""
    url = urlsplit(callback)
    return url._replace(query=urlencode({**dict(parse_qsl(url.query)), name: value})).geturl()


def assert_is_alice(session, client):
    """The token is good."""
    assert session.get(f"{SERVER}/me").json() == {"sub": "alice", "client_id": client["id"]}


def assert_refuses(error, call, *arguments, **named):
    """A call fails with an OAuth error, or with an exception of a type."""
    try:
        call(*arguments, **named)
    except Exception as exception:
        is_it = exception.error == error if isinstance(error, str) else isinstance(exception, error)
        assert is_it, repr(exception)
    else:
        raise AssertionError(f"it was not refused: {error}")
