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

// A message's unix seconds (or milliseconds, as other writers have it) as local time.
export function timeOfDay(time) {
  const date = new Date(time > 1e11 ? time : time * 1000);
  return date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
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
  const known = FLAGS[String(name ?? 'none').toLowerCase()];
  return known ? { text: known[0], style: known[1] } : { text: String(name), style: 'none' };
}

const TIME_FLAGS = { pb: 'Personal best', sb: 'Overall best', 'sb-new': 'Overall best, just set', old: 'Earlier lap' };

// What to show for a cell of a column type: { text, className, title }.
export function cell(value, type) {
  if (Array.isArray(value)) {
    const [time, flagName = ''] = value;
    const style = flagName in TIME_FLAGS ? `time-${flagName}` : '';
    return { text: time === '' || time == null ? '' : lapTime(time), className: style, title: TIME_FLAGS[flagName] ?? '' };
  }
  if (value === null || value === undefined) return { text: '', className: '', title: '' };
  if (typeof value === 'number' && (type === 'time' || type === 'laptime' || type === 'delta')) {
    return { text: type === 'delta' && value === 0 ? '' : lapTime(value), className: '', title: '' };
  }
  if (typeof value === 'object') return { text: JSON.stringify(value), className: '', title: '' };
  return { text: String(value), className: '', title: '' };
}
