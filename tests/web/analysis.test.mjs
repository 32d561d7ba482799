// The analysis as charts and tables have it: from data of the analyser.
import test from 'node:test';
import assert from 'node:assert/strict';
import { AnalysisModel, mean, median } from '../../src/web/js/analysis_model.js';
import { csv, driverTable, lineTable, stintTable, stopTable } from '../../src/web/js/analysis_tables.js';
import { bulk, spread, ticks } from '../../src/web/js/charts_scale.js';

// Two cars; car 7 leads, stops after lap 3 and changes driver, car 8 runs through.
const data = () => ({
  static: { 7: ['GT3', 'Team A', 'Car A'], 8: ['GT4', 'Team B', 'Car B'] },
  driver: { 7: ['Ann', 'Bob'], 8: ['Cem'] },
  session: { currentTimestamp: 700, leaderLap: 5, flagStats: [[1, 0, 100, 2, 300], [8, 2, 300, 3, 400], [1, 3, 400, null, null]] },
  lap: { 7: [[4, 430, 5, 700, true, 1, 101, 0, null, [[130, 1], [101, 1]]], 631], 8: [[1, 100, 4, 700, true, 0, 104, 1, 105, [[106, 1], [104, 1], [105, 8], [104, 1]]], 519] },
  stint: { 7: [[1, 100, 3, 400, false, 0, 99, 1, 100, [[100, 1], [99, 1], [101, 8]]]] },
  car_messages: { 7: [[400, 'GT3', '#7 Driver change (Ann to Bob)', null, '7']] },
  messages: { messages: [] },
});

function model(changes) {
  const made = new AnalysisModel();
  made.replace({ ...data(), ...changes });
  return made;
}
const carOf = (made, num) => made.cars.find((car) => car.num === num);

test('laps of stints are counted on, and timed back from the last pass', () => {
  const car = carOf(model(), '7');
  assert.deepEqual(car.laps.map(({ lap }) => lap), [1, 2, 3, 4, 5]);
  assert.deepEqual(car.laps.map(({ at }) => at), [200, 299, 400, 530, 631]);
  assert.deepEqual(car.laps.map(({ isIn, isOut }) => [isIn, isOut]), [[false, false], [false, false], [true, false], [false, true], [false, false]]);
});

test('cars are in the order of laps, then of the last pass', () => {
  assert.deepEqual(model().cars.map(({ num }) => num), ['7', '8']);
});

test('a stop lies between two stints and names both drivers', () => {
  assert.deepEqual(carOf(model(), '7').stops, [{ n: 1, lap: 3, at: 400, duration: 30, from: 'Ann', to: 'Bob' }]);
  assert.deepEqual(carOf(model(), '8').stops, []);
});

test('positions and gaps are those at each lap', () => {
  const { of, lapMax } = model().field();
  assert.equal(lapMax, 5);
  assert.deepEqual([...of.get('8').position].slice(1, 5), [2, 2, 2, 1]);
  assert.equal(of.get('8').gap[1], 6);
  assert.equal(of.get('7').gap[4], 11);
  assert.ok(Number.isNaN(of.get('8').position[5]));
});

test('a field of a class is ranked by itself', () => {
  const { of } = model().field('GT4');
  assert.equal(of.size, 1);
  assert.equal(of.get('8').position[1], 1);
});

test('drivers have their own laps, time and averages without pit laps and yellow ones', () => {
  const [ann, bob] = carOf(model(), '7').driverTotals(700);
  assert.deepEqual([ann.driver, ann.laps, ann.seconds, ann.average, ann.yellow], ['Ann', 3, 300, 99.5, 1]);
  assert.deepEqual([bob.driver, bob.laps, bob.seconds, bob.average], ['Bob', 2, 270, 101]);
  assert.ok(Math.abs(ann.share + bob.share - 1) < 1e-9);
});

