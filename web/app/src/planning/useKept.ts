import { useRef } from 'react'

/**
 * The chosen row, kept while its drawer is open.
 *
 * When somebody else settles it, it leaves the list: the drawer then shows what it was, and says so.
 */
export function useKept<T>(found: T | undefined, chosen: string | undefined): { row: T | undefined; gone: boolean } {
  const kept = useRef<{ chosen: string; row: T }>(undefined)
  if (chosen !== undefined && found !== undefined) kept.current = { chosen, row: found }
  if (chosen === undefined) return { row: undefined, gone: false }
  const row = found ?? (kept.current?.chosen === chosen ? kept.current.row : undefined)
  return { row, gone: found === undefined && row !== undefined }
}
