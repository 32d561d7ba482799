// The analysis of a race as charts and tables need it, from the data of the
// analyser (seven parts: static, driver, messages, session, lap, stint,
// car_messages). Pure.
//
//   const model = new AnalysisModel();
//   model.replace(data);              the whole of it
//   model.merge('lap/7', payload);    one part that changed
//   model.cars                        [Car] in order of the race: laps, then time of the last
//   model.field(className)            positions and gaps of a class, or of all (null)
//
// Data can be cut off or odd where a feed was: whatever cannot be used is left out.

export const FLAGS = ['none', 'green', 'white', 'chequered', 'yellow', 'fcy', 'code_60', 'vsc', 'sc', 'caution', 'red', 'slow_zone', 'code_60_zone'];
export const YELLOW = 4; // and above: laps that do not count as green

const PARTS = ['static', 'driver', 'messages', 'session', 'lap', 'stint', 'car_messages'];
const SLOW = 1.6; // of a lap's time: a stop ends a stint this much after the last crossing at most

const isTime = (value) => typeof value === 'number' && Number.isFinite(value) && value > 0;
const list = (value) => (Array.isArray(value) ? value : []);
const textOf = (value) => (value === null || value === undefined ? '' : String(value));

function makeStint(raw, n) {
  if (!Array.isArray(raw)) return null;
  const [startLap, from, endLap, to, running, driver, best, yellow, average, laps] = raw;
  const timed = list(laps).filter((lap) => Array.isArray(lap) && isTime(lap[0]));
  return {
    n,
    startLap: Number(startLap) || 0,
    endLap: Number(endLap) || 0,
    from: Number(from) || 0,
    to: to === null ? null : Number(to) || 0,
    running: running === true,
    driver: Number.isInteger(driver) ? driver : -1,
    best: isTime(best) ? best : null,
    average: isTime(average) ? average : null,
    yellow: Number(yellow) || 0,
    raw: timed,
  };
}

export class Car {
  constructor(num) {
    this.num = num;
    this.cls = '';
    this.team = '';
    this.model = '';
    this.drivers = [];
    this.stints = [];
    this.laps = [];
    this.stops = [];
    this.messages = [];
    this.lapCount = 0;
    this.lastPass = null;
    this.best = null;
  }

  driverName(i) {
    return textOf(this.drivers[i]);
  }

  get name() {
    return this.team || this.drivers.filter(Boolean).map(String).join(' / ') || this.model;
  }

  // From the finished stints and [running stint or null, last pass].
  setStints(finished, current) {
    const [running, lastPass] = list(current);
    this.stints = [...list(finished), running].map((raw, i) => makeStint(raw, i + 1)).filter(Boolean);
    this.lastPass = typeof lastPass === 'number' ? lastPass : null;
    this.numberLaps();
    this.timeLaps();
    this.findStops();
  }

  // A stint ends with its last lap, so that is where its laps are counted from.
  numberLaps() {
    this.laps = [];
    let before = 0;
    this.best = null;
    for (const stint of this.stints) {
      const first = Math.max(before + 1, stint.endLap - stint.raw.length + 1);
      stint.laps = stint.raw.map(([time, flag], i) => ({
        lap: first + i,
        time,
        flag: Number.isInteger(flag) ? flag : 0,
        stint,
        at: null,
        isOut: i === 0 && stint.n > 1,
        isIn: !stint.running && i === stint.raw.length - 1,
      }));
      delete stint.raw;
      for (const lap of stint.laps) this.laps.push(lap);
      before = Math.max(before, first + stint.laps.length - 1);
      if (stint.best !== null && (this.best === null || stint.best < this.best)) this.best = stint.best;
    }
    this.lapCount = this.laps.length > 0 ? this.laps[this.laps.length - 1].lap : 0;
  }

  // When each lap was completed: back from the last one. Where laps have no time, what is
  // known of the stops sets it right.
  timeLaps() {
    const last = this.laps[this.laps.length - 1];
    if (!last) return;
    let at = this.lastPass ?? last.stint.to ?? last.stint.from;
    for (let i = this.laps.length - 1; i >= 0; i--) {
      const lap = this.laps[i];
      lap.at = at;
      at -= lap.time;
      const earlier = this.laps[i - 1];
      if (!earlier || earlier.stint === lap.stint) continue;
      const latest = lap.stint.from;
      const earliest = (earlier.stint.to ?? latest) - earlier.time * SLOW;
      if (at > latest) at = latest;
      else if (at < earliest) at = earlier.stint.to ?? latest;
    }
  }

