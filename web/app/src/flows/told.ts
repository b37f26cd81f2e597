function plain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** A value of a run's data as text: a list a line each, anything deeper as JSON; null for nothing. */
export function told(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null
  if (plain(value)) return String(value)
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    if (value.every(plain)) return value.map(String).join('\n')
    return value.map((one) => (plain(one) ? String(one) : JSON.stringify(one))).join('\n')
  }
  return JSON.stringify(value, null, 1)
}
