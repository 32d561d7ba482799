// A chart of lines over laps, on a canvas: sixty cars over a day are fifty
// thousand points, of which every pixel is drawn once. Chosen lines are strong
// and named at their end, the others stay behind as context.
//
//   const chart = new LineChart({ label, xLabel, formatY, ... });
//   chart.setData({ series, bands, yRange, xRange });
//     series  [{ id, name, y, marks }]: y[lap], NaN where there is none; marks: [{ x, kind }], 'pit'
//     bands   [{ x0, x1, style, text }]: flags
//   chart.setChosen(ids);
//   chart.node; chart.destroy();
//
// The numbers are for everybody in the table beside it; the chart itself can be
// walked by the arrow keys, which say what the pointer says.
import { element, setText } from './dom.js';
import { spread, ticks } from './charts_scale.js';

const MARGIN = { top: 10, right: 64, bottom: 48, left: 58 };
const NARROW_PX = 560;
const LABEL_PX = 13;
const REACH_PX = 40; // of the pointer for a line
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]]; // another one for each eight lines
const ZOOM = 1.6;
const LEAST_LAPS = 4;
const SPARSE_PX = 5; // between two laps: from here on dots are joined by a line
const MARKS_PX = 16; // between two stops: from here on their marks are large
const COLOURS = 8;
const THEME_NAMES = ['text', 'muted', 'faint', 'line', 'strong-line', 'panel', 'ground', 'yellow', 'red', 'code60', 'white', 'green', 'focus'];

// Colours of the page, as a canvas needs them.
export function readTheme(node) {
  const style = getComputedStyle(node);
  const theme = Object.fromEntries(THEME_NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || '#888']));
  theme.lines = Array.from({ length: COLOURS }, (_, i) => style.getPropertyValue(`--c${i}`).trim() || '#888');
  theme.font = style.fontFamily;
  return theme;
}

export function lineStyle(theme, order) {
  return { colour: theme.lines[order % COLOURS], dash: DASHES[Math.floor(order / COLOURS) % DASHES.length], shape: order };
}

export class LineChart {
  constructor({ label, xLabel = 'Lap', formatX = String, formatY = String, invert = false, integer = false, time = false, labelAll = false, dots = false, onPick = null }) {
    Object.assign(this, { label, xLabel, formatX, formatY, invert, integer, time, labelAll, dots, onPick });
    this.series = [];
    this.bands = [];
    this.chosen = [];
    this.view = null; // { from, to } of laps, when zoomed
    this.cursor = null; // { lap, id }
    this.build();
    this.resize = new ResizeObserver(() => this.draw());
    this.resize.observe(this.box);
    this.watcher = new MutationObserver(() => this.draw());
    this.watcher.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  }

  destroy() {
    this.resize.disconnect();
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
  }

  build() {
    this.base = element('canvas', { 'aria-hidden': 'true' });
    this.over = element('canvas', { 'aria-hidden': 'true' });
    this.tip = element('div', { class: 'chart-tip', hidden: true });
    this.said = element('span', { class: 'visually-hidden', role: 'status' });
    this.box = element('div', { class: 'chart-box', tabindex: '0', role: 'group', 'aria-roledescription': 'chart', 'aria-label': `${this.label}. Arrow keys walk through laps and cars; plus and minus zoom.` }, this.base, this.over, this.tip, this.said);
    const button = (text, title, act) => {
      const node = element('button', { type: 'button', class: 'button', title, 'aria-label': title }, text);
      node.addEventListener('click', act);
      return node;
    };
    this.reset = button('Whole race', 'Show all laps', () => this.zoomTo(null));
    this.reset.hidden = true;
    this.node = element('div', { class: 'chart' }, this.box,
      element('div', { class: 'chart-zoom' }, this.reset, button('+', 'Zoom in', () => this.zoom(1 / ZOOM)), button('−', 'Zoom out', () => this.zoom(ZOOM))));
    this.box.addEventListener('pointermove', (event) => this.hover(event));
    this.box.addEventListener('pointerleave', () => this.setCursor(null));
    this.box.addEventListener('pointerdown', (event) => this.grab(event));
    this.box.addEventListener('dblclick', () => this.zoomTo(null));
    this.box.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.box.addEventListener('keydown', (event) => this.key(event));
  }

  setData({ series, bands = [], yRange = null, xRange = null }) {
    this.series = series;
    this.bands = bands;
    this.yRange = yRange;
    this.xRange = xRange;
    if (this.cursor && !series.some(({ id }) => id === this.cursor.id)) this.cursor = null;
    this.draw();
  }

