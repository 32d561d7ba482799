// The analysis of a race: charts and tables of an AnalysisModel, for the cars
// that are chosen and the class that is shown. Knows nothing of where the data
// comes from.
//
//   const view = new AnalysisView({ model, query, onAddress, name });
//   view.node; view.update();   when the model changed; view.destroy();
//
// onAddress(query): what the view shows has changed, as the query of an address.
import { compareTable, csv, driverTable, flagTable, leaderTable, lineTable, periodTable, stintTable, stopTable } from './analysis_tables.js';
import { bulk } from './charts_scale.js';
import { LineChart } from './charts.js';
import { ClassPalette, className } from './classes.js';
import { element, setText } from './dom.js';
import { clock, flag, lapTime } from './format.js';

const CHOSEN_MAX = 12;
const CHOSEN_FIRST = 4; // the leaders, until somebody chooses
const ROWS_FIRST = 60; // of a table; more when one scrolls to them
const ROWS_MORE = 150;
const COLOURS = 8;
const NO_LAPS = new Float64Array(0);

const position = (value) => String(Math.round(value));
// On the axis seconds are enough, unless there is less than that between two of its values.
const gap = (value, exact) => {
  if (value === 0) return '0';
  const text = lapTime(value);
  return `+${exact ? text : text.replace(/\.000$/, '')}`;
};

// kind 'lines': a chart over laps; 'tables': tables(model, field, cars).
const VIEWS = {
  positions: { title: 'Lap chart', label: 'Positions by lap', lines: 'position', format: position, chart: { invert: true, integer: true, labelAll: true } },
  gaps: { title: 'Gap to leader', label: 'Gap to the leader by lap', lines: 'gap', format: gap, chart: { invert: true, time: true }, floor: 0 },
  interval: { title: 'Gap to car in front', label: 'Gap to the car in front by lap', lines: 'front', format: gap, chart: { invert: true, time: true }, floor: 0 },
  laps: { title: 'Lap times', label: 'Lap times', lines: 'time', format: lapTime, chart: { time: true, dots: true }, chosenAlone: true },
  compare: { title: 'Comparison', tables: (model, field, { chosen }) => [compareTable(chosen)] },
  stints: { title: 'Stints', ofCars: true, tables: (model, field, { shown }) => [stintTable(model, shown)] },
  stops: { title: 'Pit stops', ofCars: true, tables: (model, field, { shown }) => [stopTable(shown)] },
  drivers: { title: 'Drivers', ofCars: true, tables: (model, field, { shown }) => [driverTable(model, shown)] },
  session: { title: 'Session', tables: (model, field) => [flagTable(model), periodTable(model), leaderTable(field)] },
};

// Empty ones last, numbers as numbers.
function compare(a, b) {
  if (a === '' || b === '') return (a === '') - (b === '');
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
}

export class AnalysisView {
  constructor({ model, query = new URLSearchParams(), onAddress = () => {}, name = () => 'analysis' }) {
    Object.assign(this, { model, onAddress, name });
    this.palette = new ClassPalette();
    this.onlyChosen = false;
    this.sorts = new Map(); // title of a table -> { column, descending }
    this.current = Object.hasOwn(VIEWS, query.get('view') ?? '') ? query.get('view') : 'positions';
    this.cls = query.get('class') || null;
    this.picked = query.has('cars') ? query.get('cars').split(',').filter(Boolean).slice(0, CHOSEN_MAX) : null;
    this.build();
    this.showView(this.current);
  }

  destroy() {
    this.chart?.destroy();
  }

  button(text, act, attributes = {}) {
    const node = element('button', { type: 'button', class: 'button', ...attributes }, text);
    node.addEventListener('click', act);
    return node;
  }

