// Numbers as people read them, the same everywhere on the page.

/** Four digits, or as many as a whole number has. @param {number | null | undefined} value */
export function shown(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "none";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "-infinite";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return grouped(value);
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A whole number with commas. @param {number} value */
export function grouped(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A fraction as a percentage. @param {number | null} value */
export const percent = value => (value === null ? "none" : `${Number((100 * value).toPrecision(3))} %`);
