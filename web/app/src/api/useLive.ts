import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { away } from './away'
import { live, type LiveState } from './live'
import { Refresher } from './refresher'

const SELDOM = 60_000
const ALL: ReadonlySet<string> = new Set(['*'])

/** Whether changes are told at once. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(live.subscribe, live.current)
}

/** How often to ask anyway: seldom while changes are told, every so often while they are not. */
export function useEvery(every: number, whileLive = SELDOM): number {
  return useLiveState() === 'on' ? Math.max(every, whileLive) : every
}

/** Listens as long as somebody is signed in, and reads again what has changed. */
export function useListening(): void {
  const queries = useQueryClient()
  useEffect(() => {
    const refresher = new Refresher(queries)
    // Who is signed in, and as what, is asked again: an ended session ends the stream.
    const ask = (): void => void queries.invalidateQueries({ queryKey: ['session'] })
    live.start({
      changed: (topics) => refresher.changed(topics),
      rejoined: () => {
        ask()
        refresher.changed(ALL)
      },
      refused: ask,
    })
    const looked = (): void => live.looked(document.hidden)
    const network = (): void => live.restart()
    let gone = away.current()
    const watch = away.subscribe(() => {
      if (gone && !away.current()) live.restart()
      gone = away.current()
    })
    document.addEventListener('visibilitychange', looked)
    window.addEventListener('online', network)
    looked()
    return () => {
      document.removeEventListener('visibilitychange', looked)
      window.removeEventListener('online', network)
      watch()
      live.stop()
    }
  }, [queries])
}
