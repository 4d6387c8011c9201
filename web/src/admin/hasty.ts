/* A column closes up when an order leaves it, and the next order's button comes to lie under the
 * finger: the second tap of a double tap, or the repeat of a held key, must not move that one, too.
 * Nor must the tap of a cook who aimed at an order that another cook has just moved on. */
const SOON_MS = 500;
const NEAR_PX = 48;

let last = { at: -SOON_MS, x: 0, y: 0 };

/* Whether this press follows so soon, at the same place, that it was not aimed at what is there
 * now. */
export function isHasty({ timeStamp, clientX, clientY, detail }: MouseEvent): boolean {
  const isKey = detail === 0; // the focus goes along, wherever that is
  const near = isKey
    || (Math.abs(clientX - last.x) < NEAR_PX && Math.abs(clientY - last.y) < NEAR_PX);
  const hasty = near && timeStamp - last.at < SOON_MS;
  last = { at: timeStamp, x: clientX, y: clientY };
  return hasty;
}

const AIM_MS = 350; // from the eye to the finger

const movedAt = new Map<number, number>(); // by order

/* What a column shows now, and showed before, from above: what lies elsewhere than before is
 * noted. */
export function noteColumn(before: number[], now: number[], time: number) {
  const first = now.findIndex((id, i) => before[i] !== id);
  const had = new Set(before);
  for (const id of first < 0 ? [] : now.slice(first).filter((each) => had.has(each)))
    movedAt.set(id, time);
  for (const id of before.filter((each) => !now.includes(each)))
    movedAt.delete(id);
}

/* Whether the order has only just come to lie under the finger. */
export function hasJustMoved(id: number, { timeStamp, detail }: MouseEvent): boolean {
  return detail !== 0 && timeStamp - (movedAt.get(id) ?? -AIM_MS) < AIM_MS;
}
