import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import type { SourceState } from '../api/types'

/** A source as the list of sources knows it. */
export function useSource(code: string): SourceState | undefined {
  const sources = useQuery({ queryKey: ['sources'], queryFn: () => answer(api.GET('/api/sources')) })
  return sources.data?.find((source) => source.code === code)
}