  findStops() {
    this.stops = [];
    for (let i = 1; i < this.stints.length; i++) {
      const [before, after] = [this.stints[i - 1], this.stints[i]];
      if (before.to === null) continue;
      this.stops.push({
        n: i,
        lap: before.endLap,
        at: before.to,
        duration: Math.max(0, after.from - before.to),
        from: this.driverName(before.driver),
        to: this.driverName(after.driver),
      });
    }
    const last = this.stints[this.stints.length - 1];
    // where the car is now, or where it ended
    this.inPitSince = last && !last.running ? last.to : null;
  }

  // So far, when it runs.
  stintSeconds({ running, from, to }, now) {
    return Math.max(0, (running ? Math.max(to ?? 0, now ?? 0) : to ?? from) - from);
  }

  // Totals of each driver, in order of appearance.
  driverTotals(now) {
    const totals = new Map();
    for (const stint of this.stints) {
      const key = stint.driver;
      if (!totals.has(key)) totals.set(key, { driver: this.driverName(key), stints: 0, laps: 0, yellow: 0, seconds: 0, best: null, sum: 0, counted: 0, longest: 0 });
      const total = totals.get(key);
      const seconds = this.stintSeconds(stint, now);
      total.stints++;
      total.laps += stint.laps.length;
      total.yellow += stint.laps.filter(({ flag }) => flag >= YELLOW).length;
      total.seconds += seconds;
      total.longest = Math.max(total.longest, seconds);
      if (stint.best !== null && (total.best === null || stint.best < total.best)) total.best = stint.best;
      for (const lap of stint.laps) {
        if (lap.isIn || lap.isOut || lap.flag >= YELLOW) continue;
        total.sum += lap.time;
        total.counted++;
      }
    }
    const all = [...totals.values()].reduce((sum, { seconds }) => sum + seconds, 0);
    return [...totals.values()].map((total) => ({
      ...total,
      average: total.counted > 0 ? total.sum / total.counted : null,
      share: all > 0 ? total.seconds / all : 0,
    }));
  }

  // Of green laps that touch no pit stop.
  greenLaps() {
    return this.laps.filter(({ isIn, isOut, flag }) => !isIn && !isOut && flag < YELLOW);
  }
}

