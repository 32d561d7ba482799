// The timing table: built from the column specification of a manifest, updated
// in place. Rows keep their identity (number, class and car) while cars change
// position. What did not change is not touched: sixty cars, once a second.
import { element, setText, setClass } from './dom.js';
import { cell } from './format.js';
import { className } from './classes.js';
import { STATES, describeColumns, chooseColumns, compareCells } from './columns.js';

const LIT_MS = 3000;
const ARROW_MS = 8000;
const SLIDE_MS = 450;
const SLIDES_MAX = 40; // rows that move at once; more is a new order, not a change
const PINNED_MAX = 12; // that stay in sight

const sameCell = (a, b) => a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => value === b[i]));

export class TimingTable {
  // palette: ClassPalette; onSelect(key), onPin(number), onSort(title, direction | 0)
  constructor({ palette, onSelect, onPin, onSort }) {
    Object.assign(this, { palette, onSelect, onPin, onSort });
    this.head = element('thead');
    this.body = element('tbody');
    this.node = element('table', { class: 'timing' }, element('caption', { class: 'visually-hidden' }, 'Cars in order of position'), this.head, this.body);
    this.rows = new Map(); // key -> row
    this.order = []; // rows as they are shown
    this.cars = [];
    this.columns = [];
    this.view = { sort: null, classes: null, pinned: new Set(), matches: null, onlyMatches: false, limit: Infinity };
    this.selected = null;
    this.motion = matchMedia('(prefers-reduced-motion: reduce)');
    this.body.addEventListener('click', (event) => this.onClick(event));
    this.body.addEventListener('pointerover', ({ target }) => this.hint(target));
  }

  // --- columns ---

  setColumns(colSpec, choice) {
    const spec = JSON.stringify([colSpec, choice]);
    if (spec === this.spec) return;
    this.spec = spec;
    this.all = describeColumns(colSpec);
    this.columns = chooseColumns(this.all, choice).map((column) => ({
      ...column,
      className: `col-${column.type.replace(/[^A-Za-z0-9]/g, '')} level-${column.level}${column.right ? ' right' : ''}${column.grow ? ' grow' : ''}${column.title === 'Num' ? ' num' : ''}${column.title === 'State' ? ' state' : ''}`,
    }));
    this.index = Object.assign(Object.create(null), Object.fromEntries(this.all.map(({ title, index }) => [title, index])));
    this.heads = new Map();
    const heads = this.columns.map((column) => {
      const button = element('button', { type: 'button', class: 'sort' }, column.title);
      const node = element('th', { scope: 'col', class: column.className, title: column.description }, button);
      button.addEventListener('click', () => this.cycleSort(column.title));
      this.heads.set(column.title, node);
      return node;
    });
    const position = element('button', { type: 'button', class: 'sort' }, 'Pos');
    position.addEventListener('click', () => this.onSort?.(null));
    this.positionHead = element('th', { scope: 'col', class: 'pos', title: 'Position' }, position);
    this.head.replaceChildren(element('tr', {}, element('th', { scope: 'col', class: 'pin' }, element('span', { class: 'visually-hidden' }, 'Pinned')), this.positionHead, ...heads));
    this.rows.clear();
    this.order = [];
    this.body.replaceChildren();
    this.measured = null;
    this.showSort();
    if (this.cars.length > 0) this.update(this.cars, [], { jumped: true });
  }

  cycleSort(title) {
    const { sort } = this.view;
    const first = this.all.find((column) => column.title === title)?.type === 'numeric' ? -1 : 1;
    if (sort?.title !== title) this.onSort?.({ title, direction: first });
    else if (sort.direction === first) this.onSort?.({ title, direction: -first });
    else this.onSort?.(null);
  }

  showSort() {
    const { sort } = this.view;
    for (const [title, node] of this.heads ?? []) {
      if (sort?.title === title) node.setAttribute('aria-sort', sort.direction > 0 ? 'ascending' : 'descending');
      else node.removeAttribute('aria-sort');
    }
    if (sort) this.positionHead?.removeAttribute('aria-sort');
    else this.positionHead?.setAttribute('aria-sort', 'ascending');
  }

  // --- rows ---

  value(car, title) {
    const i = this.index?.[title];
    return i === undefined ? undefined : car[i];
  }

  numberOf(car) {
    return String(this.value(car, 'Num') ?? car[0] ?? '');
  }

  keyOf(car, position, used) {
    const part = (title) => this.value(car, title) ?? '';
    const base = 'Num' in this.index ? JSON.stringify([part('Num'), part('Class'), part('Car')]) : String(position);
    let key = base;
    for (let n = 2; used.has(key); n++) key = `${base}#${n}`;
    used.add(key);
    return key;
  }

