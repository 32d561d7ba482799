// TV delay: the whole page runs behind by as much as the picture does. Nudged,
// typed, or measured on a lap: press when the screen shows the car complete it.
import { element, setText } from './dom.js';
import { delayText } from './format.js';

export const DELAY_MAX_S = 3600;
const NUDGES = [-5, -0.5, 0.5, 5];

export function clampDelay(seconds) {
  if (!Number.isFinite(seconds)) return 0;
  return Math.min(DELAY_MAX_S, Math.max(0, Math.round(seconds * 10) / 10));
}

export class DelayControl {
  // tracker: LapTracker; now(): unix seconds by the daemon's clock; onDelay(seconds)
  constructor({ settings, tracker, now, onDelay }) {
    Object.assign(this, { settings, tracker, now, onDelay });
    this.seconds = clampDelay(settings.get('delay', 0));
    this.build();
    this.show();
  }

  build() {
    this.button = element('button', { type: 'button', class: 'button delay-button', 'aria-expanded': 'false', title: 'Run behind to match a TV picture (D)' });
    this.button.addEventListener('click', () => this.toggle());
    this.value = element('output', { class: 'delay-value' });
    this.input = element('input', { type: 'number', min: '0', max: String(DELAY_MAX_S), step: '0.1', 'aria-label': 'Delay in seconds' });
    this.input.addEventListener('change', () => this.set(Number(this.input.value)));
    const nudge = (by) => {
      const node = element('button', { type: 'button', class: 'button', 'aria-label': `${Math.abs(by)} seconds ${by < 0 ? 'less' : 'more'}` }, `${by > 0 ? '+' : '−'}${Math.abs(by)}`);
      node.addEventListener('click', () => this.set(this.seconds + by));
      return node;
    };
    this.off = element('button', { type: 'button', class: 'button' }, 'No delay');
    this.off.addEventListener('click', () => this.set(0));
    this.car = element('select', { 'aria-label': 'Car' }, element('option', { value: '' }, 'The leader'));
    this.car.addEventListener('change', () => this.showLaps());
    this.lap = element('select', { 'aria-label': 'Lap' });
    this.measure = element('button', { type: 'button', class: 'button primary' }, 'Now');
    this.measure.addEventListener('click', () => this.calibrate());
    this.note = element('p', { class: 'muted', role: 'status' });
    this.panel = element('div', { class: 'delay-panel', hidden: true, role: 'group', 'aria-label': 'TV delay' },
      element('h3', {}, 'TV delay'),
      element('div', { class: 'delay-row' }, nudge(NUDGES[0]), nudge(NUDGES[1]), this.value, nudge(NUDGES[2]), nudge(NUDGES[3])),
      element('div', { class: 'delay-row' }, element('label', {}, 'Seconds ', this.input), this.off),
      element('h3', {}, 'Measure it'),
      element('p', { class: 'muted' }, 'Press when your screen shows the car complete this lap:'),
      element('div', { class: 'delay-row' }, this.car, this.lap, this.measure), this.note);
    this.panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.toggle(false);
      this.button.focus();
      event.stopPropagation();
    });
    this.node = element('div', { class: 'delay' }, this.button, this.panel);
    this.closer = (event) => !this.node.contains(event.target) && this.toggle(false);
  }

  destroy() {
    document.removeEventListener('pointerdown', this.closer);
  }

  toggle(open = this.panel.hidden) {
    this.panel.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    document.removeEventListener('pointerdown', this.closer);
    if (!open) return;
    document.addEventListener('pointerdown', this.closer);
    setText(this.note, '');
    this.showCars();
    this.showLaps();
    this.panel.querySelector('button').focus();
  }

  set(seconds) {
    this.seconds = clampDelay(seconds);
    this.settings.set('delay', this.seconds);
    this.show();
    this.onDelay(this.seconds);
  }

  show() {
    setText(this.button, this.seconds > 0 ? `TV delay ${delayText(this.seconds)}` : 'TV delay');
    this.button.classList.toggle('active', this.seconds > 0);
    setText(this.value, delayText(this.seconds));
    if (document.activeElement !== this.input) this.input.value = String(this.seconds);
  }

  showCars() {
    const chosen = this.car.value;
    const numbers = [...this.tracker.laps.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
    this.car.replaceChildren(element('option', { value: '' }, 'The leader'), ...numbers.map((number) => element('option', { value: number }, `Car ${number}`)));
    this.car.value = numbers.includes(chosen) ? chosen : '';
  }

  // The newest laps, and the one to come: whoever is behind chooses the one that is next on the screen.
  showLaps() {
    const number = this.car.value || null;
    const known = this.tracker.list(number).map(({ lap }) => lap);
    const mark = `${number} ${known.join(' ')}`;
    if (mark === this.lapsMark) return;
    const chosen = Number(this.lap.value);
    const isSame = number === this.lapsNumber;
    this.lapsMark = mark;
    this.lapsNumber = number;
    const laps = [...known].reverse();
    const next = number === null ? this.tracker.most : this.tracker.laps.get(number);
    if (Number.isFinite(next)) laps.unshift(next + 1);
    this.lap.replaceChildren(...laps.map((lap) => element('option', { value: lap }, `Lap ${lap}`)));
    if (isSame && laps.includes(chosen)) this.lap.value = String(chosen);
    this.lap.disabled = laps.length === 0;
    this.measure.disabled = laps.length === 0;
  }

  // Once a second, while it is open.
  tick() {
    if (!this.panel.hidden) this.showLaps();
  }

  calibrate() {
    const lap = Number(this.lap.value);
    const delay = this.tracker.delayFor(this.car.value || null, lap, this.now());
    if (delay === null) {
      setText(this.note, `Lap ${lap} is not completed yet, so your picture cannot show it: choose the lap that it shows.`);
      return;
    }
    if (delay > DELAY_MAX_S) {
      setText(this.note, 'That is over an hour ago; choose a later lap.');
      return;
    }
    this.set(delay);
    setText(this.note, `Delay set to ${delayText(this.seconds)}. Nudge it until it fits.`);
  }
}
