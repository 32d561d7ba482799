// Finding cars by what is typed: number, driver, team, car, class. Pure.

const TITLES = ['Num', 'Driver', 'Team', 'Car', 'Class'];

// Without accents and case: "Perez" finds "Pérez".
export function fold(text) {
  return String(text ?? '').normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();
}

// Keys of the rows that fit, in their order; a number that is typed exactly comes first.
// rows: [{ key, car }], index: title -> place in the row. null: nothing was typed.
export function findCars(rows, index, query) {
  const wanted = fold(query).replace(/^#/, '');
  if (wanted === '') return null;
  const places = TITLES.map((title) => index[title]).filter((i) => i !== undefined);
  const found = rows.filter(({ car }) => places.some((i) => fold(Array.isArray(car[i]) ? car[i][0] : car[i]).includes(wanted)));
  const exact = (row) => fold(row.car[index.Num]) === wanted;
  return [...found.filter(exact), ...found.filter((row) => !exact(row))].map(({ key }) => key);
}