test('time by flag ends now for the current one', () => {
  const made = model();
  assert.deepEqual(made.flagTotals().map(({ name, seconds, periods }) => [name, seconds, periods]), [['green', 500, 2], ['sc', 100, 1]]);
  assert.equal(made.periods.at(-1).isCurrent, true);
  assert.deepEqual(made.bands(made.field()).map(({ name }) => name), ['sc']);
});

test('a part that changes makes its own car again and no other', () => {
  const made = model();
  const [seven, eight] = [carOf(made, '7'), carOf(made, '8')];
  made.merge('lap/8', { 8: [[1, 100, 5, 800, true, 0, 104, 1, 105, [[106, 1], [104, 1], [105, 8], [104, 1], [110, 1]]], 629] });
  assert.equal(carOf(made, '7'), seven);
  assert.notEqual(carOf(made, '8'), eight);
  assert.equal(made.cars[0].num, '8');
});

test('whatever is odd is left out', () => {
  for (const odd of [null, undefined, 7, 'x', { lap: null, static: [] }, { lap: { 7: null }, stint: { 7: [null, 3, []] }, static: { 7: null }, session: { flagStats: [null, 3] } }]) {
    const made = new AnalysisModel();
    made.replace(odd);
    assert.doesNotThrow(() => [made.cars, made.field(), made.periods, made.flagTotals(), made.bands(made.field())]);
  }
  const made = model();
  made.merge('__proto__', { a: 1 });
  made.merge('lap/7', null);
  assert.equal({}.a, undefined);
  assert.equal(carOf(made, '7').lapCount, 5);
});

test('a stop that nobody timed does not move the laps before it', () => {
  const lost = data();
  lost.lap['7'] = [[5, 430, 6, 700, true, 1, 101, 0, null, [[101, 1]]], 900];
  const car = carOf(model(lost), '7');
  assert.ok(car.laps.find(({ lap }) => lap === 3).at <= 430);
});

test('tables have texts for people and numbers for spreadsheets', () => {
  const made = model();
  const rows = csv(stintTable(made, made.cars)).split('\r\n');
  assert.match(rows[0], /^Num,Class,Team,Stint,Driver/);
  assert.match(rows[1], /^7,GT3,Team A,1,Ann,1,3,3,300,99,100,1,/);
  assert.equal(stopTable(made.cars).rows.length, 1);
  assert.equal(driverTable(made, made.cars).rows.length, 3);
  const lines = lineTable('Laps', made.field(), made.cars, (car) => Float64Array.from([NaN, ...car.laps.map(({ time }) => time)]), String);
  assert.equal(csv(lines).split('\r\n')[5], '5,101,');
});

test('a text in a CSV is quoted, and never a formula', () => {
  const table = (value) => ({ columns: [{ title: 'A', value: () => value }], rows: [0] });
  assert.equal(csv(table('a,"b"')), 'A\r\n"a,""b"""\r\n');
  assert.equal(csv(table('=1+1')), "A\r\n'=1+1\r\n");
  assert.equal(csv(table(-5)), 'A\r\n-5\r\n');
});

test('middle and average of nothing are nothing', () => {
  assert.deepEqual([median([]), mean([]), median([3, 1, 2]), median([4, 1]), mean([1, 3])], [null, null, 2, 2.5, 2]);
});

test('ticks are round numbers inside the range', () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(1, 4, 10, { integer: true }), [1, 2, 3, 4]);
  assert.deepEqual(ticks(0, 240, 4, { time: true }), [0, 60, 120, 180, 240]);
  assert.deepEqual(ticks(3, 3, 5), [3]);
});

test('names beside each other do not lie over each other', () => {
  const places = spread([{ y: 10 }, { y: 11 }, { y: 12 }], 10, 0, 30).map(({ at }) => at).sort((a, b) => a - b);
  assert.deepEqual(places, [10, 20, 30]);
});

test('a range is around the bulk, not the one that is far off', () => {
  const { from, to } = bulk([...Array(99).fill(0).map((_, i) => 90 + i / 100), 2000]);
  assert.ok(from < 90 && to < 100);
  assert.equal(bulk([NaN]), null);
});
