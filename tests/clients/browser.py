"""The browser and its user, for clients that open one: `browser.py [--print] [--thief FILE] URL`.

It shows no page: it fills in the form of each page, allows, and follows every redirect, the one to the client included.
With `--print` it prints that last URL instead. Needs nothing but Python.

With `--thief` somebody who sees the callback tries the code first, without the code verifier and with another one. FILE is
empty before and gets a line for each token response, so that the caller can see that both were refused.
"""

import argparse
import http.cookiejar
import json
import time
import urllib.error
import urllib.request
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

USER = {"username": "alice", "password": "wonderland"}


class Form(HTMLParser):
    """The one form of a page, as a user who allows would send it."""

    def __init__(self, page):
        super().__init__()
        self.attributes, self.fields, self.button = {}, {}, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.attributes = attributes
        elif tag == "input":
            self.fields[attributes["name"]] = USER.get(attributes["name"], attributes.get("value", ""))
        elif tag == "button":
            self.button = attributes

    def handle_data(self, data):
        if self.button and data.strip() in ("Allow", "Approve"):
            self.fields[self.button["name"]] = self.button["value"]
        self.button = None


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def opener():
    """Keeps cookies as a browser does. Neither redirects nor errors are its own affair."""
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    return urllib.request.build_opener(NoRedirect, cookies, urllib.request.ProxyHandler({}))


def send(browser, url, form=None, headers={}):
    """The response, whatever its status."""
    body = None if form is None else urlencode(form).encode()
    try:
        return browser.open(urllib.request.Request(url, body, headers), timeout=30)
    except urllib.error.HTTPError as response:
        return response


def deliver(callback):
    """To the client. It may begin to listen only once its browser is open."""
    for _ in range(100):
        try:
            return send(opener(), callback)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.1)
    raise SystemExit("nobody listens for the callback")


def origin(url):
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


def visit(url):
    """Allows, until the server redirects to another origin. That URL."""
    browser, server = opener(), origin(url)
    response = send(browser, url)
    while True:
        if 300 <= response.status < 400:
            url = urljoin(url, response.headers["location"])
            if origin(url) != server:
                return url
            response = send(browser, url)
        else:
            page = response.read().decode()
            form = Form(page)
            if response.status != 200 or not form.attributes:
                raise SystemExit(f"{url}: {response.status}\n{page}")
            url = urljoin(url, form.attributes["action"])
            response = send(browser, url, form.fields, {"Origin": server, "Sec-Fetch-Site": "same-origin"})


def steal(url, callback, file):
    """Redeems the code as whoever sees the callback could: all is right, but for the code verifier."""
    request = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    metadata = json.load(send(opener(), f"{origin(url)}/.well-known/oauth-authorization-server"))
    fields = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(callback).query)["code"][0],
        **{name: request[name] for name in ("client_id", "redirect_uri", "resource") if name in request},
    }
    with open(file, "a") as log:
        for wrong in ({}, {"code_verifier": "a" * 43}):
            response = send(opener(), metadata["token_endpoint"], {**fields, **wrong})
            print(response.status, json.load(response).get("error"), file=log)


arguments = argparse.ArgumentParser()
arguments.add_argument("--print", action="store_true")
arguments.add_argument("--thief")
arguments.add_argument("url")
arguments = arguments.parse_args()

callback = visit(arguments.url)
if arguments.thief:
    steal(arguments.url, callback, arguments.thief)
if arguments.print:
    print(callback)
else:
    response = deliver(callback)
    if response.status >= 400:
        raise SystemExit(f"the client's callback: {response.status}")