export function median(values) {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function mean(values) {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

// Positions and gaps among some cars. Index of the arrays is the lap; NaN: not completed.
export class Field {
  constructor(cars) {
    this.cars = cars;
    this.lapMax = cars.reduce((most, car) => Math.max(most, car.lapCount), 0);
    const length = this.lapMax + 1;
    const blank = () => new Float64Array(length).fill(NaN);
    this.of = new Map(cars.map((car) => [car.num, { at: blank(), position: blank(), gap: blank(), front: blank() }]));
    this.leaderAt = blank();
    this.leader = new Array(length).fill(null);
    for (const car of cars) {
      const { at } = this.of.get(car.num);
      for (const lap of car.laps) at[lap.lap] = lap.at;
    }
    for (let lap = 1; lap < length; lap++) this.rank(lap);
  }

  rank(lap) {
    const done = [];
    for (const car of this.cars) {
      const each = this.of.get(car.num);
      if (!Number.isNaN(each.at[lap])) done.push({ at: each.at[lap], each, car });
    }
    if (done.length === 0) return;
    done.sort((a, b) => a.at - b.at);
    this.leaderAt[lap] = done[0].at;
    this.leader[lap] = done[0].car;
    done.forEach(({ at, each }, i) => {
      each.position[lap] = i + 1;
      each.gap[lap] = at - done[0].at;
      each.front[lap] = i === 0 ? 0 : at - done[i - 1].at;
    });
  }

  // Where the leader was at a time, in laps and parts of a lap.
  lapAt(time) {
    let low = 1;
    let high = this.lapMax + 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      // laps that nobody has a time for are before those that somebody has
      if (Number.isNaN(this.leaderAt[middle]) || this.leaderAt[middle] <= time) low = middle + 1;
      else high = middle;
    }
    const before = this.leaderAt[low - 1];
    const after = this.leaderAt[low];
    if (low > this.lapMax) return this.lapMax;
    if (Number.isNaN(before ?? NaN)) return low - 1;
    return low - 1 + (time - before) / Math.max(1e-3, after - before);
  }

  // [{ car, laps }]: who led how many, in order of that.
  lapsLed() {
    const led = new Map();
    for (const car of this.leader) if (car) led.set(car, (led.get(car) ?? 0) + 1);
    return [...led].map(([car, laps]) => ({ car, laps })).sort((a, b) => b.laps - a.laps);
  }

  leadChanges() {
    let changes = 0;
    let last = null;
    for (const car of this.leader) {
      if (!car) continue;
      if (last && last !== car) changes++;
      last = car;
    }
    return changes;
  }
}

export class AnalysisModel {
  constructor() {
    this.data = {};
    this.known = new Map(); // number -> { car, what it was made of }
    this.version = 0;
    this.fields = new Map();
  }

  replace(data) {
    this.data = {};
    for (const part of PARTS) if (data?.[part] && typeof data[part] === 'object') this.data[part] = data[part];
    this.changed();
  }

  // key: of a topic, 'session' or 'lap/7'.
  merge(key, payload) {
    const part = String(key).split('/')[0];
    if (!PARTS.includes(part) || payload === null || typeof payload !== 'object') return;
    this.data[part] = part === 'session' || part === 'messages' ? payload : { ...this.data[part], ...payload };
    this.changed();
  }

  changed() {
    this.version++;
    this.ordered = null;
    this.fields.clear();
  }

  get isEmpty() {
    return Object.keys(this.data.static ?? {}).length === 0 && Object.keys(this.data.lap ?? {}).length === 0;
  }

  // A car is made again only when its own data changed.
  carOf(num) {
    const sources = ['static', 'driver', 'lap', 'stint', 'car_messages'].map((part) => this.data[part]?.[num]);
    const known = this.known.get(num);
    if (known && sources.every((source, i) => source === known.sources[i])) return known.car;
    const car = new Car(num);
    const [fixed, drivers, lap, stints, messages] = sources;
    [car.cls, car.team, car.model] = [0, 1, 2].map((i) => textOf(list(fixed)[i]));
    car.drivers = list(drivers);
    car.messages = list(messages);
    car.setStints(stints, lap);
    this.known.set(num, { car, sources });
    return car;
  }

  get cars() {
    if (this.ordered) return this.ordered;
    const numbers = new Set([...Object.keys(this.data.static ?? {}), ...Object.keys(this.data.lap ?? {})]);
    this.ordered = [...numbers].map((num) => this.carOf(num));
    this.ordered.sort((a, b) => b.lapCount - a.lapCount || (a.laps[a.laps.length - 1]?.at ?? Infinity) - (b.laps[b.laps.length - 1]?.at ?? Infinity));
    return this.ordered;
  }

  get classes() {
    const seen = new Set(this.cars.map(({ cls }) => cls).filter(Boolean));
    return [...seen];
  }

  field(cls = null) {
    if (!this.fields.has(cls)) this.fields.set(cls, new Field(cls === null ? this.cars : this.cars.filter((car) => car.cls === cls)));
    return this.fields.get(cls);
  }

  get now() {
    return this.data.session?.currentTimestamp ?? null;
  }

  // [{ flag, name, startLap, from, endLap, to }]; the current one ends now.
  get periods() {
    return list(this.data.session?.flagStats).filter(Array.isArray).map(([flag, startLap, from, endLap, to]) => ({
      flag,
      name: FLAGS[flag] ?? 'none',
      startLap: startLap ?? 0,
      from,
      endLap: endLap ?? this.data.session?.leaderLap ?? startLap ?? 0,
      to: to ?? Math.max(this.now ?? from, from),
      isCurrent: to === null || to === undefined,
    }));
  }

  // Periods in laps of a field, those that matter in a chart of laps.
  bands(field) {
    return this.periods
      .filter(({ flag }) => flag > 1)
      .map((period) => ({ ...period, x0: field.lapAt(period.from), x1: field.lapAt(period.to) }))
      .filter(({ x0, x1 }) => x1 > x0);
  }

  // Totals by flag, the longest first: [{ flag, name, periods, seconds, laps, share }].
  flagTotals() {
    const totals = new Map();
    for (const period of this.periods) {
      const total = totals.get(period.flag) ?? { flag: period.flag, name: period.name, periods: 0, seconds: 0, laps: 0 };
      total.periods++;
      total.seconds += Math.max(0, period.to - period.from);
      total.laps += Math.max(0, period.endLap - period.startLap);
      totals.set(period.flag, total);
    }
    const all = [...totals.values()].reduce((sum, { seconds }) => sum + seconds, 0);
    return [...totals.values()].map((total) => ({ ...total, share: all > 0 ? total.seconds / all : 0 })).sort((a, b) => b.seconds - a.seconds);
  }
}
