// Everything that a state shows: flag and clocks, track data, table, messages.
// Used by the live page, by replays and by embeds alike; it does not know where
// states come from.
//
//   view.setManifest(manifest)
//   view.setState(state, { at, jumped })   at: unix ms of the state; jumped: not the one after the last
//   view.setStale(text | null)             why nothing new comes
//   view.tick(nowMs)                       the moment shown, some times a second
//   view.destroy()
import { element } from './dom.js';
import { ClassPalette, className } from './classes.js';
import { findCars } from './find.js';
import { CarCard } from './car_card.js';
import { MessageLog } from './messages.js';
import { SessionBar } from './session_bar.js';
import { TimingTable } from './table.js';
import { openColumns, openHelp, openSettings } from './dialogs.js';

// What a service publishes before its feed said anything; "green" means nothing then.
export function isBlank({ cars, messages, session }) {
  return !cars?.length && !messages?.length && !session?.timeElapsed && session?.flagState === 'green';
}

const isTyping = (target) => target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;

export class TimingView {
  // compact: table and flag alone, no tools, no keys. hasPlayer: the help tells its keys.
  constructor({ settings, compact = false, hasPlayer = false, keys = document } = {}) {
    this.settings = settings;
    this.compact = compact;
    this.hasPlayer = hasPlayer;
    this.palette = new ClassPalette();
    this.bar = new SessionBar();
    this.table = new TimingTable({
      palette: this.palette,
      onSelect: (key) => this.select(key),
      onPin: (number) => this.togglePin(number),
      onSort: (sort) => this.table.setView({ sort }),
    });
    this.log = new MessageLog({ settings, palette: this.palette, onCar: (first) => this.showCar(first) });
    this.card = new CarCard({ onClose: () => this.select(null), onPin: (number) => this.togglePin(number) });
    this.classNames = '';
    this.chosenClasses = new Set();
    this.build();
    this.stops = [settings.on((name) => this.onSetting(name))];
    this.resize = new ResizeObserver(() => this.table.resized());
    this.resize.observe(this.table.node);
    if (!compact && keys) {
      const onKey = (event) => this.key(event);
      keys.addEventListener('keydown', onKey);
      this.stops.push(() => keys.removeEventListener('keydown', onKey));
    }
  }

  destroy() {
    for (const stop of this.stops) stop();
    this.resize.disconnect();
  }

  tool(label, title, act) {
    const node = element('button', { type: 'button', class: 'button tool', title }, label);
    node.addEventListener('click', act);
    return node;
  }

