'use strict';

// ---- What the page knows: its settings, and one flow, which the tab remembers while the user signs in. ----

const settings = JSON.parse(document.getElementById('settings').textContent);
const callback = `${location.origin}/callback`;
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
  challenge: async () => remember({ challenge: await challengeOf(flow.verifier), state: random() }),
  request: () => location.assign(`${settings.issuer}/authorize?${new URLSearchParams(authorizationParameters())}`),
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
    remember({ used: { served: answer.ok, exchanges: exchanges.slice(-1) } });
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

// ---- Elements. ----

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === true) made.setAttribute(name, '');
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

const say = (text) => { $('live').textContent = text; };

function clauseLink(clause) {
  const [, rfc, section] = /^RFC (\d+) §([\d.]+)$/.exec(clause) ?? [];
  const draft = /^OAuth 2\.1 §([\d.]+)$/.exec(clause)?.[1];
  const href = rfc
    ? `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}`
    : `https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-16#section-${draft}`;
  return element('a', { href, rel: 'noreferrer' }, clause);
}

function values(pairs, className = '') {
  const list = element('dl', { class: `value ${className}`.trim() });
  for (const [name, value] of pairs) list.append(element('dt', null, name), element('dd', null, value));
  return list;
}

// ---- An exchange on the wire. ----

const telling = {
  Request: new Set(['host', 'origin', 'authorization', 'content-type', 'content-length', 'content-encoding']),
  Answer: new Set(['content-type', 'content-length', 'location', 'cache-control', 'www-authenticate', 'allow',
    'access-control-allow-origin']),
};
const pkce = new Set(['code', 'code_challenge', 'code_challenge_method', 'code_verifier']);

const header = (message, name) => message.headers.find(([known]) => known === name)?.[1];
const path = (exchange) => exchange.request.target.split('?')[0];

function sender(exchange) {
  if (header(exchange.request, 'user-agent') === 'attacker') return 'Attacker';
  return ['/authorize', '/sign-in'].includes(path(exchange)) ? 'User’s browser' : 'Client';
}

// Parameters as they stand there, with their names marked.
function parameters(text) {
  const parts = [];
  for (const [nth, pair] of text.split('&').entries()) {
    if (nth) parts.push('&', element('wbr'));
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    let decoded = name;
    try { decoded = decodeURIComponent(name); } catch { /* as it stands */ }
    parts.push(element(pkce.has(decoded) ? 'mark' : 'span', { class: 'name' }, name), at < 0 ? '' : pair.slice(at));
  }
  return parts;
}

// A URL or a request target.
function target(text) {
  const at = text.indexOf('?');
  return at < 0 ? [text] : [text.slice(0, at + 1), element('wbr'), ...parameters(text.slice(at + 1))];
}

const startLine = (method, text) => [element('b', null, method), ' ', ...target(text), ' HTTP/1.1'];

function headerLine([name, value]) {
  const shown = name === 'location' ? target(value) : [value];
  return element('div', null, element('span', { class: 'name' }, name), ': ', ...shown);
}

function pane(label, start, message) {
  const isTelling = ([name, value]) => telling[label].has(name) || (name === 'user-agent' && value === 'attacker');
  const head = message.headers.filter(isTelling);
  const rest = message.headers.filter((line) => !isTelling(line));
  const made = element('div', { class: 'pane' }, element('p', { class: 'label' }, label),
    element('pre', null, element('div', null, ...start), ...head.map(headerLine)));
  if (rest.length) {
    made.append(element('details', null,
      element('summary', null, rest.length === 1 ? '1 more header' : `${rest.length} more headers`),
      element('pre', null, ...rest.map(headerLine))));
  }
  if (message.body) {
    const isForm = header(message, 'content-type') === 'application/x-www-form-urlencoded';
    const left = message.length - new TextEncoder().encode(message.body).length;
    const body = element('pre', { class: 'body' }, ...(isForm ? parameters(message.body) : [message.body]),
      left > 0 ? ` … and ${left} octets more` : null);
    made.append(message.body.length < 600 ? body
      : element('details', null, element('summary', null, `A body of ${message.length} octets`), body));
  }
  return made;
}