  makeRow(key, car) {
    const number = this.numberOf(car);
    const pin = element('button', { type: 'button', class: 'pin-button', tabindex: '-1', 'aria-pressed': 'false', title: 'Pin to the top (F)', 'aria-label': `Pin car ${number}` });
    const position = element('td', { class: 'pos' });
    const cells = this.columns.map((column) => {
      const node = column.title === 'Num' ? element('th', { scope: 'row' }) : element('td');
      node.className = column.className;
      if (column.title !== 'State') return { node, text: node };
      const chip = element('span', { class: 'chip-state' });
      node.append(chip);
      return { node, text: chip };
    });
    const node = element('tr', { class: '' }, element('td', { class: 'pin' }, pin), position, ...cells.map((each) => each.node));
    node.dataset.key = key;
    return { key, node, pin, positionNode: position, cells, car: null, position: 0, number, litUntil: 0, arrowUntil: 0, arrow: '' };
  }

  // cars: rows of the state; jumped: not the state after the last one, nothing is animated.
  update(cars, highlight = [], { jumped = false } = {}) {
    if (!this.index) return;
    const now = performance.now();
    const used = new Set();
    const lit = new Set(jumped ? [] : highlight ?? []);
    this.cars = Array.isArray(cars) ? cars.filter(Array.isArray) : [];
    this.palette.learn(this.cars.map((car) => this.value(car, 'Class')).filter((name) => name !== undefined && name !== null && name !== ''));
    this.entries = this.cars.map((car, i) => {
      const key = this.keyOf(car, i, used);
      let row = this.rows.get(key);
      if (!row) this.rows.set(key, (row = this.makeRow(key, car)));
      if (row.position && row.position !== i + 1 && !jumped) {
        row.arrow = i + 1 < row.position ? 'gained' : 'lost';
        row.arrowUntil = now + ARROW_MS;
      } else if (jumped) row.arrowUntil = 0;
      if (lit.size > 0 && lit.has(car[0])) row.litUntil = now + LIT_MS;
      else if (jumped) row.litUntil = 0;
      this.fill(row, car, i + 1);
      return row;
    });
    for (const [key, row] of this.rows) {
      if (used.has(key)) continue;
      row.node.remove();
      this.rows.delete(key);
      if (this.selected === key) this.select(null);
    }
    this.arrange(!jumped);
    this.dress(now);
  }

