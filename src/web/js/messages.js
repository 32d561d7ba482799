// The log of messages: newest first, filtered by kind and category.
import { element } from './dom.js';
import { timeOfDay } from './format.js';
import { className } from './classes.js';

const KINDS = {
  control: 'Race control',
  flag: 'Flags',
  pit: 'Pits',
  lap: 'Laps',
  other: 'Other',
};
const KIND_OF = {
  raceControl: 'control', green: 'flag', yellow: 'flag', red: 'flag', white: 'flag', code60: 'flag', track: 'flag',
  pit: 'pit', out: 'pit', pb: 'lap', sb: 'lap',
};
const FRESH_MS = 4000;

export function kindOf(message) {
  const type = message?.[3];
  return typeof type === 'string' && Object.hasOwn(KIND_OF, type) ? KIND_OF[type] : 'other';
}

const typeClass = (type) => `type-${String(type || 'plain').replace(/[^A-Za-z0-9]/g, '')}`;

export class MessageLog {
  // palette: ClassPalette; onCar(first cell of the row): the car of a message was chosen.
  constructor({ settings, palette, onCar }) {
    this.settings = settings;
    this.palette = palette;
    this.onCar = onCar;
    this.entries = []; // { key, node, kind, category }, as they are listed
    this.category = '';
    this.list = element('ol', { class: 'messages', tabindex: '0', 'aria-label': 'Messages, newest first' });
    this.empty = element('p', { class: 'empty', hidden: true }, 'No messages yet.');
    this.chips = element('div', { class: 'chips', role: 'group', 'aria-label': 'Kinds of messages' },
      ...Object.entries(KINDS).map(([kind, label]) => this.chip(kind, label)));
    this.select = element('select', { class: 'category-filter', 'aria-label': 'Category of messages' }, element('option', { value: '' }, 'All'));
    this.select.addEventListener('change', () => {
      this.category = this.select.value;
      this.filter();
    });
    this.count = element('span', { class: 'count' });
    this.node = element('section', { class: 'log', 'aria-label': 'Messages' },
      element('div', { class: 'log-head' }, element('h2', {}, 'Messages'), this.count, this.select),
      this.chips, this.list, this.empty);
  }

  chip(kind, label) {
    const node = element('button', { type: 'button', class: `chip kind-${kind}`, 'aria-pressed': String(!this.hidden.has(kind)) }, label);
    node.addEventListener('click', () => {
      const hidden = this.hidden;
      if (hidden.has(kind)) hidden.delete(kind);
      else hidden.add(kind);
      this.settings.set('hiddenMessages', [...hidden]);
      node.setAttribute('aria-pressed', String(!hidden.has(kind)));
      this.filter();
    });
    return node;
  }

  get hidden() {
    return new Set(this.settings.get('hiddenMessages', []));
  }

  // jumped: not the state after the last one; nothing is new then.
  update(messages, { jumped = false } = {}) {
    const list = Array.isArray(messages) ? messages.filter(Array.isArray) : [];
    if (list === this.shown) return;
    const keys = list.map((message) => JSON.stringify(message));
    const added = this.addedCount(keys);
    if (added === 0 && keys.length === this.entries.length) return;
    const isFirst = this.entries.length === 0;
    const fresh = list.slice(0, added).map((message, i) => this.makeEntry(message, keys[i], !isFirst && !jumped));
    for (const { node } of this.entries.splice(keys.length - added)) node.remove();
    this.entries = [...fresh, ...this.entries];
    this.list.prepend(...fresh.map(({ node }) => node));
    this.filter();
  }

  // How many messages are in front of those that are listed already.
  addedCount(keys) {
    if (this.entries.length === 0) return keys.length;
    for (let n = keys.indexOf(this.entries[0].key); n >= 0; n = keys.indexOf(this.entries[0].key, n + 1)) {
      if (keys.slice(n).every((key, i) => this.entries[i]?.key === key)) return n;
    }
    return keys.length;
  }

  makeEntry(message, key, isFresh) {
    const [time, category, text, type, car] = message;
    const slot = this.palette.slots.get(String(category ?? '')) ?? -1;
    const badge = car === undefined || car === null ? [] : [element('button', { type: 'button', class: 'car-badge', title: `Find car ${car}`, tabindex: '-1' }, String(car))];
    badge[0]?.addEventListener('click', () => this.onCar?.(car));
    const node = element('li', { class: `message ${typeClass(type)} ${className(slot)}${isFresh ? ' fresh' : ''}` },
      element('time', {}, timeOfDay(time)), element('span', { class: 'category' }, String(category ?? '')), ...badge,
      element('span', { class: 'text' }, String(text ?? '')));
    if (isFresh) setTimeout(() => node.classList.remove('fresh'), FRESH_MS);
    return { key, node, kind: kindOf(message), category: String(category ?? '') };
  }

  filter() {
    const { hidden } = this;
    const categories = [...new Set(this.entries.map(({ category }) => category))].filter(Boolean).sort();
    const wanted = ['', ...categories].join('\n');
    if (wanted !== this.optionsText) {
      this.optionsText = wanted;
      if (!categories.includes(this.category)) this.category = '';
      this.select.replaceChildren(element('option', { value: '' }, 'All'), ...categories.map((name) => element('option', { value: name }, name)));
      this.select.value = this.category;
    }
    let visible = 0;
    for (const { node, kind, category } of this.entries) {
      const shows = !hidden.has(kind) && (this.category === '' || category === this.category);
      if (node.hidden === shows) node.hidden = !shows;
      if (shows) visible += 1;
    }
    this.count.textContent = visible === this.entries.length ? '' : `${visible} of ${this.entries.length}`;
    this.empty.hidden = this.entries.length > 0;
  }
}
