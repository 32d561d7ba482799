// For other people's pages: the table in a frame (/embed/UUID), and a tower of
// the first cars over a picture (/overlay/UUID, transparent, for OBS). What they
// look like is said by the address; docs/viewer.md lists the parameters.
import { ClassPalette, className } from './classes.js';
import { DeltaFollower } from './delta.js';
import { describeColumns } from './columns.js';
import { element, setText, setClass } from './dom.js';
import { cell, clock, flag } from './format.js';
import { followDirectory } from './home.js';
import { TimingView } from './timing_view.js';

const ROWS_MAX = 200;
const TICK_MS = 250;
const STALE_MS = 75000;

// What the address asks for; anything odd is left out. Pure.
export function readParams(query) {
  const number = (name, fallback, min, max) => {
    const value = Number.parseFloat(query.get(name) ?? '');
    return Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : fallback;
  };
  const list = (name) => (query.get(name) ?? '').split(',').map((text) => text.trim()).filter(Boolean);
  const bg = query.get('bg') ?? '';
  return {
    rows: Math.floor(number('rows', 0, 1, ROWS_MAX)),
    classes: list('class'),
    columns: list('columns'),
    bg: bg === 'transparent' ? 'transparent' : /^[0-9a-f]{6}$/i.test(bg) ? `#${bg}` : '',
    size: number('size', 0, 8, 72),
    delay: number('delay', 0, 0, 3600),
    cycle: number('cycle', 0, 0, 120),
    gap: ['gap', 'int', 'last', 'none'].includes(query.get('gap')) ? query.get('gap') : 'gap',
    flag: query.get('flag') !== '0',
    title: query.get('title') !== '0',
    track: query.get('track') !== '0',
  };
}

// "Ana Lima" -> "Lima", "Ben de Wael" -> "de Wael", "LIMA, Ana" -> "LIMA"; one word stays.
export function shortName(name) {
  const text = String(name ?? '').trim();
  if (text.includes(',')) return text.split(',')[0].trim();
  const words = text.split(/\s+/);
  const particle = words.findIndex((word, i) => i > 0 && i < words.length - 1 && /^\p{Ll}/u.test(word));
  return words.slice(particle > 0 ? particle : -1).join(' ');
}

// Follows a service and shows each state when its delay is over.
class Frame {
  constructor({ connection, params, query, app }) {
    this.uuid = params.uuid;
    this.app = app;
    this.title = '';
    this.options = readParams(query);
    this.waiting = []; // { state, date, due }
    this.build();
    const { bg, size } = this.options;
    if (bg) document.documentElement.style.setProperty('--ground', bg);
    document.documentElement.classList.toggle('see-through', bg === 'transparent');
    if (size) document.documentElement.style.fontSize = `${size}px`;
    this.follower = new DeltaFollower(connection, params.uuid, (state, date) => this.onState(state, date));
    this.stops = [followDirectory(connection, (manifests) => {
      const manifest = manifests.find(({ uuid }) => uuid === this.uuid);
      if (manifest) this.setManifest(manifest);
    })];
    const timer = setInterval(() => this.tick(), TICK_MS);
    this.stops.push(() => clearInterval(timer));
  }

  destroy() {
    this.follower.destroy();
    for (const stop of this.stops) stop();
    document.documentElement.style.removeProperty('--ground');
    document.documentElement.style.removeProperty('font-size');
    document.documentElement.classList.remove('see-through');
  }

  setManifest(manifest) {
    if (JSON.stringify(manifest) === JSON.stringify(this.manifest)) return;
    this.manifest = manifest;
    this.app.setTitle([manifest.name, manifest.description].filter(Boolean).join(' – '));
    this.showManifest(manifest);
  }

  onState(state, date) {
    this.receivedAt = performance.now();
    this.offset = date - Date.now();
    if (this.options.delay === 0 || this.state === undefined) this.take(state, date);
    if (this.options.delay > 0) this.waiting.push({ state, date, due: performance.now() + this.options.delay * 1000 });
  }

  take(state, date) {
    this.state = state;
    this.showState(state, date);
  }

  tick() {
    while (this.waiting[0]?.due <= performance.now()) {
      const { state, date } = this.waiting.shift();
      this.take(state, date);
    }
    this.showTime(Date.now() + (this.offset ?? 0) - this.options.delay * 1000);
  }

  get stale() {
    if (this.app.status === 'disconnected') return 'Disconnected';
    return this.receivedAt !== undefined && performance.now() - this.receivedAt > STALE_MS ? 'No new data' : null;
  }
}

export class EmbedPage extends Frame {
  build() {
    const { options, app } = this;
    this.view = new TimingView({ settings: app.settings, compact: true });
    this.view.forcedColumns = options.columns.length > 0 ? { order: options.columns, hidden: [] } : null;
    if (options.rows) this.view.table.setView({ limit: options.rows });
    if (options.classes.length > 0) this.view.table.setView({ classes: new Set(options.classes) });
    this.view.node.classList.toggle('no-flag', !options.flag);
    this.view.node.classList.toggle('no-track', !options.track);
    this.name = element('strong');
    this.more = element('a', { href: `/service/${encodeURIComponent(this.uuid)}`, target: '_blank', rel: 'noopener' }, 'Full timing');
    this.source = element('span', { class: 'muted' });
    this.node = element('div', { class: 'embed' },
      options.title ? element('div', { class: 'embed-head' }, this.name, this.more) : '', this.view.node, this.source);
  }

