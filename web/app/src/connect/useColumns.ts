import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { tablesOf } from './calls'
import type { Preview } from './types'

export type SeenColumn = { name: string; comment: string | null; values: string[] }

const ENOUGH = 30

/** The columns of a table, with the values seen in the rows of the preview. */
export function useColumns(source: string, table: string, seen: Preview | undefined): SeenColumn[] {
  const list = useQuery({
    queryKey: ['source-tables', source, table, 1],
    queryFn: () => tablesOf(source, table, 1),
    staleTime: 60_000,
  })
  const found = list.data?.tables.find((one) => one.name === table)
  return useMemo(() => {
    const columns = new Map<string, SeenColumn>()
    for (const { name, comment } of found?.columns ?? []) columns.set(name, { name, comment, values: [] })
    for (const row of seen?.rows ?? []) {
      for (const [name, value] of row.source) {
        const column = columns.get(name) ?? { name, comment: null, values: [] }
        columns.set(name, column)
        if (value !== null && column.values.length < ENOUGH && !column.values.includes(value)) column.values.push(value)
      }
    }
    return [...columns.values()]
  }, [found, seen])
}
