// The parts of the page that are functions of their arguments.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ClassPalette } from '../../src/web/js/classes.js';
import { chooseColumns, compareCells, describeColumns } from '../../src/web/js/columns.js';
import { findCars, fold } from '../../src/web/js/find.js';
import { cell, clock, delayText, duration, flag, lapTime, until } from '../../src/web/js/format.js';
import { LapTracker } from '../../src/web/js/lap_tracker.js';
import { kindOf } from '../../src/web/js/messages.js';
import { LIVE_MODULES, matchRoute, serviceOfClass } from '../../src/web/js/router.js';
import { Settings } from '../../src/web/js/settings.js';
import { codeOf } from '../../src/web/js/access.js';
import { clampDelay } from '../../src/web/js/delay.js';
import { readParams, shortName } from '../../src/web/js/embed.js';

const spec = [['Num', 'text', 'Car number'], ['Class', 'class'], ['Driver', 'text'], ['Gap', 'delta'], ['Last', 'time'], ['Fuel', 'numeric']];
const titles = (columns) => columns.map(({ title }) => title);

test('columns have the description of the feed, else the standard one, else their title', () => {
  const columns = describeColumns(spec);
  assert.deepEqual(columns.map(({ description }) => description), ['Car number', 'Class', 'Driver in the car', 'Gap to leader', 'Last lap time', 'Fuel']);
  assert.deepEqual(columns.filter(({ right }) => right).map(({ title }) => title), ['Gap', 'Last', 'Fuel']);
});

test('a column specification that is none gives no columns', () => {
  for (const odd of [null, undefined, 'x', {}, [null, 7, 'x']]) assert.deepEqual(describeColumns(odd), []);
});

test('a choice of columns orders and hides; a column that it does not know stays behind its neighbour', () => {
  const columns = describeColumns(spec);
  const shown = chooseColumns(columns, { order: ['Last', 'Num', 'Class', 'Driver', 'Gap'], hidden: ['Class'] });
  assert.deepEqual(titles(shown), ['Last', 'Fuel', 'Num', 'Driver', 'Gap']);
  assert.deepEqual(titles(chooseColumns(columns, null)), titles(columns));
  assert.deepEqual(titles(chooseColumns(columns, { order: 'x', hidden: 7 })), titles(columns));
});

test('cells sort by what they mean: seconds before laps, empty ones last in either direction', () => {
  const cells = ['2 laps', '', 12.5, '1 lap', '+3.2', [90.1, 'pb'], null, '1:05.2'];
  const order = (direction) => [...cells].sort((a, b) => compareCells(a, b, direction));
  assert.deepEqual(order(1).slice(0, 6), ['+3.2', 12.5, '1:05.2', [90.1, 'pb'], '1 lap', '2 laps']);
  assert.deepEqual(order(-1).slice(0, 6), ['2 laps', '1 lap', [90.1, 'pb'], '1:05.2', 12.5, '+3.2']);
  assert.deepEqual(order(-1).slice(6), ['', null]);
});

test('texts sort with their numbers as numbers', () => {
  assert.deepEqual(['Car 10', 'Car 9', 'car 2'].sort((a, b) => compareCells(a, b, 1)), ['car 2', 'Car 9', 'Car 10']);
});

test('finding looks at number, driver and class without case and accents; the exact number is first', () => {
  const rows = [{ key: 'a', car: ['17', 'GT3', 'Zoë Pérez'] }, { key: 'b', car: ['7', 'GT4', 'Ana'] }];
  const index = { Num: 0, Class: 1, Driver: 2 };
  assert.deepEqual(findCars(rows, index, '7'), ['b', 'a']);
  assert.deepEqual(findCars(rows, index, '#7'), ['b', 'a']);
  assert.deepEqual(findCars(rows, index, 'PEREZ'), ['a']);
  assert.deepEqual(findCars(rows, index, 'gt4'), ['b']);
  assert.deepEqual(findCars(rows, index, 'nobody'), []);
  assert.equal(findCars(rows, index, '  '), null);
  assert.equal(fold(null), '');
});

