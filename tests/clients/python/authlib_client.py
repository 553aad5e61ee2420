"""Authlib: a public client, and a confidential one that authenticates in both ways."""

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from user import SECRET, SERVER, SPA, WEB, assert_is_alice, assert_refuses, authorize, sign_in, tampered

import requests

WELL_KNOWN = get_well_known_url(SERVER, external=True, suffix="oauth-authorization-server")
METADATA = AuthorizationServerMetadata(requests.get(WELL_KNOWN, timeout=10).json())
assert METADATA["issuer"] == SERVER and METADATA["code_challenge_methods_supported"] == ["S256"]


def start(client, secret=None, method=None, verifier=None):
    """A session, and where it sends the user: with a challenge if there is a verifier to make it of."""
    session = OAuth2Session(
        client["id"],
        secret,
        token_endpoint_auth_method=method,
        redirect_uri=client["redirect_uri"],
        scope="profile",
        code_challenge_method="S256",
    )
    url, session.state = session.create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier)
    return session, url


def redeem(session, callback, verifier):
    """The token request; the state was handed to the session."""
    endpoint = METADATA["token_endpoint"]
    return session.fetch_token(endpoint, authorization_response=callback, code_verifier=verifier)


def whole(client, secret=None, method=None):
    verifier = generate_token(48)
    session, url = start(client, secret, method, verifier)
    first = redeem(session, sign_in(url), verifier)
    assert first["scope"] == "profile"
    assert_is_alice(session, client)
    second = session.refresh_token(METADATA["token_endpoint"])
    assert second["access_token"] != first["access_token"]
    assert_is_alice(session, client)


whole(SPA)
whole(WEB, SECRET, "client_secret_basic")
whole(WEB, SECRET, "client_secret_post")

# The server refuses a verifier that is another one, one that is missing, and a request without a challenge.
for wrong in [generate_token(48), None]:
    session, url = start(SPA, verifier=generate_token(48))
    assert_refuses("invalid_grant", redeem, session, sign_in(url), wrong)
session, url = start(SPA)
callback = authorize(url).headers["location"]
assert "error=invalid_request" in callback
# The library does not notice: without a code it sends a token request of another grant type, the verifier included.
assert_refuses("unsupported_grant_type", redeem, session, callback, generate_token(48))

# The client refuses a foreign state. It does not look at iss: that is left to the application.
verifier = generate_token(48)
session, url = start(SPA, verifier=verifier)
callback = sign_in(url)
assert_refuses(MismatchingStateException, redeem, session, tampered(callback, "state", "foreign"), verifier)
redeem(session, tampered(callback, "iss", "https://evil.example"), verifier)

print("ok")