  build() {
    this.tabs = new Map(Object.entries(VIEWS).map(([key, { title }]) => [key, this.button(title, () => this.showView(key), { 'aria-pressed': 'false' })]));
    this.classes = element('div', { class: 'analysis-classes', role: 'group', 'aria-label': 'Class' });
    this.cars = element('div', { class: 'analysis-cars', role: 'group', 'aria-label': 'Cars to compare' });
    this.carNote = element('p', { class: 'muted', role: 'status' });
    this.body = element('div', { class: 'analysis-body' });
    this.heading = element('h2', {});
    this.png = this.button('PNG', () => this.savePng(), { title: 'Save the chart as a picture' });
    this.csv = this.button('CSV', () => this.saveCsv(), { title: 'Save the numbers for a spreadsheet' });
    this.numbers = this.button('Numbers', () => this.toggleNumbers(), { 'aria-pressed': 'false', title: 'The chart as a table' });
    this.only = this.button('Compared cars alone', () => this.setOnlyChosen(!this.onlyChosen), { 'aria-pressed': 'false' });
    this.node = element('div', { class: 'analysis' },
      element('nav', { class: 'analysis-tabs', 'aria-label': 'Analysis' }, ...this.tabs.values()),
      element('div', { class: 'analysis-main' },
        element('section', { class: 'analysis-view' },
          element('div', { class: 'analysis-head' }, this.heading, this.only, this.numbers, this.csv, this.png), this.body),
        element('aside', { class: 'analysis-side' }, element('h2', {}, 'Cars'), this.classes, this.carNote, this.cars)));
  }

  // --- what is shown ---

  get field() {
    return this.model.field(this.model.classes.includes(this.cls) ? this.cls : null);
  }

  get chosen() {
    const { cars } = this.field;
    if (!this.picked) return cars.slice(0, CHOSEN_FIRST);
    return this.picked.map((num) => cars.find((car) => car.num === num)).filter(Boolean);
  }

  address() {
    const query = new URLSearchParams();
    if (this.current !== 'positions') query.set('view', this.current);
    if (this.cls) query.set('class', this.cls);
    if (this.picked) query.set('cars', this.picked.join(','));
    this.onAddress(query);
  }

  showView(key) {
    this.current = key;
    this.showsNumbers = false;
    for (const [each, tab] of this.tabs) tab.setAttribute('aria-pressed', String(each === key));
    setText(this.heading, VIEWS[key].title);
    this.chart?.destroy();
    this.chart = null;
    this.body.replaceChildren();
    const view = VIEWS[key];
    this.png.hidden = this.numbers.hidden = !view.lines;
    this.only.hidden = !view.ofCars;
    if (view.lines) {
      this.chart = new LineChart({ label: view.label, formatY: view.format, onPick: (num) => this.pick(num), ...view.chart });
      this.body.append(this.chart.node);
    }
    this.address();
    this.update();
  }

  toggleNumbers() {
    this.showsNumbers = !this.showsNumbers;
    this.numbers.setAttribute('aria-pressed', String(this.showsNumbers));
    this.update();
  }

  setOnlyChosen(only) {
    this.onlyChosen = only;
    this.only.setAttribute('aria-pressed', String(only));
    this.update();
  }

  setClass(cls) {
    this.cls = cls;
    this.address();
    this.update();
  }

  pick(num) {
    const now = this.chosen.map((car) => car.num);
    this.picked = now.includes(num) ? now.filter((each) => each !== num) : [...now, num].slice(-CHOSEN_MAX);
    this.address();
    this.update();
  }

  update() {
    const view = VIEWS[this.current];
    this.showClasses();
    this.showCars();
    if (this.model.isEmpty) {
      if (!this.chart) this.body.replaceChildren(element('p', { class: 'empty' }, 'There is no analysis yet.'));
      return;
    }
    if (view.lines) this.showLines(view);
    else this.showTables(view.tables(this.model, this.field, this.sets));
  }

  // Cars of a table: all of the class, or those that are compared alone.
  get sets() {
    return { shown: this.onlyChosen ? this.chosen : this.field.cars, chosen: this.chosen };
  }

