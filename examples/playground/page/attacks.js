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
  const read = isLimit(attack) ? [] : [
    element('dt', null, 'The client reads'), element('dd', null, ...wire),
    element('dt', null, 'The operator reads'), element('dd', null, element('code', null, reason ?? 'nothing'))];
  return element('dl', { class: 'facts' }, ...read,
    element('dt', null, 'Why'), element('dd', null, attack.rule),
    element('dt', null, attack.clauses.length > 1 ? 'Clauses' : 'Clause'),
    element('dd', null, ...attack.clauses.flatMap((clause) => [clauseLink(clause), ' '])));
}

// What PKCE lets pass is right if the other defence stops it.
const isLimit = (attack) => settings.limits.attacks.includes(attack);

const verdict = (attack, played) => isLimit(attack)
  ? (played.refused ? 'Passes PKCE, stopped otherwise' : 'Not stopped')
  : (played.refused ? 'Refused' : 'Not refused');

function stateOf(attack, played) {
  if (!played.refused) return 'served';
  return isLimit(attack) ? 'passed' : 'refused';
}

function outcome(attack, played, open) {
  const theAttack = attackOf(played.exchanges);
  const exchanges = alike(played.exchanges).map(({ exchange, times }) =>
    element('details', { class: 'exchange', open: exchange === theAttack },
      element('summary', null, ...titleOf(exchange), times > 1 ? element('span', { class: 'times' }, `, ${times} times`) : null),
      ...panes(exchange)));
  return element('details', { class: 'outcome', open },
    element('summary', null,
      element('span', { class: `pill ${stateOf(attack, played)}` }, verdict(attack, played)),
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
    item.dataset.state = stateOf(attack, played);
    if (!isLimit(attack)) verdicts.set(attack.name, played.refused);
    slot.replaceChildren(outcome(attack, played, open));
    if (open) say(`${verdict(attack, played)}: ${attack.tried}. ${played.said}.`);
  } catch (error) {
    item.dataset.state = 'failed';
    slot.replaceChildren(element('p', { class: 'failed', role: 'alert' }, trouble(error)));
    throw error;
  } finally {
    button.removeAttribute('aria-disabled');
    button.textContent = 'Play again';
    score();
  }
}

function score() {
  const refused = [...verdicts.values()].filter(Boolean).length;
  $('score').textContent = `${refused} of ${settings.groups.flatMap((group) => group.attacks).length} refused`;
}

function startAttacks() {
  const all = [];
  for (const group of [...settings.groups, settings.limits]) {
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
        element('div', { class: 'slot' }));
      button.addEventListener('click', () => play(attack, item, true).catch(() => {}));
      all.push([attack, item]);
      list.append(item);
    }
    const where = group === settings.limits ? 'limits' : 'groups';
    $(where).append(element('div', { class: 'group' }, element('h3', null, group.title), element('p', null, group.idea), list));
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
