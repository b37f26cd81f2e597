import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useDebounced } from '../masters/useDebounced'
import { preview } from './calls'
import type { Draft, Preview } from './types'

/** What would become of real rows, asked again whenever the mapping rests. */
export function usePreview(source: string, draft: Draft, allowed: boolean): UseQueryResult<Preview> {
  const rested = useDebounced(draft, 400)
  return useQuery({
    queryKey: ['preview', source, rested],
    queryFn: () => preview(source, rested),
    enabled: allowed,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
  })
}
