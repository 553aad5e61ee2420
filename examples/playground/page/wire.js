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
  // In a tab of its own: this one is in the middle of something.
  return element('a', { href, target: '_blank', rel: 'noreferrer' }, clause, element('span', { class: 'unseen' }, ' (new tab)'));
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
const pkce = new Set(['code', 'code_challenge', 'code_challenge_method', 'code_challenge_methods_supported', 'code_verifier']);

const header = (message, name) => message.headers.find(([known]) => known === name)?.[1];
const path = (exchange) => exchange.request.target.split('?')[0];

const isPreflight = ({ request }) =>
  request.method === 'OPTIONS' && header(request, 'access-control-request-method') !== undefined;

function sender(exchange) {
  if (header(exchange.request, 'user-agent') === 'attacker') return 'Attacker';
  if (isPreflight(exchange)) return 'Preflight';
  return ['/authorize', '/sign-in', '/same-address/authorize'].includes(path(exchange)) ? 'User’s browser' : 'Client';
}

// A name as it stands there, marked if it is of PKCE.
const named = (name, text) => element(pkce.has(name) ? 'mark' : 'span', { class: 'name' }, text);

// A value without words: it breaks anywhere, so that a hyphen in it does not look like the end of a line.
const opaque = (text) => element('span', { class: 'opaque' }, text);

// A JSON object as it stands there.
function members(text) {
  return text.split(/("[^"\\]*")(?=:)/).flatMap((part, nth) =>
    nth % 2 ? [element('wbr'), named(part.slice(1, -1), part)] : [part.includes(' ') ? part : opaque(part)]);
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
    parts.push(named(decoded, name), at < 0 ? '' : opaque(pair.slice(at)));
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
  const shown = name === 'location' ? target(value) : name === 'authorization' ? [opaque(value)] : [value];
  return element('div', null, element('span', { class: 'name' }, name), ': ', ...shown);
}

function bodyOf(type, text) {
  if (type === 'application/x-www-form-urlencoded') return parameters(text);
  return type === 'application/json' ? members(text) : [text];
}

function pane(label, start, message, isPreflight = false) {
  const isTelling = ([name, value]) => telling[label].has(name) || (name === 'user-agent' && value === 'attacker')
    || (isPreflight && name.startsWith('access-control-'));
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
    const type = header(message, 'content-type')?.split(';')[0];
    const left = message.length - new TextEncoder().encode(message.body).length;
    const body = element('pre', { class: 'body' }, ...bodyOf(type, message.body),
      left > 0 ? ` … and ${left} octets more` : null);
    made.append(message.body.length < 600 ? body
      : element('details', null, element('summary', null, `A body of ${message.length} octets`), body));
  }
  return made;
}

function panes(exchange) {
  const { request, answer, log } = exchange;
  const preflight = isPreflight(exchange);
  const parts = [element('div', { class: 'panes' },
    pane('Request', startLine(request.method, request.target), request, preflight),
    answer
      ? pane('Answer', ['HTTP/1.1 ', element('b', null, `${answer.status} ${answer.phrase ?? ''}`)], answer, preflight)
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