test('a class has one colour whatever the order in which classes come', () => {
  const one = new ClassPalette();
  const two = new ClassPalette();
  one.learn(['GT3', 'LMP2', 'Hypercar', 'Trophy']);
  two.learn(['Trophy', 'Hypercar', 'LMP2', 'GT3']);
  for (const name of ['GT3', 'LMP2', 'Hypercar', 'Trophy']) assert.equal(one.slotOf(name), two.slotOf(name));
  assert.equal(new Set([...one.slots.values()]).size, 4);
  assert.equal(one.slotOf(''), -1);
  assert.equal(one.slotOf(null), -1);
});

test('more classes than colours share them', () => {
  const palette = new ClassPalette();
  palette.learn(Array.from({ length: 30 }, (_, i) => `Class ${i}`));
  assert.equal(new Set(palette.slots.values()).size, 8);
});

test('times, clocks and gaps are written as people read them', () => {
  assert.deepEqual([83.4, 59.9996, -1.5, 3725.05].map(lapTime), ['1:23.400', '1:00.000', '-1.500', '62:05.050']);
  assert.deepEqual([0, 3725, -5, NaN].map(clock), ['0:00:00', '1:02:05', '0:00:00', '–']);
  assert.deepEqual([45.5, 59.96, 125].map(delayText), ['45.5 s', '1:00.0', '2:05.0']);
  assert.deepEqual([30, 3600, 5400, undefined].map(duration), ['30 s', '1 h', '1 h 30 min', '–']);
  assert.deepEqual([-1, 299, 3660, 3 * 86400].map(until), ['now', 'in 4:59', 'in 1 h 1 min', 'in 3 days']);
});

test('a cell of any kind has a text', () => {
  assert.equal(cell([83.4, 'sb'], 'time').text, '1:23.400');
  assert.equal(cell(['', ''], 'time').text, '');
  assert.equal(cell(0, 'delta').text, '');
  assert.equal(cell({ a: 1 }, 'text').text, '{"a":1}');
  assert.equal(cell(null, 'text').text, '');
  assert.equal(cell(true, 'text').text, 'true');
  assert.match(cell([1, 'pb'], 'time').title, /best/);
  assert.equal(cell([1, '__proto__'], 'time').className, '');
});

test('an unknown flag is shown by its name, whatever it is', () => {
  assert.deepEqual(flag('SC'), { text: 'Safety car', style: 'yellow' });
  assert.deepEqual(flag('purple'), { text: 'purple', style: 'none' });
  assert.equal(flag(null).style, 'none');
  assert.equal(flag('constructor').text, 'constructor');
});

test('messages fall into kinds', () => {
  assert.deepEqual([[0, '', '', 'raceControl'], [0, '', '', 'sc'], [0, '', '', 'yellow'], [0, '', '', 'out'], [0, '', '', 'sb'], [0, '', '', null]].map(kindOf), ['control', 'other', 'flag', 'pit', 'lap', 'other']);
});

test('addresses lead to their page; broken ones to none', () => {
  const routes = [{ path: '/' }, { path: '/service/:uuid' }, { path: '/service/:uuid/analysis' }, { path: '/s/:class' }];
  assert.equal(matchRoute(routes, '/').route.path, '/');
  assert.deepEqual(matchRoute(routes, '/service/a%2Fb/').params, { uuid: 'a/b' });
  assert.equal(matchRoute(routes, '/service/x/analysis').route.path, '/service/:uuid/analysis');
  assert.equal(matchRoute(routes, '/service/%E0%A4'), null);
  assert.equal(matchRoute(routes, '/service/x/y/z'), null);
});

