// What is known of columns: description, kind, how much they are worth on a
// narrow screen, and the viewer's choice of them. Pure.

// The standard columns whose manifest has no description.
const DESCRIPTIONS = {
  Num: 'Car number', State: 'On track, in the pits, retired', Class: 'Class', Team: 'Team', Driver: 'Driver in the car', Car: 'Car',
  T: 'Tyre', TS: 'Laps on these tyres since the last stop', TA: 'Laps on these tyres from new', Laps: 'Laps completed', Lap: 'Laps completed',
  Gap: 'Gap to leader', 'C.Gap': 'Gap to class leader', Int: 'Interval to car in front', 'C.Int': 'Interval to class car in front',
  Last: 'Last lap time', Best: 'Best lap time', Spd: 'Last lap speed', 'B.Spd': 'Best lap speed', 'Av.Spd': 'Average speed',
  Pits: 'Pit stops', PTP: 'Push-to-pass remaining', 'D1 Best': 'Best lap of driver 1', 'D2 Best': 'Best lap of driver 2',
  Average: 'Average of best laps', PIC: 'Position in class',
};

// The major ones fit a phone, 'minor' ones a laptop, 'detail' a wide screen. Unknown ones are minor.
const MAJOR = new Set(['Num', 'State', 'Class', 'Driver', 'Gap', 'Last']);
const DETAIL = new Set(['Car', 'T', 'TS', 'TA', 'S1', 'S2', 'S3', 'S4', 'S5', 'BS1', 'BS2', 'BS3', 'BS4', 'BS5', 'C.Gap', 'C.Int', 'Spd', 'B.Spd']);
const RIGHT = new Set(['numeric', 'delta', 'time', 'laptime']);
// On a phone the second line of the cell of a major column shows a minor one.
const BELOW = { Driver: ['Team', 'Car'], Gap: ['Int'], Last: ['Best'] };

// Of the State column: a map, since the feed says what is looked up.
export const STATES = new Map(Object.entries({
  RUN: 'Running', PIT: 'In the pits', OUT: 'Out lap', STOP: 'Stopped or slow', RET: 'Retired',
  FUEL: 'Fuelling', 'N/S': 'Not started', FIN: 'Finished',
}));

// [{ index, title, type, description, level, right, grow, below }] of a column specification.
export function describeColumns(colSpec) {
  const spec = Array.isArray(colSpec) ? colSpec.filter(Array.isArray) : [];
  const indexOf = new Map(spec.map(([title], i) => [String(title ?? ''), i]));
  return spec.map(([title, type, description], index) => {
    const name = String(title ?? '');
    const below = (Object.hasOwn(BELOW, name) ? BELOW[name] : []).map((other) => indexOf.get(other)).find((i) => i !== undefined);
    return {
      index,
      title: name,
      type: String(type ?? 'text'),
      description: String(description ?? (Object.hasOwn(DESCRIPTIONS, name) ? DESCRIPTIONS[name] : null) ?? (/^B?S\d$/.test(name) ? `${name[0] === 'B' ? 'Best s' : 'S'}ector ${name.slice(-1)} time` : name)),
      level: MAJOR.has(name) ? 'major' : DETAIL.has(name) ? 'detail' : 'minor',
      right: RIGHT.has(type),
      grow: name === 'Driver' || (name === 'Team' && !indexOf.has('Driver')),
      below,
    };
  });
}

// The columns to show, in order, by a choice { order: [titles], hidden: [titles] } or null.
// What the choice does not know (a feed got a new column) keeps its place after its neighbour.
export function chooseColumns(columns, choice) {
  if (!choice) return columns;
  const order = Array.isArray(choice.order) ? choice.order : [];
  const hidden = new Set(Array.isArray(choice.hidden) ? choice.hidden : []);
  const place = new Map(order.map((title, i) => [title, i]));
  let before = -1;
  const placed = columns.map((column, i) => {
    if (place.has(column.title)) before = place.get(column.title);
    return { column, at: place.has(column.title) ? before : before + 0.5, i };
  });
  placed.sort((a, b) => a.at - b.at || a.i - b.i);
  return placed.map(({ column }) => column).filter(({ title }) => !hidden.has(title));
}

// --- sorting ---

const LAPS = /^\s*[+-]?(\d+)\s*(laps?|l)\s*$/i;

// Something that orders like the cell: numbers first (gaps in laps behind those in seconds), then texts.
export function sortKey(cell) {
  const value = Array.isArray(cell) ? cell[0] : cell;
  if (typeof value === 'number') return { number: value, text: '' };
  const text = String(value ?? '').trim();
  if (text === '') return null;
  const laps = text.match(LAPS);
  if (laps) return { number: 1e6 * Number(laps[1]), text: '' };
  const clock = text.match(/^[+-]?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/);
  if (clock) return { number: Number(clock[1] ?? 0) * 3600 + Number(clock[2]) * 60 + Number(clock[3]), text: '' };
  const number = Number(text.replace(/^\+/, ''));
  return Number.isFinite(number) ? { number, text: '' } : { number: Infinity, text };
}

// Order of two cells; empty ones are last in either direction.
export function compareCells(a, b, direction) {
  const left = sortKey(a);
  const right = sortKey(b);
  if (!left || !right) return left ? -1 : right ? 1 : 0;
  if (left.number !== right.number) return direction * (left.number < right.number ? -1 : 1);
  return direction * left.text.localeCompare(right.text, undefined, { numeric: true });
}