  setChosen(ids) {
    this.chosen = ids;
    this.draw();
  }

  // --- scales ---

  get whole() {
    if (this.xRange) return this.xRange;
    const most = this.series.reduce((max, { y }) => Math.max(max, y.length - 1), 1);
    return { from: 1, to: Math.max(2, most) };
  }

  valuesIn(from, to) {
    let least = Infinity;
    let most = -Infinity;
    for (const { y } of this.series) {
      for (let lap = Math.max(0, Math.floor(from)); lap <= Math.min(y.length - 1, Math.ceil(to)); lap++) {
        if (y[lap] < least) least = y[lap];
        if (y[lap] > most) most = y[lap];
      }
    }
    return { from: least, to: most };
  }

  layout() {
    const width = this.box.clientWidth;
    const height = this.box.clientHeight;
    const narrow = width < NARROW_PX;
    const left = narrow ? 46 : MARGIN.left;
    const right = narrow ? 40 : MARGIN.right;
    const x = this.view ?? this.whole;
    const found = this.yRange?.(x) ?? this.valuesIn(x.from, x.to);
    const y = Number.isFinite(found.from) ? { ...found } : { from: 0, to: 1 };
    if (y.to - y.from < 1e-6) y.to = y.from + 1;
    if (this.integer && !this.yRange) {
      y.from -= 0.5;
      y.to += 0.5;
    }
    const plot = { left, top: MARGIN.top, width: Math.max(10, width - left - right), height: Math.max(10, height - MARGIN.top - MARGIN.bottom) };
    const px = (lap) => plot.left + ((lap - x.from) / (x.to - x.from)) * plot.width;
    const py = (value) => {
      const part = (value - y.from) / (y.to - y.from);
      return plot.top + (this.invert ? part : 1 - part) * plot.height;
    };
    return { width, height, narrow, x, y, plot, px, py };
  }

