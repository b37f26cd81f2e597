/** Small things the page remembers. A browser that keeps nothing is asked again after each reload. */

const own = new Map<string, string>()

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(name) ?? own.get(name) ?? null
  } catch {
    return own.get(name) ?? null
  }
}

export function remember(name: string, value: string): void {
  own.set(name, value)
  try {
    localStorage.setItem(name, value)
  } catch {
    // It is remembered as long as the page is open.
  }
}
