// The timing table: built from the column specification of a manifest,
// updated in place. Rows keep their identity (number, class and car) while
// cars change position.
import { element, setText, setClass } from './dom.js';
import { cell } from './format.js';

const CLASS_COLOURS = 8;

// What a column is worth where the screen is too narrow for all of them: the major
// ones fit a phone, 'minor' ones a laptop; unknown columns count as minor. On a
// phone 'grow' has what the others leave.
const MAJOR = new Set(['Num', 'State', 'Class', 'Driver', 'Gap', 'Last']);
const DETAIL = new Set(['Car', 'T', 'TS', 'TA', 'S1', 'S2', 'S3', 'S4', 'S5', 'BS1', 'BS2', 'BS3', 'BS4', 'BS5']);
const STATES = {
  RUN: 'Running',
  PIT: 'In the pits',
  OUT: 'Out lap',
  STOP: 'Stopped or slow',
  RET: 'Retired',
  FUEL: 'Fuelling',
  'N/S': 'Not started',
  FIN: 'Finished',
};

export class TimingTable {
  constructor() {
    this.head = element('thead');
    this.body = element('tbody');
    this.node = element('table', { class: 'timing' }, element('caption', { class: 'visually-hidden' }, 'Cars in order of position'), this.head, this.body);
    this.rows = new Map(); // key -> { node, cells }
    this.classes = new Map(); // class -> colour number, in order of appearance
    this.spec = '';
  }

  setColumns(colSpec) {
    const spec = JSON.stringify(colSpec);
    if (spec === this.spec) return;
    this.spec = spec;
    this.columns = colSpec.map(([title, type, description]) => ({
      title,
      type,
      description,
      className: `col-${type}${MAJOR.has(title) ? '' : DETAIL.has(title) ? ' detail' : ' minor'}${title === 'Driver' ? ' grow' : ''}`,
    }));
    this.index = Object.fromEntries(colSpec.map(([title], i) => [title, i]));
    this.head.replaceChildren(
      element('tr', {}, element('th', { scope: 'col', class: 'pos', title: 'Position' }, 'Pos'),
        ...this.columns.map(({ title, description, className }) =>
          element('th', { scope: 'col', class: className, title: description ?? title }, title))),
    );
    this.rows.clear();
    this.body.replaceChildren();
  }

  colourOf(className) {
    if (className === undefined || className === null || className === '') return '';
    if (!this.classes.has(className)) this.classes.set(className, this.classes.size % CLASS_COLOURS);
    return `class-${this.classes.get(className)}`;
  }

  keyOf(row, position, used) {
    const part = (title) => (title in this.index ? row[this.index[title]] ?? '' : '');
    const base = 'Num' in this.index ? JSON.stringify([part('Num'), part('Class'), part('Car')]) : String(position);
    let key = base;
    for (let n = 2; used.has(key); n++) key = `${base}#${n}`;
    used.add(key);
    return key;
  }

  makeRow() {
    const position = element('td', { class: 'pos' });
    const cells = this.columns.map(() => element('td'));
    return { node: element('tr', {}, position, ...cells), position, cells };
  }

  update(cars, highlight = []) {
    const used = new Set();
    const lit = new Set(highlight);
    let before = null;
    cars.forEach((car, i) => {
      const key = this.keyOf(car, i, used);
      let row = this.rows.get(key);
      if (!row) this.rows.set(key, (row = this.makeRow()));
      this.fill(row, car, i + 1, lit.has(car[0]));
      const next = before ? before.nextSibling : this.body.firstChild;
      if (next !== row.node) this.body.insertBefore(row.node, next);
      before = row.node;
    });
    for (const [key, row] of this.rows) {
      if (used.has(key)) continue;
      row.node.remove();
      this.rows.delete(key);
    }
  }

  fill(row, car, position, isLit) {
    const state = car[this.index.State];
    const colour = this.colourOf(car[this.index.Class]);
    setText(row.position, String(position));
    setClass(row.node, `${colour} ${typeof state === 'string' ? `state-${state.replace(/[^A-Z]/g, '')}` : ''}${isLit ? ' lit' : ''}`);
    this.columns.forEach(({ type, title, className }, i) => {
      const { text, className: style, title: hint } = cell(car[i], type);
      const node = row.cells[i];
      setText(node, text);
      setClass(node, `${className} ${style}`.trimEnd());
      const tooltip = hint || (title === 'State' ? STATES[text] ?? '' : '');
      if (node.title !== tooltip) node.title = tooltip;
    });
  }
}
