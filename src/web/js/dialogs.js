// The dialogs of the table: columns, settings, keys. Built when they are opened.
import { element } from './dom.js';
import { THEMES, applyTheme } from './settings.js';
import { chooseColumns } from './columns.js';

// A modal dialog with a heading and a close button; removed when it is closed.
export function openDialog(title, className, ...content) {
  const close = element('button', { type: 'button', class: 'close', 'aria-label': 'Close' }, '×');
  const node = element('dialog', { class: `dialog ${className}`, 'aria-label': title }, element('header', {}, element('h2', {}, title), close), ...content);
  close.addEventListener('click', () => node.close());
  node.addEventListener('click', (event) => event.target === node && node.close()); // the backdrop
  node.addEventListener('close', () => node.remove());
  document.body.append(node);
  node.showModal();
  return node;
}

// columns: all of the feed (columns.js); choice: { order, hidden } or null; onChoice(choice).
export function openColumns(columns, choice, onChoice) {
  const list = element('ol', { class: 'column-list' });
  let order = [];
  let hidden = new Set();

  const load = (from) => {
    hidden = new Set(from?.hidden ?? []);
    order = chooseColumns(columns, from ? { order: from.order, hidden: [] } : null).map(({ title }) => title);
    draw();
  };
  const tell = () => onChoice({ order, hidden: [...hidden] });
  const move = (title, by, focus) => {
    const at = order.indexOf(title);
    const to = Math.min(order.length - 1, Math.max(0, at + by));
    if (to === at) return;
    order.splice(to, 0, order.splice(at, 1)[0]);
    draw();
    list.children[to]?.querySelector(focus)?.focus();
    tell();
  };

  function makeItem(title) {
    const column = columns.find((each) => each.title === title);
    const box = element('input', { type: 'checkbox', checked: !hidden.has(title) });
    const up = element('button', { type: 'button', class: 'up', 'aria-label': `Move ${title} to the left`, title: 'Earlier' }, '↑');
    const down = element('button', { type: 'button', class: 'down', 'aria-label': `Move ${title} to the right`, title: 'Later' }, '↓');
    const item = element('li', { draggable: 'true' }, element('span', { class: 'grip', 'aria-hidden': 'true' }, '⠿'),
      element('label', {}, box, element('strong', {}, title), element('span', { class: 'muted' }, column.description === title ? '' : column.description)), up, down);
    item.dataset.title = title;
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(title);
      else hidden.add(title);
      tell();
    });
    up.addEventListener('click', () => move(title, -1, '.up'));
    down.addEventListener('click', () => move(title, 1, '.down'));
    item.addEventListener('dragstart', (event) => {
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', title);
      list.dataset.drags = title;
    });
    item.addEventListener('dragover', (event) => list.dataset.drags && event.preventDefault());
    item.addEventListener('drop', (event) => {
      event.preventDefault();
      const from = list.dataset.drags;
      if (from && order.includes(from)) move(from, order.indexOf(title) - order.indexOf(from), '.grip');
    });
    item.addEventListener('dragend', () => delete list.dataset.drags);
    return item;
  }

  function draw() {
    list.replaceChildren(...order.map(makeItem));
  }

  const reset = element('button', { type: 'button', class: 'button' }, 'As the feed has them');
  reset.addEventListener('click', () => {
    load(null);
    onChoice(null);
  });
  load(choice);
  return openDialog('Columns', 'columns-dialog', element('p', { class: 'muted' }, 'Choose and reorder; remembered for this kind of feed.'), list, element('footer', {}, reset));
}

const THEME_NAMES = { auto: 'As the system', dark: 'Dark', light: 'Light', contrast: 'High contrast' };

export function openSettings(settings) {
  const themes = element('select', { 'aria-label': 'Theme' }, ...THEMES.map((name) => element('option', { value: name, selected: settings.get('theme', 'auto') === name }, THEME_NAMES[name])));
  themes.addEventListener('change', () => {
    settings.set('theme', themes.value);
    applyTheme(settings);
  });
  const option = (name, label, note) => {
    const box = element('input', { type: 'checkbox', checked: settings.get(name, true) });
    box.addEventListener('change', () => {
      settings.set(name, box.checked);
      applyTheme(settings);
    });
    return element('label', { class: 'option' }, box, element('span', {}, label, element('small', {}, note)));
  };
  return openDialog('Settings', 'settings-dialog',
    element('label', { class: 'option' }, element('span', {}, 'Theme'), themes),
    option('motion', 'Show changes of position', 'Rows slide to their new place. Never when the system asks for less motion.'),
    option('flash', 'Light up cars in the messages', 'The row is lit for three seconds.'));
}

const KEYS = [
  [['/', 'Ctrl F'], 'Find a car: number, driver, team'],
  [['↓', '↑'], 'Next and previous car found, or the car below and above'],
  [['Enter'], 'Details of the car'],
  [['F'], 'Pin the car to the top, or let it go'],
  [['C'], 'Columns'],
  [['S'], 'Settings'],
  [['Esc'], 'Leave what is open'],
  [['?'], 'These keys'],
];
const PLAYER_KEYS = [
  [['Space'], 'Pause and play'],
  [['J', 'L'], 'Back and forward 10 seconds'],
  [['←', '→'], 'Back and forward 5 seconds, a minute with Shift'],
  [['P', 'N'], 'Previous and next key moment'],
  [[',', '.'], 'One update back and forward'],
  [['+', '−'], 'Faster and slower'],
  [['D'], 'TV delay'],
  [['End'], 'Newest moment'],
];

export function openHelp({ hasPlayer = false } = {}) {
  const table = (keys) => element('dl', { class: 'keys' }, ...keys.map(([names, text]) =>
    element('div', {}, element('dt', {}, ...names.map((name) => element('kbd', {}, name))), element('dd', {}, text))));
  return openDialog('Keys', 'help-dialog', table(KEYS), ...(hasPlayer ? [element('h3', {}, 'Time'), table(PLAYER_KEYS)] : []));
}
