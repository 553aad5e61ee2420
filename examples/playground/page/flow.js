// ---- The flow. ----

// What the browser sent on its way to the code.
function seen(where) {
  const found = (flow.exchanges ?? []).filter((exchange) => path(exchange) === where);
  return found.length ? found.map(exchangeFigure) : [element('p', null, 'The server no longer has this request.')];
}

const opaqueCode = (text) => element('code', { class: 'opaque' }, text);

function spoken(call, text) {
  const made = document.createDocumentFragment();
  made.append(element('code', null, call), text);
  return made;
}

const results = {
  verifier: () => [values([['code_verifier', opaqueCode(flow.verifier)],
    ['Made by', spoken('crypto.getRandomValues', ': 32 octets, 256 bits, as 43 characters')]])],
  challenge: () => [values([['code_challenge', opaqueCode(flow.challenge)],
    ['Made by', spoken('crypto.subtle.digest', ': the verifier’s SHA-256, 32 octets, as 43 characters')]]),
    ...flow.metadata.map(exchangeFigure)],
  request: () => {
    const pairs = Object.entries(authorizationParameters());
    const query = new URLSearchParams(authorizationParameters()).toString();
    return flow.returned ? seen('/authorize') : [
      values(pairs.map(([name, value]) => [pkce.has(name) ? element('mark', null, name) : name, opaqueCode(value)]), 'parameters'),
      element('figure', { class: 'exchange' },
        element('figcaption', null, 'User’s browser ', element('span', { class: 'route' }, 'about to send')),
        element('div', { class: 'panes one' }, pane('Request', startLine('GET', `/authorize?${query}`),
          { headers: [['host', settings.issuer.slice(7)]] })))];
  },
  signin: () => seen('/sign-in'),
  code: () => flow.returned.error
    ? [element('p', { class: 'failed' }, `The answer is an error: ${flow.returned.error}. There is no code. Start over to try again.`)]
    : [values([['code', opaqueCode(flow.returned.code)]]),
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
      [pkce.has(name) ? element('mark', null, name) : name, opaqueCode(value)]), 'parameters')];
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

// What went wrong, where it did.
function notify(text, after = document.querySelector('#flow > .intro')) {
  const notice = $('notice');
  if (notice.previousElementSibling !== after) after.after(notice);
  notice.replaceChildren(text);
  notice.scrollIntoView({ block: 'nearest' });
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
    notify(trouble(error), button);
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
      notify(trouble(error));
    }
  }
  if (problem) notify(problem);
  show();
  if (came) {
    if (problem) return goOn();
    say(flow.returned.error ? `Back without a code: ${flow.returned.error}.` : 'Back with a code.');
    // To where the reading goes on, not to the next button: the key that sent the sign-in may still be down.
    $('step-signin').querySelector('h3').focus({ preventScroll: true });
    $('step-signin').scrollIntoView({ block: 'start' });
  }
}
