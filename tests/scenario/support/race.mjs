// A recording of a race of which every number is known: six cars, a lap a
// minute or so, yellow from 600 to 720 s, one stop each with a change of driver.
import { writeZip } from './zip.mjs';

export const START = 1700000000;
export const LENGTH = 1800;
export const FRAME_S = 5;
const STOP_S = 40;

export const colSpec = [
  ['Num', 'text', 'Car number'], ['State', 'text'], ['Class', 'class'], ['Team', 'text'], ['Driver', 'text'],
  ['Laps', 'numeric'], ['Last', 'time', 'Last lap time'], ['Best', 'time', 'Best lap time'], ['Pits', 'numeric'],
];

const cars = ['11', '12', '13', '21', '22', '23'].map((num, i) => {
  const cls = num < '20' ? 'GT3' : 'GT4';
  const car = { num, cls, team: `Team ${num}`, passes: [0], laps: [0], stopLap: 8 + i };
  for (let lap = 1; car.passes[lap - 1] < LENGTH + 100; lap++) {
    const time = 60 + i * 1.5 + (lap % 3) + (lap === car.stopLap + 1 ? STOP_S : 0);
    car.laps.push(time);
    car.passes.push(car.passes[lap - 1] + time);
  }
  return car;
});

function rowAt(car, t) {
  const laps = car.passes.filter((pass) => pass > 0 && pass <= t).length;
  const stopAt = car.passes[car.stopLap];
  const inPits = t >= stopAt && t < stopAt + STOP_S;
  const best = laps > 0 ? Math.min(...car.laps.slice(1, laps + 1)) : '';
  return { laps, pass: car.passes[laps], cells: [
    car.num, t >= LENGTH ? 'FIN' : inPits ? 'PIT' : 'RUN', car.cls, car.team, t < stopAt + STOP_S ? `Ann ${car.num}` : `Bob ${car.num}`,
    laps, [laps > 0 ? car.laps[laps] : '', ''], [best, ''], t >= stopAt ? 1 : 0,
  ] };
}

const flagAt = (t) => (t >= LENGTH ? 'chequered' : t >= 600 && t < 720 ? 'sc' : 'green');

function messagesAt(t) {
  const all = [[0, 'Track', 'Green flag - track clear', 'green'], [600, 'Track', 'Safety car deployed', 'yellow'], [720, 'Track', 'Green flag - track clear', 'green'], [LENGTH, 'Track', 'Chequered flag', 'track']];
  return all.filter(([at]) => at <= t).map(([at, ...rest]) => [START + at, ...rest]).reverse();
}

export function stateAt(t) {
  const rows = cars.map((car) => rowAt(car, t)).sort((a, b) => b.laps - a.laps || a.pass - b.pass);
  return {
    cars: rows.map(({ cells }) => cells),
    session: { flagState: flagAt(t), timeElapsed: t, timeRemain: Math.max(0, LENGTH - t), trackData: [] },
    messages: messagesAt(t), highlight: [],
  };
}

// further: entries beside those of the race.
export function writeRace(file, manifest = {}, further = []) {
  const entries = [...further];
  const start = manifest.startTime ?? START;
  for (let t = 0; t <= LENGTH; t += FRAME_S) {
    entries.push({ name: `${String(start + t).padStart(11, '0')}.json`, content: JSON.stringify(stateAt(t)) });
  }
  entries.push({ name: 'manifest.json', content: JSON.stringify({ name: 'Club Cup', description: 'Race 1', uuid: 'club', colSpec, trackDataSpec: [], version: 1, startTime: START, ...manifest }) });
  writeZip(file, entries);
}