  // --- charts ---

  valuesOf(view, car) {
    if (view.lines !== 'time') return this.field.of.get(car.num)?.[view.lines] ?? NO_LAPS;
    const values = new Float64Array(car.lapCount + 1).fill(NaN);
    for (const lap of car.laps) values[lap.lap] = lap.time;
    return values;
  }

  showLines(view) {
    const { field, chosen } = this;
    const cars = view.chosenAlone && chosen.length > 0 ? chosen : field.cars;
    const series = cars.map((car) => ({
      id: car.num,
      name: car.num,
      title: car.name,
      y: this.valuesOf(view, car),
      marks: car.stops.map(({ lap }) => ({ x: lap, kind: 'pit' })),
      note: (lap) => this.noteOf(car, lap),
    }));
    this.chart.setData({
      series,
      bands: this.model.bands(field).map(({ x0, x1, name }) => ({ x0, x1, style: flag(name).style, text: flag(name).text })),
      yRange: view.chart.integer ? null : (x) => this.rangeOf(view, series, chosen, x),
    });
    this.chart.setChosen(chosen.map((car) => car.num));
    const table = this.showsNumbers ? this.tableNode(this.lineTable()) : null;
    this.body.replaceChildren(...[this.chart.node, table].filter(Boolean));
  }

  // Chosen cars decide what is in view; the bulk of their laps, not the one behind a long stop.
  rangeOf(view, series, chosen, { from, to }) {
    const strong = new Set(chosen.map((car) => car.num));
    const values = [];
    for (const { id, y } of series) {
      if (strong.size > 0 && !strong.has(id)) continue;
      for (let lap = Math.max(1, Math.floor(from)); lap <= Math.min(y.length - 1, Math.ceil(to)); lap++) values.push(y[lap]);
    }
    if (view.lines === 'time') {
      // slow laps are beyond the edge, where their marks tell of stops
      const green = chosen.flatMap((car) => car.greenLaps().filter(({ lap }) => lap >= from && lap <= to).map(({ time }) => time));
      return bulk(green.length > 3 ? green : values, { low: 0, high: 0.97, margin: 0.2 }) ?? { from: 0, to: 1 };
    }
    const range = bulk(values, { high: 0.98 }) ?? { from: 0, to: 1 };
    return view.floor === undefined ? range : { from: view.floor, to: Math.max(1, range.to) };
  }

  noteOf(car, lap) {
    const found = car.laps.find((each) => each.lap === lap);
    if (!found) return null;
    const parts = [car.driverName(found.stint.driver), found.isIn ? 'into the pits' : '', found.isOut ? 'out of the pits' : ''];
    return parts.filter(Boolean).join(', ');
  }

  lineTable() {
    const view = VIEWS[this.current];
    const cars = this.chosen.length > 0 ? this.chosen : this.field.cars;
    const values = new Map(cars.map((car) => [car, this.valuesOf(view, car)]));
    return lineTable(view.title, this.field, cars, (car) => values.get(car), (each) => view.format(each, true));
  }

  // --- tables ---

  showTables(tables) {
    this.body.replaceChildren(...tables.map((table) => this.tableNode(table)));
  }

