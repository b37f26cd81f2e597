const STORE = 'tenon.recent'
const MOST = 6

/** What was last searched for in this browser, newest first. */
export function recentSearches(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORE) ?? '[]')
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string').slice(0, MOST) : []
  } catch {
    return []
  }
}

/** Puts a search at the front of the recent ones. */
export function rememberSearch(query: string): void {
  try {
    const rest = recentSearches().filter((one) => one !== query)
    localStorage.setItem(STORE, JSON.stringify([query, ...rest].slice(0, MOST)))
  } catch {
    // Without storage there are simply no recent searches.
  }
}

/** Forgets them, as when somebody signs out of a shared computer. */
export function forgetSearches(): void {
  try {
    localStorage.removeItem(STORE)
  } catch {
    // Nothing was kept.
  }
}