  showManifest(manifest) {
    setText(this.name, [manifest.name, manifest.description].filter(Boolean).join(' – '));
    setText(this.source, manifest.source?.[0] ? `Timing data: ${manifest.source[0]}` : '');
    if (this.options.columns.length > 0) {
      const titles = describeColumns(manifest.colSpec).map(({ title }) => title);
      this.view.forcedColumns = { order: this.options.columns, hidden: titles.filter((title) => !this.options.columns.includes(title)) };
    }
    this.view.setManifest(manifest);
  }

  showState(state, date) {
    this.view.setState(state, { at: date });
  }

  showTime(now) {
    this.view.setStale(this.stale);
    this.view.tick(now);
  }

  destroy() {
    super.destroy();
    this.view.destroy();
  }
}

const GAP_COLUMNS = { gap: ['Gap', 'Int'], int: ['Int', 'Gap'], last: ['Last'], none: [] };

export class OverlayPage extends Frame {
  build() {
    this.options.rows ||= 10;
    this.palette = new ClassPalette();
    this.flag = element('strong');
    this.time = element('span');
    this.head = element('div', { class: 'tower-head', hidden: !this.options.flag }, this.flag, this.time);
    this.list = element('ol', { class: 'tower-rows' });
    this.node = element('div', { class: 'tower', hidden: true }, this.head, this.list);
    this.rows = [];
    this.firstRow = 0;
    this.turnedAt = performance.now();
  }

  showManifest(manifest) {
    this.columns = describeColumns(manifest.colSpec);
    this.index = Object.fromEntries(this.columns.map(({ title, index }) => [title, index]));
    if (this.state) this.showState(this.state);
  }

  makeRow() {
    const row = { position: element('span', { class: 'tower-pos' }), number: element('span', { class: 'tower-num' }), name: element('span', { class: 'tower-name' }), gap: element('span', { class: 'tower-gap' }) };
    row.node = element('li', {}, row.position, row.number, row.name, row.gap);
    return row;
  }


  showState(state) {
    if (!this.index) return;
    const { rows, classes, gap } = this.options;
    const value = (car, title) => (this.index[title] === undefined ? undefined : car[this.index[title]]);
    const cars = (state.cars ?? []).filter(Array.isArray);
    this.palette.learn(cars.map((car) => value(car, 'Class')).filter(Boolean));
    const wanted = classes.length > 0 ? cars.filter((car) => classes.includes(String(value(car, 'Class')))) : cars;
    if (this.firstRow >= wanted.length) this.firstRow = 0;
    this.total = wanted.length;
    const shown = wanted.slice(this.firstRow, this.firstRow + rows);
    const gapTitle = GAP_COLUMNS[gap].find((title) => this.index[title] !== undefined);
    while (this.rows.length < shown.length) {
      const row = this.makeRow();
      this.rows.push(row);
      this.list.append(row.node);
    }
    for (const { node } of this.rows.splice(shown.length)) node.remove();
    shown.forEach((car, i) => {
      const row = this.rows[i];
      const position = classes.length > 0 ? this.firstRow + i + 1 : cars.indexOf(car) + 1;
      const stateText = String(value(car, 'State') ?? '');
      setText(row.position, String(position));
      setText(row.number, String(value(car, 'Num') ?? ''));
      setText(row.name, shortName(value(car, 'Driver')) || String(value(car, 'Team') ?? ''));
      const gapText = gapTitle ? cell(value(car, gapTitle), this.columns.find(({ title }) => title === gapTitle).type).text : '';
      setText(row.gap, ['PIT', 'RET', 'STOP', 'FIN'].includes(stateText) ? stateText : gapText || (i === 0 && gap !== 'none' && this.firstRow === 0 ? 'Leader' : ''));
      setClass(row.node, [className(this.palette.slotOf(value(car, 'Class'))), /^[A-Z]+$/.test(stateText) ? `state-${stateText}` : ''].filter(Boolean).join(' '));
    });
    this.node.hidden = false;
    this.session = state.session ?? {};
    const at = Date.now() + (this.offset ?? 0);
    if (this.session.timeRemain !== this.remain) {
      this.remain = this.session.timeRemain;
      this.remainAt = at;
    }
  }

  showTime() {
    if (!this.session) return;
    const { text, style } = flag(this.session.flagState);
    setText(this.flag, text);
    setClass(this.head, `tower-head flag-${style}`);
    const since = this.stale ? 0 : Math.min(60, Math.max(0, (Date.now() + (this.offset ?? 0) - this.remainAt) / 1000));
    setText(this.time, typeof this.remain === 'number' ? clock(this.remain - since) : typeof this.session.lapsRemain === 'number' ? `${this.session.lapsRemain} laps` : '');
    const { cycle, rows } = this.options;
    if (cycle > 0 && this.total > rows && performance.now() - this.turnedAt > cycle * 1000) {
      this.turnedAt = performance.now();
      this.firstRow = this.firstRow + rows >= this.total ? 0 : this.firstRow + rows;
      this.showState(this.state);
    }
  }
}