function panes({ request, answer, log }) {
  const parts = [element('div', { class: 'panes' },
    pane('Request', startLine(request.method, request.target), request),
    answer
      ? pane('Answer', ['HTTP/1.1 ', element('b', null, `${answer.status} ${answer.phrase ?? ''}`)], answer)
      : element('div', { class: 'pane' }, element('p', { class: 'label' }, 'Answer'), element('p', null, 'Nobody waited for it.')))];
  if (log.length) {
    parts.push(element('div', { class: 'log' }, element('p', { class: 'label' }, 'Operator’s log'),
      ...log.map(({ line }) => element('code', null, line))));
  }
  return parts;
}

const titleOf = (exchange) => [sender(exchange), ' ', element('span', { class: 'route' },
  `${exchange.request.method} ${path(exchange)} → ${exchange.answer?.status ?? 'no answer'}`)];

function exchangeFigure(exchange) {
  return element('figure', { class: 'exchange' }, element('figcaption', null, ...titleOf(exchange)), ...panes(exchange));
}

// Of exchanges that are alike the first, and how many there were.
function alike(exchanges) {
  const groups = new Map();
  for (const exchange of exchanges) {
    const key = [sender(exchange), exchange.request.method, path(exchange), exchange.answer?.status, ...exchange.log.map(({ line }) => line)].join();
    if (groups.has(key)) groups.get(key).times += 1;
    else groups.set(key, { exchange, times: 1 });
  }
  return [...groups.values()];
}

// ---- The flow. ----

// What the browser sent on its way to the code.
function seen(where) {
  const found = (flow.exchanges ?? []).filter((exchange) => path(exchange) === where);
  return found.length ? found.map(exchangeFigure) : [element('p', null, 'The server no longer has this request.')];
}

const results = {
  verifier: () => [values([['code_verifier', element('code', null, flow.verifier)],
    ['Made by', 'crypto.getRandomValues: 32 octets, 256 bits, as 43 characters']])],
  challenge: () => [values([['code_challenge', element('code', null, flow.challenge)],
    ['Made by', 'crypto.subtle.digest: BASE64URL(SHA-256(ASCII(code_verifier)))']])],
  request: () => {
    const pairs = Object.entries(authorizationParameters());
    const query = new URLSearchParams(authorizationParameters()).toString();
    return flow.returned ? seen('/authorize') : [
      values(pairs.map(([name, value]) => [pkce.has(name) ? element('mark', null, name) : name, element('code', null, value)]), 'parameters'),
      element('figure', { class: 'exchange' },
        element('figcaption', null, 'User’s browser ', element('span', { class: 'route' }, 'about to send')),
        element('div', { class: 'panes one' }, pane('Request', startLine('GET', `/authorize?${query}`),
          { headers: [['host', settings.issuer.slice(7)]] })))];
  },
  signin: () => seen('/sign-in'),
  code: () => flow.returned.error
    ? [element('p', { class: 'failed' }, `The answer is an error: ${flow.returned.error}. There is no code. Start over to try again.`)]
    : [values([['code', element('code', null, flow.returned.code)]]),
      element('ul', { class: 'checks' },
        element('li', null, 'The state is the one that this tab sent.'),
        element('li', null, 'The iss is ', element('code', null, flow.returned.iss), ', the server that was asked.'),
        element('li', null, 'The code is out of the address bar.'))],
  token: () => {
    if (flow.redeemed) {
      const made = flow.redeemed.exchanges.map(exchangeFigure);
      if (!flow.redeemed.served) made.unshift(element('p', { class: 'failed' }, 'Refused. Why, the log says. Start over to try again.'));
      return made;
    }
    return [values(Object.entries(tokenParameters()).map(([name, value]) =>
      [pkce.has(name) ? element('mark', null, name) : name, element('code', null, value)]), 'parameters')];
  },
  resource: () => flow.used?.exchanges.map(exchangeFigure) ?? [],
};