  // --- drawing ---

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  fit(canvas, width, height) {
    const ratio = globalThis.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w) canvas.width = w;
    if (canvas.height !== h) canvas.height = h;
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }

  drawNow() {
    if (!this.box.isConnected || this.box.clientWidth === 0) return;
    this.theme = readTheme(this.box);
    this.at = this.layout();
    this.reset.hidden = this.view === null;
    this.paint(this.fit(this.base, this.at.width, this.at.height), this.at);
    this.drawCursor();
    this.drawn = (this.drawn ?? 0) + 1;
  }

  paint(context, at) {
    const { plot } = at;
    context.font = `12px ${this.theme.font}`;
    context.textBaseline = 'middle';
    this.paintBands(context, at);
    this.paintGrid(context, at);
    context.save();
    context.beginPath();
    context.rect(plot.left - 3, plot.top - 3, plot.width + 6, plot.height + 6);
    context.clip();
    const order = new Map(this.chosen.map((id, i) => [id, i]));
    context.lineJoin = 'bevel';
    for (const one of this.series) if (!order.has(one.id)) this.paintLine(context, at, one, { colour: this.theme.faint, dash: [], width: 1, alpha: order.size > 0 ? 0.4 : 0.75 });
    for (const one of this.series) if (order.has(one.id)) this.paintLine(context, at, one, { ...lineStyle(this.theme, order.get(one.id)), width: 2, alpha: 1, strong: true });
    context.restore();
    this.paintNames(context, at, order);
  }

  bandColour(style) {
    return { yellow: this.theme.yellow, red: this.theme.red, code60: this.theme.code60, white: this.theme.white, chequered: this.theme.text }[style] ?? null;
  }

  paintBands(context, { plot, px, x }) {
    for (const { x0, x1, style } of this.bands) {
      const colour = this.bandColour(style);
      if (!colour || x1 < x.from || x0 > x.to) continue;
      const left = Math.max(plot.left, px(x0));
      const right = Math.min(plot.left + plot.width, Math.max(px(x1), left + 1));
      context.fillStyle = colour;
      context.globalAlpha = 0.16;
      context.fillRect(left, plot.top, right - left, plot.height);
      // an edge on top, by which the kinds differ without their colour
      context.globalAlpha = 0.9;
      if (style === 'red') context.fillRect(left, plot.top, right - left, 5);
      else if (style === 'code60') for (let at = left; at < right; at += 6) context.fillRect(at, plot.top, Math.min(3, right - at), 4);
      else context.fillRect(left, plot.top, right - left, 2);
      context.globalAlpha = 1;
    }
  }

  paintGrid(context, { plot, x, y, px, py, narrow }) {
    context.strokeStyle = this.theme.line;
    context.fillStyle = this.theme.muted;
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.beginPath();
    for (const value of ticks(y.from, y.to, plot.height / 46, { integer: this.integer, time: this.time })) {
      if (this.integer && value < 1) continue;
      const at = Math.round(py(value)) + 0.5;
      context.moveTo(plot.left, at);
      context.lineTo(plot.left + plot.width, at);
      context.fillText(this.formatY(value), plot.left - 8, at);
    }
    context.textAlign = 'center';
    for (const lap of ticks(x.from, x.to, plot.width / (narrow ? 56 : 80), { integer: true })) {
      const at = Math.round(px(lap)) + 0.5;
      context.moveTo(at, plot.top + plot.height);
      context.lineTo(at, plot.top + plot.height + 4);
      context.fillText(this.formatX(lap), at, plot.top + plot.height + 13);
    }
    context.stroke();
    context.textAlign = 'left';
    context.fillText(this.xLabel, plot.left, plot.top + plot.height + 32);
  }

  paintLine(context, at, { y, marks }, { colour, dash, width, alpha, shape = 0, strong = false }) {
    const { x, plot, px, py } = at;
    const first = Math.max(0, Math.floor(x.from) - 1);
    const last = Math.min(y.length - 1, Math.ceil(x.to) + 1);
    const perPixel = (last - first) / plot.width;
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.globalAlpha = alpha;
    context.lineWidth = width;
    const isDotted = this.dots && (last - first) * SPARSE_PX > plot.width;
    if (isDotted) this.paintDots(context, at, y, { first, last, shape });
    else this.paintPath(context, at, y, { first, last, dash, step: perPixel > 2 && !strong ? Math.floor(perPixel) : 1 });
    if (strong && this.dots && !isDotted) {
      for (let lap = first; lap <= last; lap++) {
        if (y[lap] !== y[lap]) continue;
        context.beginPath();
        context.arc(px(lap), py(y[lap]), 2.5, 0, 7);
        context.fill();
      }
    }
    if (strong) this.paintMarks(context, at, y, marks);
    context.globalAlpha = 1;
  }

  // So many laps that lines between slow and fast ones would hide both. A shape for each order.
  paintDots(context, { px, py }, y, { first, last, shape }) {
    const [w, h] = [[3, 3], [5, 2], [2, 5], [4, 4]][shape % 4];
    for (let lap = first; lap <= last; lap++) {
      if (y[lap] === y[lap]) context.fillRect(px(lap) - w / 2, py(y[lap]) - h / 2, w, h);
    }
  }

  // Of lap times, slow ones that are beyond the edge are left out: their lines would cross all others.
  paintPath(context, { px, py, y: range }, y, { first, last, dash, step }) {
    const most = this.dots ? range.to : Infinity;
    context.setLineDash(dash);
    context.beginPath();
    let isDown = false;
    for (let lap = first; lap <= last; lap += step) {
      const value = y[lap];
      if (value !== value || value > most) {
        isDown = false;
        continue;
      }
      if (isDown) context.lineTo(px(lap), py(value));
      else context.moveTo(px(lap), py(value));
      isDown = true;
    }
    context.stroke();
    context.setLineDash([]);
  }

  // A stop: a triangle that stands on the line, inside the plot wherever its lap is.
  paintMarks(context, { x, px, py, plot }, y, marks = []) {
    const size = (marks.length / (this.whole.to - this.whole.from)) * (x.to - x.from) * MARKS_PX > plot.width ? 2.5 : 4.5;
    for (const mark of marks) {
      if (mark.x < x.from || mark.x > x.to || Number.isNaN(y[mark.x] ?? NaN)) continue;
      const left = px(mark.x);
      const top = Math.min(plot.top + plot.height - 5, Math.max(plot.top + 8, py(y[mark.x])));
      context.beginPath();
      context.moveTo(left, top + size - 0.5);
      context.lineTo(left - size, top + 0.5 - size);
      context.lineTo(left + size, top + 0.5 - size);
      context.closePath();
      context.fill();
      if (size < 4) continue;
      context.lineWidth = 1;
      context.strokeStyle = this.theme.ground;
      context.stroke();
    }
  }

  paintNames(context, { x, plot, px, py }, order) {
    const names = [];
    const room = plot.height / Math.max(1, this.series.length);
    for (const { id, name, y } of this.series) {
      const strong = order.has(id);
      if (!strong && !(this.labelAll && room >= LABEL_PX - 3)) continue;
      let lap = Math.min(y.length - 1, Math.floor(x.to));
      while (lap >= x.from && Number.isNaN(y[lap])) lap--;
      if (lap < x.from) continue;
      names.push({ id, name, strong, y: Math.min(plot.top + plot.height, Math.max(plot.top, py(y[lap]))), x: px(lap) });
    }
    spread(names, Math.min(LABEL_PX, Math.max(9, room)), plot.top + 4, plot.top + plot.height - 4);
    context.textAlign = 'left';
    for (const { id, name, strong, at } of names) {
      context.font = `${strong ? '600 ' : ''}${room < LABEL_PX && this.labelAll ? 10 : 12}px ${this.theme.font}`;
      context.fillStyle = strong ? lineStyle(this.theme, order.get(id)).colour : this.theme.muted;
      context.fillText(name, plot.left + plot.width + 7, at);
    }
  }

  drawCursor() {
    if (!this.at) return;
    const { width, height, plot, px, py } = this.at;
    const context = this.fit(this.over, width, height);
    if (this.band) {
      context.fillStyle = this.theme.focus;
      context.globalAlpha = 0.2;
      context.fillRect(Math.min(...this.band), plot.top, Math.abs(this.band[1] - this.band[0]), plot.height);
      context.globalAlpha = 1;
    }
    const one = this.cursor && this.series.find(({ id }) => id === this.cursor.id);
    if (!one) {
      this.tip.hidden = true;
      return;
    }
    const { lap } = this.cursor;
    const order = this.chosen.indexOf(one.id);
    const style = order >= 0 ? lineStyle(this.theme, order) : { colour: this.theme.text, dash: [] };
    context.strokeStyle = this.theme['strong-line'];
    context.beginPath();
    context.moveTo(px(lap) + 0.5, plot.top);
    context.lineTo(px(lap) + 0.5, plot.top + plot.height);
    context.stroke();
    context.save();
    context.beginPath();
    context.rect(plot.left - 3, plot.top - 3, plot.width + 6, plot.height + 6);
    context.clip();
    this.paintLine(context, this.at, one, { ...style, width: 3, alpha: 1, strong: true });
    context.restore();
    const top = Math.min(plot.top + plot.height, Math.max(plot.top, py(one.y[lap])));
    context.fillStyle = style.colour;
    context.beginPath();
    context.arc(px(lap), top, 4.5, 0, 7);
    context.fill();
    this.showTip(one, lap, px(lap), top);
  }

  textAt({ name, title, y, note }, lap) {
    const band = this.bands.find(({ x0, x1 }) => x0 <= lap && lap - 1 < x1);
    return [`${name} ${title ?? ''}`.trim(), `${this.xLabel} ${this.formatX(lap)}: ${this.formatY(y[lap], true)}`, note?.(lap), band?.text].filter(Boolean);
  }

  showTip(one, lap, left, top) {
    const [name, ...rest] = this.textAt(one, lap);
    this.tip.replaceChildren(element('strong', {}, name), ...rest.map((text) => element('span', {}, text)));
    this.tip.hidden = false;
    const { width } = this.at;
    const box = this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(2, left + 14 + box > width ? left - box - 14 : left + 14)}px`;
    this.tip.style.top = `${Math.max(2, Math.min(this.at.height - this.tip.offsetHeight - 2, top - 20))}px`;
  }

  // --- pointer and keys ---

  setCursor(cursor) {
    if (cursor?.lap === this.cursor?.lap && cursor?.id === this.cursor?.id) return;
    this.cursor = cursor;
    this.drawCursor();
  }

  lapAt(event) {
    const { plot, x } = this.at;
    const left = event.clientX - this.box.getBoundingClientRect().left;
    return x.from + ((left - plot.left) / plot.width) * (x.to - x.from);
  }

  // { lap, id } of the line under the pointer; chosen ones are caught from further away.
  nearest(event) {
    if (!this.at) return null;
    const { x, py } = this.at;
    const lap = Math.round(this.lapAt(event));
    if (lap < x.from - 1 || lap > x.to + 1) return null;
    const top = event.clientY - this.box.getBoundingClientRect().top;
    let best = null;
    let least = REACH_PX;
    for (const { id, y } of this.series) {
      const value = y[lap];
      if (value === undefined || value !== value) continue;
      const far = Math.abs(py(value) - top) - (this.chosen.includes(id) ? 6 : 0);
      if (far < least) [least, best] = [far, { lap, id }];
    }
    return best;
  }

  hover(event) {
    if (!this.drag) this.setCursor(this.nearest(event));
  }

  // With a mouse: drag over laps to see them alone; a click chooses the line.
  grab(event) {
    if (event.button !== 0 || !this.at) return;
    const from = event.clientX;
    const box = this.box.getBoundingClientRect();
    this.drag = event.pointerType === 'mouse';
    const move = (each) => {
      if (!this.drag || Math.abs(each.clientX - from) < 6) return;
      this.band = [from - box.left, each.clientX - box.left];
      this.cursor = null;
      this.drawCursor();
    };
    const end = (each) => {
      this.box.removeEventListener('pointermove', move);
      this.box.removeEventListener('pointerup', end);
      this.box.removeEventListener('pointercancel', end);
      this.drag = false;
      const { band } = this;
      this.band = null;
      if (band) {
        const laps = [this.lapAt({ clientX: from }), this.lapAt(each)].sort((a, b) => a - b);
        this.zoomTo({ from: laps[0], to: laps[1] });
      } else if (each.type === 'pointerup') {
        const found = this.nearest(each);
        this.setCursor(found);
        if (found) this.onPick?.(found.id);
      }
    };
    this.box.addEventListener('pointermove', move);
    this.box.addEventListener('pointerup', end);
    this.box.addEventListener('pointercancel', end);
    if (this.drag) this.box.setPointerCapture(event.pointerId);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM, this.lapAt(event));
  }

  zoom(factor, around = this.cursor?.lap) {
    const now = this.view ?? this.whole;
    const middle = around ?? (now.from + now.to) / 2;
    this.zoomTo({ from: middle - (middle - now.from) * factor, to: middle + (now.to - middle) * factor });
  }

  zoomTo(view) {
    const { whole } = this;
    if (view) {
      const length = Math.max(LEAST_LAPS, view.to - view.from);
      const from = Math.min(Math.max(whole.from, view.from), Math.max(whole.from, whole.to - length));
      const to = Math.min(whole.to, from + length);
      view = to - from >= whole.to - whole.from ? null : { from, to };
    }
    this.view = view;
    this.draw();
  }

  key(event) {
    if (event.target !== this.box || !this.at || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      ArrowLeft: () => this.walk(-1), ArrowRight: () => this.walk(1),
      ArrowUp: () => this.change(-1), ArrowDown: () => this.change(1),
      '+': () => this.zoom(1 / ZOOM), '-': () => this.zoom(ZOOM), 0: () => this.zoomTo(null),
      Escape: () => this.setCursor(null),
      Enter: () => this.cursor && this.onPick?.(this.cursor.id),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
    const one = this.cursor && this.series.find(({ id }) => id === this.cursor.id);
    setText(this.said, one ? this.textAt(one, this.cursor.lap).join(', ') : '');
  }

  start() {
    const id = this.chosen.find((each) => this.series.some((one) => one.id === each)) ?? this.series[0]?.id;
    const one = this.series.find((each) => each.id === id);
    if (!one) return null;
    const lap = one.y.findIndex((value, i) => i >= this.at.x.from && value === value);
    return lap < 0 ? null : { lap, id };
  }

  walk(by) {
    if (!this.cursor) {
      this.setCursor(this.start());
      return;
    }
    const { y } = this.series.find(({ id }) => id === this.cursor.id);
    let lap = this.cursor.lap + by;
    while (lap > 0 && lap < y.length && y[lap] !== y[lap]) lap += by;
    if (lap > 0 && lap < y.length) this.setCursor({ ...this.cursor, lap });
  }

  // The line above or below at this lap.
  change(by) {
    if (!this.cursor) {
      this.setCursor(this.start());
      return;
    }
    const { lap } = this.cursor;
    const here = this.series.filter(({ y }) => y[lap] === y[lap] && y[lap] !== undefined);
    here.sort((a, b) => this.at.py(a.y[lap]) - this.at.py(b.y[lap]));
    const next = here[here.findIndex(({ id }) => id === this.cursor.id) + by];
    if (next) this.setCursor({ lap, id: next.id });
  }

  // The chart as a picture, with its title and the names of the chosen lines.
  png(title) {
    const at = this.layout();
    const head = 34;
    const ratio = 2;
    const canvas = element('canvas', { width: at.width * ratio, height: (at.height + head) * ratio });
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.fillStyle = this.theme.ground;
    context.fillRect(0, 0, at.width, at.height + head);
    context.fillStyle = this.theme.text;
    context.font = `600 15px ${this.theme.font}`;
    context.textBaseline = 'middle';
    context.fillText(title, 12, head / 2 + 3, at.width - 24);
    context.translate(0, head);
    this.paint(context, at);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  }
}
