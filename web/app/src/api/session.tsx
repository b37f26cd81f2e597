import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, type ReactNode } from 'react'
import { answer, api, setCsrfToken, whenSignedOut } from './client'
import { Failure } from './failure'
import type { Session } from './types'

const KEY = ['session']

type SessionState = {
  session: Session | null
  loading: boolean
  failed: Failure | null
  accept: (session: Session) => void
  end: () => void
}

const Context = createContext<SessionState | null>(null)

async function load(): Promise<Session | null> {
  try {
    const session = await answer(api.GET('/api/session'))
    setCsrfToken(session.csrf_token)
    return session
  } catch (error) {
    if (error instanceof Failure && error.status === 401) return null
    throw error
  }
}

/** Knows who is signed in, and forgets it when the server does. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const query = useQuery({ queryKey: KEY, queryFn: load, staleTime: Infinity, retry: false })
  useEffect(() => whenSignedOut(() => queries.setQueryData(KEY, null)), [queries])
  const state: SessionState = {
    session: query.data ?? null,
    loading: query.isPending,
    failed: query.error instanceof Failure ? query.error : null,
    accept: (session) => {
      setCsrfToken(session.csrf_token)
      queries.setQueryData(KEY, session)
    },
    end: () => {
      queries.clear()
      queries.setQueryData(KEY, null)
    },
  }
  return <Context.Provider value={state}>{children}</Context.Provider>
}

/** The state of the session. */
export function useSessionState(): SessionState {
  const state = useContext(Context)
  if (state === null) throw new Error('useSessionState is used outside SessionProvider')
  return state
}

/** Whether the person signed in may do something. */
export function useCan(): (capability: string) => boolean {
  const { session } = useSessionState()
  return (capability) => session?.can.includes(capability) ?? false
}
