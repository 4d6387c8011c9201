/* A column closes up when an order leaves it, and the next order's button comes to lie under the
 * finger: the second tap of a double tap, or the repeat of a held key, must not move that one, too. */
const SOON_MS = 500;
const NEAR_PX = 48;

let last = { at: -SOON_MS, x: 0, y: 0 };

/* Whether this press follows so soon, at the same place, that it was not aimed at what is there now. */
export function isHasty({ timeStamp, clientX, clientY, detail }: MouseEvent): boolean {
  const isKey = detail === 0; // the focus goes along, wherever that is
  const near = isKey
    || (Math.abs(clientX - last.x) < NEAR_PX && Math.abs(clientY - last.y) < NEAR_PX);
  const hasty = near && timeStamp - last.at < SOON_MS;
  last = { at: timeStamp, x: clientX, y: clientY };
  return hasty;
}
