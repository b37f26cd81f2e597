import { QueryClient } from '@tanstack/react-query'
import { Failure } from './failure'

/** A client that tries again only where trying again can help. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        refetchOnWindowFocus: true,
        networkMode: 'always',
        retry: (count, error) =>
          count < 2 && error instanceof Failure && (error.status === 503 || error.status === 429),
        retryDelay: (_, error) =>
          error instanceof Failure && error.retryAfter !== null ? error.retryAfter * 1000 : 2_000,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  })
}