  build() {
    this.search = element('input', { type: 'search', class: 'find', placeholder: 'Find a car', 'aria-label': 'Find a car: number, driver or team', autocomplete: 'off', spellcheck: 'false', enterkeyhint: 'search' });
    this.found = element('span', { class: 'found', role: 'status' });
    this.only = this.tool('Only these', 'Show only the cars found', () => this.setOnly(!this.table.view.onlyMatches));
    this.only.hidden = true;
    this.only.setAttribute('aria-pressed', 'false');
    this.search.addEventListener('input', () => this.find());
    this.search.addEventListener('keydown', (event) => this.searchKey(event));
    this.classes = element('div', { class: 'chips classes', role: 'group', 'aria-label': 'Classes', hidden: true });
    this.allColumns = this.tool('All columns', 'Show all columns, scrolling sideways', () => this.setAll(!this.scroller.classList.contains('all')));
    this.allColumns.classList.add('all-columns');
    this.allColumns.setAttribute('aria-pressed', 'false');
    this.tools = element('div', { class: 'tools', role: 'toolbar', 'aria-label': 'Table' },
      this.classes,
      element('div', { class: 'find-box' }, this.search, this.found, this.only),
      element('div', { class: 'tool-buttons' }, this.allColumns,
        this.tool('Columns', 'Choose and reorder columns (C)', () => this.openColumns()),
        this.tool('Settings', 'Theme, motion (S)', () => openSettings(this.settings)),
        this.tool('?', 'Keys (?)', () => openHelp({ hasPlayer: this.hasPlayer }))));
    this.scroller = element('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': 'Timing table' }, this.table.node);
    this.scroller.addEventListener('keydown', (event) => this.tableKey(event));
    this.side = element('div', { class: 'side' }, this.card.node, this.log.node);
    this.empty = element('p', { class: 'empty' }, 'Waiting for the service…');
    this.node = element('div', { class: `timing-view waiting${this.compact ? ' compact' : ''}` }, this.bar.node, this.empty,
      ...(this.compact ? [] : [this.tools]),
      element('div', { class: 'columns' }, this.scroller, ...(this.compact ? [] : [this.side])));
  }

  // --- data ---

  get columnsKey() {
    return `columns:${this.manifest?.serviceClass ?? ''}`;
  }

  get pinsKey() {
    return `pinned:${this.manifest?.serviceClass ?? ''}`;
  }

  setManifest(manifest) {
    this.manifest = manifest;
    this.bar.setHeadings(manifest.trackDataSpec);
    this.applyColumns();
    this.applyPins();
    if (this.state) this.setState(this.state, { at: this.at, jumped: true });
  }

  setEmptyText(text) {
    if (this.empty.textContent !== text) this.empty.textContent = text;
  }

  applyColumns() {
    if (!this.manifest) return;
    const choice = this.forcedColumns ?? this.settings.get(this.columnsKey);
    this.scroller.classList.toggle('custom', choice !== null);
    this.allColumns.hidden = choice !== null;
    this.table.setColumns(this.manifest.colSpec, choice);
  }

  applyPins() {
    const pinned = this.compact ? [] : this.settings.get(this.pinsKey, []);
    this.table.setView({ pinned: new Set(pinned.map(String)) });
    this.showCard();
  }

  onSetting(name) {
    if (name === null || name === this.columnsKey) this.applyColumns();
    if (name === null || name === this.pinsKey) this.applyPins();
  }

  // Both parts are needed; they arrive in any order.
  setState(state, { at = Date.now(), jumped = false } = {}) {
    const isFirst = !this.state;
    this.state = state;
    this.at = at;
    if (!this.manifest) return;
    const blank = isBlank(state);
    if (blank) this.setEmptyText('Waiting for the first data…');
    if (this.empty.hidden === blank) this.empty.hidden = !blank;
    this.node.classList.toggle('waiting', blank);
    this.bar.setSession(state.session, at);
    this.table.update(state.cars, state.highlight, { jumped: jumped || isFirst });
    if (!this.compact) {
      this.showClasses();
      this.log.update(state.messages, { jumped });
      if (this.search.value) this.find(false);
      this.showCard();
    }
    this.tick(this.now ?? at);
  }

  setStale(text) {
    this.stale = text;
    this.node.classList.toggle('is-stale', Boolean(text));
  }

  tick(now) {
    this.now = now;
    if (!this.state || !this.manifest) return;
    this.bar.tick(now, this.stale ?? null);
    this.table.tick();
  }

  // --- classes ---

  showClasses() {
    const names = [...this.palette.slots.keys()].sort((a, b) => a.localeCompare(b));
    const text = names.join('\n');
    if (text === this.classNames) return;
    this.classNames = text;
    this.classes.hidden = names.length < 2;
    this.classes.replaceChildren(...names.map((name) => {
      const node = element('button', { type: 'button', class: `chip class-chip ${className(this.palette.slotOf(name))}`, 'aria-pressed': String(this.chosenClasses.has(name)) }, name);
      node.addEventListener('click', () => {
        if (this.chosenClasses.has(name)) this.chosenClasses.delete(name);
        else this.chosenClasses.add(name);
        node.setAttribute('aria-pressed', String(this.chosenClasses.has(name)));
        this.table.setView({ classes: this.chosenClasses.size > 0 ? this.chosenClasses : null });
      });
      return node;
    }));
  }

  // --- finding ---

  find(reveal = true) {
    const keys = findCars(this.table.entries ?? [], this.table.index ?? {}, this.search.value);
    this.matches = keys;
    this.only.hidden = !keys || keys.length === 0;
    const text = !keys ? '' : keys.length === 0 ? 'None' : keys.length === 1 ? '1 car' : `${keys.length} cars`;
    if (this.found.textContent !== text) this.found.textContent = text;
    if (!keys) this.setOnly(false);
    this.table.setView({ matches: keys ? new Set(keys) : null });
    if (reveal && keys?.length > 0) {
      const row = this.table.rows.get(keys[0]);
      this.table.select(row.key);
      this.table.reveal(row);
    }
  }

  setOnly(only) {
    this.only.setAttribute('aria-pressed', String(only));
    this.table.setView({ onlyMatches: only });
  }

  searchKey(event) {
    if (event.key === 'Escape') {
      this.search.value = '';
      this.find();
      this.scroller.focus({ preventScroll: true });
    } else if (event.key === 'Enter') {
      this.select(this.table.selected);
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const among = this.table.order.filter((row) => this.matches?.includes(row.key));
      const row = this.table.neighbour(event.key === 'ArrowDown' ? 1 : -1, among);
      if (row) {
        this.table.select(row.key);
        this.table.reveal(row);
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // --- choosing a car ---

  select(key) {
    const row = this.table.select(key);
    this.opened = row?.key ?? null;
    this.showCard();
    if (row) this.table.reveal(row);
  }

  showCar(first) {
    const row = (this.table.entries ?? []).find(({ car }) => String(car[0]) === String(first));
    if (row) this.select(row.key);
  }

  showCard() {
    const row = this.opened ? this.table.rows.get(this.opened) : null;
    if (!row?.car) {
      if (!this.card.node.hidden) this.card.hide();
      this.opened = null;
      return;
    }
    this.card.show(row, this.table, this.state?.messages, this.table.view.pinned.has(row.number));
  }

  togglePin(number) {
    if (!number) return;
    const pinned = this.settings.get(this.pinsKey, []).map(String);
    this.settings.set(this.pinsKey, pinned.includes(number) ? pinned.filter((each) => each !== number) : [...pinned, number]);
  }

  // --- columns and keys ---

  setAll(all) {
    this.scroller.classList.toggle('all', all);
    this.allColumns.setAttribute('aria-pressed', String(all));
  }

  openColumns() {
    if (this.table.all) openColumns(this.table.all, this.settings.get(this.columnsKey), (choice) => this.settings.set(this.columnsKey, choice));
  }

  tableKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.scroller) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const row = this.table.neighbour(event.key === 'ArrowDown' ? 1 : -1);
      if (row) {
        this.table.select(row.key);
        this.table.reveal(row);
        if (this.opened) this.select(row.key);
      }
    } else if (event.key === 'Enter') {
      this.select(this.opened === this.table.selected ? null : this.table.selected);
    } else {
      return;
    }
    event.preventDefault();
  }

  key(event) {
    if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const isFind = event.key === '/' || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f');
    // Pressed again in the field, the browser's own search opens.
    if (isFind && document.activeElement !== this.search && !(event.key === '/' && isTyping(event.target))) {
      this.search.focus();
      this.search.select();
      event.preventDefault();
      return;
    }
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      '?': () => openHelp({ hasPlayer: this.hasPlayer }),
      c: () => this.openColumns(),
      s: () => openSettings(this.settings),
      f: () => this.togglePin(this.table.rows.get(this.table.selected)?.number),
      escape: () => this.select(null),
    };
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    action();
    event.preventDefault();
  }
}
