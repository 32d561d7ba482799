// When cars completed laps, as the newest states tell it: what the TV delay is
// measured against. Pure.
const KEPT = 40; // crossings of a car

export class LapTracker {
  constructor() {
    this.crossings = new Map(); // number -> [{ lap, at }] ascending
    this.laps = new Map(); // number -> laps completed
    this.leaderLaps = []; // [{ lap, at }]: the most laps of any car, at each new one
    this.most = null;
  }

  // index: column title -> place; at: unix seconds.
  observe(state, index, at) {
    const numberAt = index.Num;
    const lapsAt = index.Laps ?? index.Lap;
    if (numberAt === undefined || lapsAt === undefined) return;
    for (const car of state.cars ?? []) {
      if (!Array.isArray(car)) continue;
      const number = String(car[numberAt] ?? '');
      const laps = Number(car[lapsAt]);
      if (number === '' || !Number.isFinite(laps)) continue;
      const before = this.laps.get(number);
      this.laps.set(number, laps);
      if (before !== undefined && laps > before) this.add(number, laps, at);
      if (this.most === null || laps > this.most) {
        if (this.most !== null) this.leaderLaps = [...this.leaderLaps, { lap: laps, at }].slice(-KEPT);
        this.most = laps;
      }
    }
  }

  add(number, lap, at) {
    const list = this.crossings.get(number) ?? [];
    list.push({ lap, at });
    if (list.length > KEPT) list.shift();
    this.crossings.set(number, list);
  }

  // number null: the leader, whoever it is.
  list(number = null) {
    return number === null ? this.leaderLaps : this.crossings.get(number) ?? [];
  }

  // The delay of somebody who sees the car complete this lap at the moment `now`; null when it is not known.
  delayFor(number, lap, now) {
    const found = this.list(number).find((crossing) => crossing.lap === lap);
    return found && now >= found.at ? now - found.at : null;
  }
}
