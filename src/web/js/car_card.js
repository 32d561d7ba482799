// Everything that the feed says of one car, with its messages: what the table
// has no room for.
import { element, setText, setClass } from './dom.js';
import { cell } from './format.js';
import { STATES } from './columns.js';
import { timeOfDay } from './format.js';
import { className } from './classes.js';

const MESSAGES_MAX = 12;

export class CarCard {
  constructor({ onClose, onPin }) {
    this.title = element('h2');
    this.sub = element('p', { class: 'muted' });
    this.pin = element('button', { type: 'button', class: 'button', 'aria-pressed': 'false' }, 'Pin');
    this.values = element('dl', { class: 'car-values' });
    this.log = element('ol', { class: 'car-messages' });
    const close = element('button', { type: 'button', class: 'close', 'aria-label': 'Close' }, '×');
    close.addEventListener('click', onClose);
    this.pin.addEventListener('click', () => onPin(this.number));
    this.node = element('aside', { class: 'car-card', 'aria-label': 'Car', hidden: true },
      element('header', {}, element('div', {}, this.title, this.sub), this.pin, close), this.values, this.log);
  }

  hide() {
    this.node.hidden = true;
    this.number = null;
  }

  // row of the table; columns: all of the feed.
  show(row, table, messages, isPinned) {
    const { car } = row;
    const text = (title) => cell(table.value(car, title), 'text').text;
    this.number = row.number;
    this.node.hidden = false;
    setClass(this.node, `car-card ${className(row.slot)}`);
    setText(this.title, `${row.number ? `${row.number} ` : ''}${text('Driver') || text('Team')}`);
    setText(this.sub, [text('Class'), text('Driver') ? text('Team') : '', text('Car')].filter(Boolean).join(' · '));
    setText(this.pin, isPinned ? 'Pinned' : 'Pin');
    this.pin.setAttribute('aria-pressed', String(isPinned));
    const mark = JSON.stringify([car, row.position]);
    if (mark !== this.mark) {
      this.mark = mark;
      this.values.replaceChildren(...[['Position', String(row.position), ''], ...table.all
        .filter(({ title }) => !['Num', 'Driver', 'Team', 'Car', 'Class'].includes(title))
        .map((column) => {
          const { text: value, className: style } = cell(car[column.index], column.type);
          return [column.title === 'State' ? 'State' : column.description, column.title === 'State' ? STATES.get(value) ?? value : value, style];
        })].filter(([, value]) => value !== '').map(([label, value, style]) => element('div', {}, element('dt', {}, label), element('dd', { class: style || null }, value))));
    }
    const own = (Array.isArray(messages) ? messages : []).filter((message) => Array.isArray(message) && message[4] !== undefined && message[4] !== null && String(message[4]) === String(car[0])).slice(0, MESSAGES_MAX);
    const logMark = JSON.stringify(own);
    if (logMark === this.logMark) return;
    this.logMark = logMark;
    this.log.replaceChildren(...own.map(([time, , message]) => element('li', {}, element('time', {}, timeOfDay(time)), ' ', element('span', {}, String(message ?? '')))));
  }
}
