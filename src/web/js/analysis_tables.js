// The tables of an analysis, as columns and rows: shown, and saved as CSV. Pure.
//
//   { title, columns: [{ title, text(row), value(row), number }], rows }
//
// text is for people, value for spreadsheets (seconds, not "1:23.400").
import { clock, flag, lapTime, timeOfDay } from './format.js';
import { mean, median } from './analysis_model.js';

const time = (seconds) => (seconds === null || seconds === undefined ? '–' : lapTime(seconds));
const value = (seconds) => (seconds === null || seconds === undefined ? '' : Math.round(seconds * 1000) / 1000);
const percent = (share) => `${(share * 100).toFixed(1)} %`;

const text = (title, of) => ({ title, text: of, value: of });
const number = (title, of) => ({ title, text: (row) => String(of(row) ?? ''), value: of, number: true });
const seconds = (title, of, format = time) => ({ title, text: (row) => format(of(row)), value: (row) => value(of(row)), number: true });

const carColumns = [text('Num', ({ car }) => car.num), text('Class', ({ car }) => car.cls), text('Team', ({ car }) => car.name)];

export function stintTable(model, cars) {
  return {
    title: 'Stints',
    columns: [
      ...carColumns, number('Stint', ({ stint }) => stint.n), text('Driver', ({ car, stint }) => car.driverName(stint.driver)),
      number('From lap', ({ stint }) => stint.startLap), number('To lap', ({ stint }) => stint.endLap),
      number('Laps', ({ stint }) => stint.laps.length), seconds('Time', ({ car, stint }) => car.stintSeconds(stint, model.now), clock),
      seconds('Best', ({ stint }) => stint.best), seconds('Average', ({ stint }) => stint.average),
      number('Yellow laps', ({ stint }) => stint.yellow), text('', ({ stint }) => (stint.running ? 'on track' : '')),
    ],
    rows: cars.flatMap((car) => car.stints.map((stint) => ({ car, stint }))),
  };
}

export function stopTable(cars) {
  return {
    title: 'Pit stops',
    columns: [
      ...carColumns, number('Stop', ({ stop }) => stop.n), number('Lap', ({ stop }) => stop.lap),
      { title: 'Time of day', text: ({ stop }) => timeOfDay(stop.at), value: ({ stop }) => stop.at, number: true },
      seconds('In the pits', ({ stop }) => stop.duration), text('Driver in', ({ stop }) => stop.to),
      text('Driver out', ({ stop }) => (stop.from === stop.to ? '' : stop.from)),
    ],
    rows: cars.flatMap((car) => car.stops.map((stop) => ({ car, stop }))),
  };
}

export function driverTable(model, cars) {
  return {
    title: 'Drivers',
    columns: [
      ...carColumns, text('Driver', ({ total }) => total.driver), number('Stints', ({ total }) => total.stints),
      number('Laps', ({ total }) => total.laps), seconds('Time', ({ total }) => total.seconds, clock),
      { title: 'Share', text: ({ total }) => percent(total.share), value: ({ total }) => value(total.share), number: true },
      seconds('Longest stint', ({ total }) => total.longest, clock), seconds('Best', ({ total }) => total.best),
      seconds('Average', ({ total }) => total.average), number('Yellow laps', ({ total }) => total.yellow),
    ],
    rows: cars.flatMap((car) => car.driverTotals(model.now).map((total) => ({ car, total }))),
  };
}

export function flagTable(model) {
  return {
    title: 'By flag',
    columns: [
      text('Flag', ({ name }) => flag(name).text || 'No flag'), number('Periods', ({ periods }) => periods),
      seconds('Time', ({ seconds: all }) => all, clock),
      { title: 'Share', text: ({ share }) => percent(share), value: ({ share }) => value(share), number: true },
      number('Laps of the leader', ({ laps }) => laps),
    ],
    rows: model.flagTotals(),
  };
}

export function periodTable(model) {
  return {
    title: 'Flag periods',
    columns: [
      text('Flag', ({ name }) => flag(name).text || 'No flag'), number('From lap', ({ startLap }) => startLap),
      { title: 'Time of day', text: ({ from }) => timeOfDay(from), value: ({ from }) => from, number: true },
      seconds('Length', ({ from, to }) => to - from, clock), text('', ({ isCurrent }) => (isCurrent ? 'now' : '')),
    ],
    rows: model.periods,
  };
}

export function leaderTable(field) {
  return {
    title: 'Laps led',
    columns: [...carColumns, number('Laps led', ({ laps }) => laps)],
    rows: field.lapsLed(),
  };
}

// Chosen cars side by side.
export function compareTable(cars) {
  return {
    title: 'Comparison',
    columns: [
      ...carColumns, number('Laps', ({ car }) => car.lapCount), seconds('Best', ({ car }) => car.best),
      seconds('Median of green laps', ({ green }) => median(green)), seconds('Average of green laps', ({ green }) => mean(green)),
      number('Stops', ({ car }) => car.stops.length),
      seconds('In the pits', ({ car }) => car.stops.reduce((sum, { duration }) => sum + duration, 0), clock),
      seconds('Average stop', ({ car }) => mean(car.stops.map(({ duration }) => duration))),
    ],
    rows: cars.map((car) => ({ car, green: car.greenLaps().map(({ time: each }) => each) })),
  };
}

// What a chart of lines shows, as numbers: a row for each lap, a column for each car.
export function lineTable(title, field, cars, of, format) {
  return {
    title,
    columns: [
      number('Lap', ({ lap }) => lap),
      ...cars.map((car) => ({
        title: car.num,
        text: ({ lap }) => (Number.isNaN(of(car)[lap] ?? NaN) ? '' : format(of(car)[lap])),
        value: ({ lap }) => (Number.isNaN(of(car)[lap] ?? NaN) ? '' : value(of(car)[lap])),
        number: true,
      })),
    ],
    rows: Array.from({ length: field.lapMax }, (_, i) => ({ lap: i + 1 })),
  };
}

// RFC 4180. A text that a spreadsheet would take for a formula gets a quote in front.
export function csv({ columns, rows }) {
  const cell = (raw) => {
    const plain = typeof raw === 'number' ? String(raw) : String(raw ?? '').replace(/^([=+\-@\t\r])/, "'$1");
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  const lines = [columns.map(({ title }) => cell(title)), ...rows.map((row) => columns.map((column) => cell(column.value(row))))];
  return `${lines.map((line) => line.join(',')).join('\r\n')}\r\n`;
}
