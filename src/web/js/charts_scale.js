// Scales of charts. Pure.

// About `count` round values from `from` to `to`. integer: whole numbers alone.
export function ticks(from, to, count, { integer = false, time = false } = {}) {
  const span = to - from;
  if (!(span > 0) || !Number.isFinite(span)) return [from];
  const steps = time ? [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400] : null;
  let step = span / Math.max(1, count);
  if (steps) {
    step = steps.find((each) => each >= step) ?? Math.ceil(step / 3600) * 3600;
  } else {
    const size = 10 ** Math.floor(Math.log10(step));
    step = ([1, 2, 5, 10].find((each) => each * size >= step * 0.999) ?? 10) * size;
  }
  if (integer) step = Math.max(1, Math.round(step));
  const found = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + step * 1e-9; n++) found.push(Number((n * step).toFixed(6)));
  return found;
}

// Labels moved as little as needed so that none lie over each other: [{ y, ... }] gets `at`.
export function spread(labels, height, least, greatest) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  let free = least;
  for (const label of sorted) {
    label.at = Math.max(label.y, free);
    free = label.at + height;
  }
  let limit = greatest;
  for (const label of sorted.reverse()) {
    label.at = Math.min(label.at, limit);
    limit = label.at - height;
  }
  return labels;
}

// Range of values around the bulk of them: few that are far off do not flatten the rest.
export function bulk(values, { low = 0.01, high = 0.95, margin = 0.08 } = {}) {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
  if (sorted.length === 0) return null;
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(part * (sorted.length - 1))))];
  const [from, to] = [at(low), at(high)];
  const room = Math.max((to - from) * margin, Math.abs(to) * 1e-4, 1e-3);
  return { from: from - room, to: to + room };
}
