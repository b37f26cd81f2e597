import type { Table, Target } from './types'

/** The address of a table's mapping, with the tables that come after it. */
export function mapAddress(source: string, [table, ...then]: string[], target?: string): string {
  const params = new URLSearchParams()
  if (table) params.set('table', table)
  if (target) params.set('target', target)
  for (const one of then) params.append('then', one)
  return `/sources/${encodeURIComponent(source)}/map?${params}`
}

/** Tables in the order in which they should be read: who is referred to goes first. */
export function inOrder(tables: Table[], targets: Target[]): string[] {
  const place = new Map(targets.map((target, index) => [target.entity, (target.master ? 0 : 1000) + index]))
  const of = (table: Table): number => place.get(table.offer?.entity ?? '') ?? 9999
  return [...tables].sort((a, b) => of(a) - of(b)).map((table) => table.name)
}