  // Sorted by a column when its heading is pressed: ascending, descending, as it was.
  tableNode({ title, columns, rows }) {
    const body = element('tbody');
    const scroller = element('div', { class: 'analysis-scroller', tabindex: '0', role: 'region', 'aria-label': title });
    let order = rows;
    const grow = (count) => {
      const from = body.childElementCount;
      body.append(...order.slice(from, from + count).map((row) => element('tr', {},
        ...columns.map((column) => element('td', { class: column.number ? 'number' : null }, column.text(row))))));
    };
    const sort = this.sorts.get(title) ?? { column: -1, descending: false };
    const show = () => {
      order = rows;
      const column = columns[sort.column];
      if (column) {
        order = [...rows].sort((a, b) => compare(column.value(a), column.value(b)) * (sort.descending ? -1 : 1));
        this.sorts.set(title, sort);
      }
      heads.forEach((head, i) => head.setAttribute('aria-sort', i !== sort.column ? 'none' : sort.descending ? 'descending' : 'ascending'));
      body.replaceChildren();
      grow(ROWS_FIRST);
    };
    const heads = columns.map((column, i) => element('th', { scope: 'col', class: column.number ? 'number' : null }, !column.title ? '' : this.button(column.title, () => {
      if (sort.column !== i) Object.assign(sort, { column: i, descending: false });
      else if (!sort.descending) sort.descending = true;
      else sort.column = -1;
      show();
    }, { class: 'sort' })));
    scroller.addEventListener('scroll', () => scroller.scrollTop + 2 * scroller.clientHeight > scroller.scrollHeight && grow(ROWS_MORE), { passive: true });
    scroller.append(element('table', { class: 'analysis-table' }, element('caption', {}, title), element('thead', {}, element('tr', {}, ...heads)), body));
    if (rows.length === 0) scroller.append(element('p', { class: 'empty' }, 'Nothing yet.'));
    show();
    return scroller;
  }

  // --- cars ---

  showClasses() {
    const { classes } = this.model;
    const text = JSON.stringify([classes, this.cls]);
    if (text === this.classText) return;
    this.classText = text;
    this.palette.learn(classes);
    const all = classes.length > 1 ? [null, ...classes] : [];
    this.classes.replaceChildren(...all.map((cls) => this.button(cls ?? 'All classes', () => this.setClass(cls),
      { 'aria-pressed': String(cls === this.cls), class: `button chip ${cls === null ? '' : className(this.palette.slotOf(cls))}` })));
  }

  showCars() {
    const { cars } = this.field;
    const chosen = new Map(this.chosen.map((car, i) => [car.num, i]));
    const text = JSON.stringify([this.model.version, this.cls, [...chosen.keys()]]);
    if (text === this.carText) return;
    this.carText = text;
    setText(this.carNote, `${chosen.size} of ${cars.length} compared`);
    const focused = document.activeElement?.closest('.analysis-cars') ? document.activeElement.dataset.num : null;
    this.cars.replaceChildren(...cars.map((car, i) => {
      const node = this.button('', () => this.pick(car.num), { class: `analysis-car ${chosen.has(car.num) ? `line-${chosen.get(car.num) % COLOURS}${chosen.get(car.num) >= COLOURS ? ' dashed' : ''}` : ''}`, 'aria-pressed': String(chosen.has(car.num)), 'data-num': car.num });
      node.append(element('span', { class: 'position' }, String(i + 1)), element('strong', {}, car.num), element('span', { class: 'car-name' }, car.name), element('span', { class: 'muted' }, `${car.lapCount} laps`));
      return node;
    }));
    if (focused !== null) [...this.cars.children].find((node) => node.dataset.num === focused)?.focus();
  }

  // --- files ---

  save(blob, ending) {
    const href = URL.createObjectURL(blob);
    const anchor = element('a', { href, download: `${this.name()}-${this.current}.${ending}` });
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(href), 10000);
  }

  saveCsv() {
    const view = VIEWS[this.current];
    const tables = view.lines ? [this.lineTable()] : view.tables(this.model, this.field, this.sets);
    const text = tables.map((table) => (tables.length > 1 ? `${table.title}\r\n` : '') + csv(table)).join('\r\n');
    this.save(new Blob([`\ufeff${text}`], { type: 'text/csv' }), 'csv');
  }

  async savePng() {
    this.save(await this.chart.png(`${this.name()} – ${VIEWS[this.current].label} – ${clock(this.field.leaderAt[this.field.lapMax] - (this.model.periods[0]?.from ?? 0))}`), 'png');
  }
}