test('a class leads to its newest service that is not hidden', () => {
  const manifests = [{ uuid: 'a', serviceClass: 'IMSA' }, { uuid: 'b', serviceClass: 'imsa' }, { uuid: 'c', serviceClass: 'imsa', hidden: true }, null];
  assert.equal(serviceOfClass(manifests, 'imsa').uuid, 'b');
  assert.equal(serviceOfClass(manifests, 'wec'), null);
});

test('settings are remembered, and odd contents of the storage are not believed', () => {
  const storage = { value: null, getItem() { return this.value; }, setItem(_, text) { this.value = text; } };
  const settings = new Settings(storage);
  settings.set('delay', 12.5);
  assert.equal(new Settings(storage).get('delay', 0), 12.5);
  storage.value = '{"delay":"soon","pinned":{}}';
  assert.equal(new Settings(storage).get('delay', 0), 0);
  assert.deepEqual(new Settings(storage).get('pinned', []), []);
  for (const text of ['[]', 'null', '{', '7']) {
    storage.value = text;
    assert.equal(new Settings(storage).get('delay', 3), 3);
  }
});

test('without a storage settings last as long as the page', () => {
  const settings = new Settings({ getItem() { throw new Error('denied'); }, setItem() { throw new Error('denied'); } });
  settings.set('theme', 'light');
  assert.equal(settings.get('theme', 'auto'), 'light');
});

test('the delay is the time since the data saw the lap that the screen shows now', () => {
  const tracker = new LapTracker();
  const index = { Num: 0, Laps: 1 };
  tracker.observe({ cars: [['7', 10], ['8', 10]] }, index, 1000);
  tracker.observe({ cars: [['7', 11], ['8', 10]] }, index, 1090);
  tracker.observe({ cars: [['7', 11], ['8', 11]] }, index, 1092);
  assert.equal(tracker.delayFor(null, 11, 1135.5), 45.5);
  assert.equal(tracker.delayFor('8', 11, 1135.5), 43.5);
  assert.equal(tracker.delayFor(null, 10, 1135.5), null);
  assert.equal(tracker.delayFor('9', 11, 1135.5), null);
  tracker.observe({ cars: [['', 4], null, ['x', 'many']] }, index, 1100);
});

test('delays stay between nothing and an hour', () => {
  assert.deepEqual([-1, 0.04, 12.34, 99999, NaN].map(clampDelay), [0, 0, 12.3, 3600, 0]);
});

test('the code of a private service is behind the number sign', () => {
  assert.equal(codeOf('#code=abc%20d'), 'abc d');
  assert.equal(codeOf('#other=1'), null);
  assert.equal(codeOf(''), null);
});

test('parameters of embeds are checked', () => {
  const params = readParams(new URLSearchParams('rows=5.7&class=GT3, LMP2&bg=00ff00&size=999&gap=evil&delay=-4'));
  assert.deepEqual([params.rows, params.classes, params.bg, params.size, params.gap, params.delay], [5, ['GT3', 'LMP2'], '#00ff00', 72, 'gap', 0]);
  assert.equal(readParams(new URLSearchParams('bg=red;x')).bg, '');
});

test('short names keep what belongs to them', () => {
  assert.deepEqual(['Ana Lima', 'Ben de Wael', 'LIMA, Ana', 'Zoe', ''].map(shortName), ['Lima', 'de Wael', 'LIMA', 'Zoe', '']);
});

// Modules that a module imports, and those import, and so on.
function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  const text = readFileSync(new URL(`../../src/web/js/${name}.js`, import.meta.url), 'utf8');
  for (const [, other] of text.matchAll(/^import [^;]*? from '\.\/(\w+)\.js';/gm)) closure(other, seen);
  return seen;
}

test('what is fetched ahead for the live page is what it consists of', () => {
  const first = closure('main');
  assert.deepEqual([...closure('live')].filter((name) => !first.has(name)).sort(), [...LIVE_MODULES].sort());
});