  fill(row, car, position) {
    if (row.position !== position) {
      row.position = position;
      setText(row.positionNode, String(position));
    }
    if (row.car === car) return;
    const before = row.car;
    row.car = car;
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i];
      if (!before || !sameCell(before[column.index], car[column.index])) this.fillCell(row.cells[i], car, column);
      if (column.below !== undefined && (!before || !sameCell(before[column.below], car[column.below]))) {
        const { text } = cell(car[column.below], this.all[column.below].type);
        if (text) row.cells[i].node.dataset.sub = text;
        else delete row.cells[i].node.dataset.sub;
      }
    }
    row.slot = this.palette.slotOf(this.value(car, 'Class'));
    const state = this.value(car, 'State');
    row.state = typeof state === 'string' ? `state-${state.replace(/[^A-Z]/g, '')}` : '';
  }

  fillCell({ node, text: holder }, car, column) {
    const { text, className: style, title } = cell(car[column.index], column.type);
    setText(holder, text);
    setClass(node, style ? `${column.className} ${style}` : column.className);
    const hint = title || (column.title === 'State' ? STATES.get(text) ?? '' : '');
    if (node.title !== hint) node.title = hint;
  }

  // Texts that do not fit are told when they are pointed at.
  hint(target) {
    const node = target.closest?.('td, th');
    if (!node || (node.title && !node.dataset.full)) return;
    const full = node.scrollWidth > node.clientWidth ? node.textContent : '';
    if (full) node.dataset.full = '1';
    else delete node.dataset.full;
    if (node.title !== full) node.title = full;
  }

  // --- order ---

  setView(changes) {
    Object.assign(this.view, changes);
    this.showSort();
    if (!this.entries) return;
    this.arrange(false);
    this.dress(performance.now());
  }

  visible() {
    const { sort, classes, pinned, matches, onlyMatches, limit } = this.view;
    let shown = this.entries;
    if (classes) shown = shown.filter((row) => classes.has(String(this.value(row.car, 'Class') ?? '')) || pinned.has(row.number));
    if (onlyMatches && matches) shown = shown.filter((row) => matches.has(row.key) || pinned.has(row.number));
    if (sort && sort.title in this.index) {
      const index = this.index[sort.title];
      shown = [...shown].sort((a, b) => compareCells(a.car[index], b.car[index], sort.direction) || a.position - b.position);
    }
    if (pinned.size > 0) shown = [...shown.filter((row) => pinned.has(row.number)), ...shown.filter((row) => !pinned.has(row.number))];
    return shown.length > limit ? shown.slice(0, limit) : shown;
  }

  arrange(animate) {
    const shown = this.visible();
    const same = shown.length === this.order.length && shown.every((row, i) => row === this.order[i]);
    if (same) return;
    const places = animate && this.moves() ? new Map(this.order.map((row, i) => [row, i])) : null;
    const keep = new Set(shown);
    for (const row of this.order) if (!keep.has(row)) row.node.remove();
    let before = null;
    for (const row of shown) {
      const next = before ? before.nextSibling : this.body.firstChild;
      if (next !== row.node) this.body.insertBefore(row.node, next);
      before = row.node;
    }
    this.order = shown;
    if (places) this.slide(places);
  }

  moves() {
    return !this.motion.matches && !document.hidden && !document.documentElement.classList.contains('still');
  }

  // From where they were to where they are.
  slide(places) {
    const moved = this.order.map((row, i) => ({ row, by: (places.get(row) ?? i) - i })).filter(({ by }) => by !== 0);
    if (moved.length > SLIDES_MAX) return;
    const { rowHeight } = this.measure();
    for (const { row, by } of moved) {
      row.node.animate([{ transform: `translateY(${by * rowHeight}px)` }, { transform: 'none' }], { duration: SLIDE_MS, easing: 'cubic-bezier(.2,.7,.2,1)' });
    }
  }

  measure() {
    if (!this.measured) {
      const rowHeight = this.body.firstElementChild?.offsetHeight ?? 0;
      if (!rowHeight) return { rowHeight: 0 };
      this.measured = { rowHeight, headHeight: this.head.offsetHeight };
      this.node.style.setProperty('--row-height', `${rowHeight}px`);
      this.node.style.setProperty('--head-height', `${this.measured.headHeight}px`);
    }
    return this.measured;
  }

  resized() {
    this.measured = null;
    this.dress(performance.now());
  }

  // --- looks that depend on time and choice ---

  dress(now) {
    const { pinned, matches } = this.view;
    let pins = 0;
    if (pinned.size > 0) this.measure();
    const last = pinned.size > 0 ? this.order.findLastIndex((row) => pinned.has(row.number)) : -1;
    for (const [i, row] of this.order.entries()) {
      const isPinned = pinned.has(row.number);
      const look = [className(row.slot), row.state,
        now < row.litUntil ? 'lit' : '', now < row.arrowUntil ? row.arrow : '',
        isPinned ? (pins < PINNED_MAX ? 'pinned held' : 'pinned') : '', i === last ? 'last-pinned' : '',
        matches?.has(row.key) ? 'match' : '', row.key === this.selected ? 'selected' : ''].filter(Boolean).join(' ');
      if (isPinned && row.pinPlace !== pins) row.node.style.setProperty('--pin', String((row.pinPlace = pins)));
      if (isPinned) pins += 1;
      if (row.look === look) continue;
      row.look = look;
      row.node.className = look;
      const pressed = String(isPinned);
      if (row.pin.getAttribute('aria-pressed') !== pressed) row.pin.setAttribute('aria-pressed', pressed);
      if (row.key === this.selected) row.node.setAttribute('aria-current', 'true');
      else row.node.removeAttribute('aria-current');
    }
  }

  tick() {
    if (this.order.length > 0) this.dress(performance.now());
  }

  // --- choosing ---

  rowOf(node) {
    return this.rows.get(node?.closest?.('tr')?.dataset.key);
  }

  onClick(event) {
    const row = this.rowOf(event.target);
    if (!row) return;
    if (event.target.closest('.pin-button')) this.onPin?.(row.number);
    else if (!getSelection()?.toString()) this.onSelect?.(row.key === this.selected ? null : row.key);
  }

  select(key) {
    this.selected = this.rows.has(key) ? key : null;
    if (this.entries) this.dress(performance.now());
    return this.rows.get(this.selected) ?? null;
  }

  // The row below (1) or above (-1) the chosen one, among those that are shown.
  neighbour(direction, among = this.order) {
    const at = among.findIndex((row) => row.key === this.selected);
    const next = at < 0 ? (direction > 0 ? 0 : among.length - 1) : at + direction;
    return among[Math.min(among.length - 1, Math.max(0, next))] ?? null;
  }

  reveal(row) {
    row?.node.scrollIntoView({ block: 'nearest', behavior: this.moves() ? 'smooth' : 'auto' });
  }
}
