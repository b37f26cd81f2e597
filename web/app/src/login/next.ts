/** A path of this app to go to after signing in; anything else leads home. */
export function safeNext(value: string | null): string {
  if (value === null || !value.startsWith('/')) return '/'
  try {
    const base = 'http://app.invalid'
    const url = new URL(value, base)
    const path = url.pathname + url.search
    return url.origin === base && !path.startsWith('//') && !path.startsWith('/login') ? path : '/'
  } catch {
    return '/'
  }
}
