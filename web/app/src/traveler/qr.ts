/**
 * A drawn code as the address of a picture.
 *
 * As a picture nothing in it can run, whatever it says; the page's policy allows `data:` there.
 */
export function pictureOf(svg: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`
}

const HERE = /^(localhost|.*\.localhost|127\.[0-9.]+|\[::1\]|0\.0\.0\.0)$/

/** Whether a phone on the shop floor cannot reach an address, because it means the server itself. */
export function onlyHere(url: string): boolean {
  try {
    return HERE.test(new URL(url).hostname)
  } catch {
    return true
  }
}
