'use strict';

// ---- What the page knows: its settings, and one flow, which the tab remembers while the user signs in. ----

const settings = JSON.parse(document.getElementById('settings').textContent);
const callback = `${location.origin}/callback`;
const metadata = '/.well-known/oauth-authorization-server';
const order = ['verifier', 'challenge', 'request', 'signin', 'code', 'token', 'resource'];
const $ = (id) => document.getElementById(id);

let flow = remembered();

function remembered() {
  try {
    const flow = JSON.parse(sessionStorage.getItem('flow'));
    // A server that was started again knows nothing of it.
    return flow?.issuer === settings.issuer ? flow : { issuer: settings.issuer };
  } catch {
    return { issuer: settings.issuer };
  }
}

function remember(more) {
  flow = { ...flow, ...more };
  sessionStorage.setItem('flow', JSON.stringify(flow));
}

// ---- PKCE, as a client does it. ----

const base64url = (octets) =>
  btoa(String.fromCharCode(...octets)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function challengeOf(verifier) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

const authorizationParameters = () => ({
  response_type: 'code',
  client_id: settings.client,
  redirect_uri: callback,
  scope: 'profile',
  state: flow.state,
  code_challenge: flow.challenge,
  code_challenge_method: 'S256',
});

const tokenParameters = () => ({
  grant_type: 'authorization_code',
  client_id: settings.client,
  redirect_uri: callback,
  code: flow.returned.code,
  code_verifier: flow.verifier,
});

// The answer to the authorization request, in the address bar.
function comeBack() {
  if (location.pathname !== '/callback') return null;
  const answer = Object.fromEntries(new URLSearchParams(location.search));
  // The code stands in the address bar no longer than it has to.
  history.replaceState(null, '', '/');
  if (!flow.state || answer.state !== flow.state || flow.returned) {
    return 'An answer came that belongs to no request of this tab: its state is another one. It is ignored (RFC 6749 §10.12).';
  }
  if (answer.iss !== settings.issuer) {
    return 'An answer came from another authorization server than was asked: its iss says so. It is ignored (RFC 9207 §2.4).';
  }
  remember({ returned: answer });
  return null;
}

const run = {
  verifier: () => remember({ verifier: random() }),
  challenge: async () => {
    const answer = await fetch(settings.issuer + metadata, { credentials: 'omit' });
    const methods = (await answer.json()).code_challenge_methods_supported;
    if (!methods?.includes('S256')) throw new Error('the server’s metadata does not say S256');
    const exchanges = await onTheWire(metadata);
    remember({ challenge: await challengeOf(flow.verifier), state: random(), metadata: exchanges.slice(-1) });
  },
  request: async () => {
    // From a server that is gone there is no way back to this page.
    await onTheWire(flow.state);
    location.assign(`${settings.issuer}/authorize?${new URLSearchParams(authorizationParameters())}`);
  },
  token: async () => {
    const answer = await fetch(`${settings.issuer}/token`, {
      method: 'POST', body: new URLSearchParams(tokenParameters()), credentials: 'omit',
    });
    const tokens = await answer.json();
    const exchanges = await onTheWire(flow.verifier);
    remember({ redeemed: { served: answer.ok, token: tokens.access_token, exchanges: exchanges.slice(-1) } });
  },
  resource: async () => {
    const answer = await fetch(`${settings.issuer}/me`, {
      headers: { authorization: `Bearer ${flow.redeemed.token}` }, credentials: 'omit',
    });
    const exchanges = await onTheWire(`Bearer ${flow.redeemed.token}`);
    // The last, and its preflight: the browser remembers the answer of one for a while, and then sends none.
    const asked = exchanges.length > 1 && isPreflight(exchanges.at(-2));
    remember({ used: { served: answer.ok, exchanges: exchanges.slice(asked ? -2 : -1) } });
  },
};

// ---- The program behind the page. ----

async function ask(path, body) {
  const answer = await fetch(path, { method: 'POST', body });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

const onTheWire = async (value) => (await ask('/play/exchanges', value)).exchanges;

function trouble(error) {
  return error instanceof TypeError
    ? 'The server does not answer. Does the playground still run? Start it again and reload this page.'
    : `That did not work: ${error.message}.`;
}