function states() {
  const done = { verifier: flow.verifier, challenge: flow.challenge, request: flow.returned, signin: flow.returned,
    code: flow.returned, token: flow.redeemed, resource: flow.used };
  const refused = { code: flow.returned?.error, token: flow.redeemed?.served === false, resource: flow.used?.served === false };
  let next = 'current';
  return order.map((step) => {
    if (refused[step]) { next = 'todo'; return 'refused'; }
    if (done[step]) return 'done';
    const state = next;
    next = 'todo';
    return state;
  });
}

const shown = {};

function show() {
  for (const [nth, state] of states().entries()) {
    const step = order[nth];
    const item = $(`step-${step}`);
    const button = item.querySelector('button');
    item.dataset.state = state;
    if (state === 'current') item.setAttribute('aria-current', 'step'); else item.removeAttribute('aria-current');
    if (button) button.hidden = state !== 'current';
    const hint = item.querySelector(':scope > .hint');
    if (hint) hint.hidden = state !== 'current';
    // Before its button is pressed, a step may show what it is about to send.
    const early = ['request', 'token'].includes(step) && state === 'current';
    const known = state === 'todo' || (state === 'current' && !early) ? '' : `${state} ${JSON.stringify(flow)}`;
    if (shown[step] === known) continue;
    shown[step] = known;
    item.querySelector('.result').replaceChildren(...(known ? results[step]() : []));
  }
  $('start-over').hidden = !flow.verifier;
  $('complete').hidden = !flow.used?.served;
}

