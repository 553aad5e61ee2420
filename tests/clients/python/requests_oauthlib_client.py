"""Requests-OAuthlib: a public client in both ways that the library has, and a confidential one."""

import os

from oauthlib.oauth2 import MismatchingStateError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from user import SECRET, SERVER, SPA, WEB, assert_is_alice, assert_refuses, authorize, sign_in, tampered

# Loopback without TLS.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
AUTHORIZE, TOKEN = f"{SERVER}/authorize", f"{SERVER}/token"


def start(client, pkce="S256"):
    """A session, and where it sends the user."""
    session = OAuth2Session(client["id"], redirect_uri=client["redirect_uri"], scope=["profile"], pkce=pkce)
    url, _ = session.authorization_url(AUTHORIZE)
    return session, url


def whole(client, fetch, refresh):
    session, url = start(client)
    first = session.fetch_token(TOKEN, authorization_response=sign_in(url), **fetch)
    assert first["scope"] == ["profile"]
    assert_is_alice(session, client)
    second = session.refresh_token(TOKEN, **refresh)
    assert second["access_token"] != first["access_token"]
    assert_is_alice(session, client)


# By default the library sends the name of a public client by HTTP Basic, with an empty secret.
whole(SPA, {}, {"client_id": "spa"})
whole(SPA, {"include_client_id": True}, {"client_id": "spa"})
whole(WEB, {"client_secret": SECRET}, {"auth": HTTPBasicAuth("web", SECRET)})
whole(
    WEB,
    {"include_client_id": True, "client_secret": SECRET},
    {"client_id": "web", "client_secret": SECRET},
)

# The server refuses a verifier that is another one, one that is missing, and a request without a challenge.
session, url = start(SPA)
callback = sign_in(url)
session._code_verifier = "a" * 43
assert_refuses("invalid_grant", session.fetch_token, TOKEN, authorization_response=callback)
session._pkce = None
assert_refuses("invalid_grant", session.fetch_token, TOKEN, authorization_response=callback)
session, url = start(SPA, pkce=None)
callback = authorize(url).headers["location"]
assert_refuses("invalid_request", session.fetch_token, TOKEN, authorization_response=callback)

# The client refuses a foreign state. It does not look at iss: that is left to the application.
session, url = start(SPA)
callback = sign_in(url)
foreign = tampered(callback, "state", "foreign")
assert_refuses(MismatchingStateError, session.fetch_token, TOKEN, authorization_response=foreign)
session.fetch_token(TOKEN, authorization_response=tampered(callback, "iss", "https://evil.example"))
# A refresh names no client unless it is told to.
assert_refuses("invalid_client", session.refresh_token, TOKEN)

print("ok")
