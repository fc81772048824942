export function pathOf(impi) {
  return `/staff/subscribers/${encodeURIComponent(impi)}`;
}