// To what comes next.
function goOn() {
  const next = document.querySelector('.steps [data-state=current] button') ?? ($('complete').hidden ? $('start-over') : $('complete'));
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

async function press(step, button) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  $('notice').replaceChildren();
  try {
    await run[step]();
    show();
    if (step !== 'request') {
      const state = $(`step-${step}`).dataset.state;
      say(`${$(`step-${step}`).querySelector('h3').textContent}: ${state}.`);
      goOn();
    }
  } catch (error) {
    $('notice').replaceChildren(trouble(error));
    $('notice').scrollIntoView({ block: 'nearest' });
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

async function startFlow() {
  for (const clause of document.querySelectorAll('.steps .clauses b')) clause.replaceWith(clauseLink(clause.textContent));
  for (const step of order) {
    const button = $(`step-${step}`).querySelector('button');
    button?.addEventListener('click', () => press(step, button));
  }
  $('start-over').addEventListener('click', () => {
    flow = { issuer: settings.issuer };
    remember({});
    $('notice').replaceChildren();
    show();
    say('Started over.');
    goOn();
  });
  const came = location.pathname === '/callback';
  const problem = comeBack();
  if (came && !problem) {
    try {
      remember({ exchanges: await onTheWire(flow.state) });
    } catch (error) {
      $('notice').replaceChildren(trouble(error));
    }
  }
  if (problem) $('notice').replaceChildren(problem);
  show();
  if (came) {
    if (problem) return goOn();
    say(flow.returned.error ? `Back without a code: ${flow.returned.error}.` : 'Back with a code.');
    // To where the reading goes on, not to the next button: the key that sent the sign-in may still be down.
    $('step-signin').querySelector('h3').focus({ preventScroll: true });
    $('step-signin').scrollIntoView({ block: 'start' });
  }
}

// ---- The attacks. ----

const verdicts = new Map();

function errorOf(answer) {
  const found = header(answer, 'location');
  if (found) {
    const query = new URL(found).searchParams;
    return [query.get('error'), query.get('error_description')];
  }
  try {
    const body = JSON.parse(answer.body);
    return [body.error, body.error_description];
  } catch {
    return [null, null];
  }
}

// The exchange that is the attack: the attacker's, or the first that was refused.
const attackOf = (exchanges) => exchanges.find((exchange) => sender(exchange) === 'Attacker')
  ?? exchanges.find(({ answer }) => answer?.status >= 400);

function facts(attack, { exchanges }) {
  const { answer, log } = attackOf(exchanges) ?? { log: [] };
  const [error, description] = answer ? errorOf(answer) : [];
  const reason = log.find((line) => line.reason)?.reason;
  const wire = answer
    ? [element('code', null, [answer.status, error].filter(Boolean).join(' ')), description ? ` — ${description}` : '']
    : ['nothing: the attacker hung up'];
  return element('dl', { class: 'facts' },
    element('dt', null, 'The client reads'), element('dd', null, ...wire),
    element('dt', null, 'The operator reads'), element('dd', null, element('code', null, reason ?? 'nothing')),
    element('dt', null, 'Why'), element('dd', null, attack.rule),
    element('dt', null, attack.clauses.length > 1 ? 'Clauses' : 'Clause'),
    element('dd', null, ...attack.clauses.flatMap((clause) => [clauseLink(clause), ' '])));
}

function outcome(attack, played, open) {
  const theAttack = attackOf(played.exchanges);
  const exchanges = alike(played.exchanges).map(({ exchange, times }) =>
    element('details', { class: 'exchange', open: exchange === theAttack },
      element('summary', null, ...titleOf(exchange), times > 1 ? element('span', { class: 'times' }, `, ${times} times`) : null),
      ...panes(exchange)));
  return element('details', { class: 'outcome', open },
    element('summary', null,
      played.refused ? element('span', { class: 'pill refused' }, 'Refused') : element('span', { class: 'pill served' }, 'Not refused'),
      element('span', { class: 'said' }, played.said)),
    facts(attack, played), ...exchanges);
}

async function play(attack, item, open) {
  const button = item.querySelector('button');
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  const slot = item.querySelector('.slot');
  try {
    const played = await ask(`/play/attacks/${attack.name}`);
    item.dataset.state = played.refused ? 'refused' : 'served';
    verdicts.set(attack.name, played.refused);
    slot.replaceChildren(outcome(attack, played, open));
    if (open) say(`${played.refused ? 'Refused' : 'Not refused'}: ${attack.tried}. ${played.said}.`);
  } catch (error) {
    item.dataset.state = 'failed';
    slot.replaceChildren(element('p', { class: 'failed', role: 'alert' }, trouble(error)));
    throw error;
  } finally {
    button.removeAttribute('aria-disabled');
    score();
  }
}

function score() {
  const refused = [...verdicts.values()].filter(Boolean).length;
  $('score').textContent = `${refused} of ${document.querySelectorAll('.attacks > li').length} refused`;
}

function startAttacks() {
  const all = [];
  for (const group of settings.groups) {
    const list = element('ul', { class: 'attacks' });
    for (const attack of group.attacks) {
      const [title, hope] = [`${attack.name}-title`, `${attack.name}-hope`];
      const button = element('button', { type: 'button', class: 'quiet', id: `${attack.name}-play`,
        'aria-labelledby': `${attack.name}-play ${title}`, 'aria-describedby': hope }, 'Play');
      const item = element('li', { id: `attack-${attack.name}`, 'data-state': 'idle' },
        element('div', { class: 'bar' },
          element('div', null,
            element('h4', { id: title }, attack.tried[0].toUpperCase() + attack.tried.slice(1)),
            element('p', { id: hope }, attack.hope)),
          button),
        element('div', { class: 'slot' }, element('p', { class: 'idle' }, 'Not played yet')));
      button.addEventListener('click', () => play(attack, item, true).catch(() => {}));
      all.push([attack, item]);
      list.append(item);
    }
    $('groups').append(element('div', { class: 'group' }, element('h3', null, group.title), element('p', null, group.idea), list));
  }
  const everything = $('play-all');
  everything.hidden = false;
  everything.addEventListener('click', async () => {
    if (everything.getAttribute('aria-disabled') === 'true') return;
    everything.setAttribute('aria-disabled', 'true');
    try {
      for (const [attack, item] of all) await play(attack, item, false);
      say($('score').textContent);
    } catch {
      // The attack itself says so.
    } finally {
      everything.removeAttribute('aria-disabled');
    }
  });
}

// A key that is held down presses one button, once.
addEventListener('keydown', (event) => {
  if (event.repeat && event.key === 'Enter' && event.target.matches('button')) event.preventDefault();
});

startAttacks();
startFlow();
