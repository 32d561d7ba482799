// Texts of times, gaps and clocks. Pure functions.

// 83.4 -> "1:23.400"
export function lapTime(seconds) {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return String(seconds ?? '');
  const negative = seconds < 0;
  const ms = Math.round(Math.abs(seconds) * 1000);
  const minutes = Math.floor(ms / 60000);
  const rest = ((ms % 60000) / 1000).toFixed(3);
  const text = minutes > 0 ? `${minutes}:${rest.padStart(6, '0')}` : rest;
  return negative ? `-${text}` : text;
}

// 3725 -> "1:02:05"
export function clock(seconds) {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value) => String(value).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
}

// Made once: making one takes longer than all else that an update does.
const TIME_OF_DAY = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

// A message's unix seconds (or milliseconds, as other writers have it) as local time.
export function timeOfDay(time) {
  const date = new Date(time > 1e11 ? time : time * 1000);
  return Number.isNaN(date.getTime()) ? '' : TIME_OF_DAY.format(date);
}

const FLAGS = {
  none: ['', 'none'],
  green: ['Green flag', 'green'],
  white: ['Final lap', 'white'],
  chequered: ['Chequered flag', 'chequered'],
  yellow: ['Yellow flag', 'yellow'],
  fcy: ['Full course yellow', 'yellow'],
  code_60: ['Code 60', 'code60'],
  vsc: ['Virtual safety car', 'yellow'],
  sc: ['Safety car', 'yellow'],
  caution: ['Caution', 'yellow'],
  red: ['Red flag', 'red'],
  slow_zone: ['Slow zone', 'yellow'],
  code_60_zone: ['Code 60 zone', 'code60'],
};

// { text, style } of a flag name; an unknown name is shown as it is.
export function flag(name) {
  const key = String(name ?? 'none').toLowerCase();
  const known = Object.hasOwn(FLAGS, key) ? FLAGS[key] : null;
  return known ? { text: known[0], style: known[1] } : { text: String(name), style: 'none' };
}

const TIME_FLAGS = { pb: 'Personal best', sb: 'Overall best', 'sb-new': 'Overall best, just set', old: 'Earlier lap' };

// What to show for a cell of a column type: { text, className, title }.
export function cell(value, type) {
  if (Array.isArray(value)) {
    const [time, flagName = ''] = value;
    const isKnown = Object.hasOwn(TIME_FLAGS, flagName);
    const style = isKnown ? `time-${flagName}` : '';
    return { text: time === '' || time == null ? '' : lapTime(time), className: style, title: isKnown ? TIME_FLAGS[flagName] : '' };
  }
  if (value === null || value === undefined) return { text: '', className: '', title: '' };
  if (typeof value === 'number' && (type === 'time' || type === 'laptime' || type === 'delta')) {
    return { text: type === 'delta' && value === 0 ? '' : lapTime(value), className: '', title: '' };
  }
  if (typeof value === 'object') return { text: JSON.stringify(value), className: '', title: '' };
  return { text: String(value), className: '', title: '' };
}

// 5400 -> "1 h 30 min"
export function duration(seconds) {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) return '–';
  const minutes = Math.round(seconds / 60);
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

// Time to go: "in 3 days", "in 5 h 10 min", "in 4:59", "now".
export function until(seconds) {
  if (!Number.isFinite(seconds)) return '';
  if (seconds <= 0) return 'now';
  if (seconds >= 2 * 86400) return `in ${Math.floor(seconds / 86400)} days`;
  if (seconds >= 3600) return `in ${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `in ${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, '0')}`;
}

// 45.5 -> "45.5 s", 125 -> "2:05.0"
export function delayText(seconds) {
  const tenths = Math.round(seconds * 10) / 10;
  if (tenths < 60) return `${tenths.toFixed(1)} s`;
  return `${Math.floor(tenths / 60)}:${(tenths % 60).toFixed(1).padStart(4, '0')}`;
}
