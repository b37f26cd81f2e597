import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Refresher } from './refresher'

const NOTICE = new Set(['notice'])
let queries: QueryClient
let refresher: Refresher

/** A query that somebody looks at; counts how often it was read. */
function watched(name: string, read: () => Promise<unknown> = () => Promise.resolve(1)) {
  const queryFn = vi.fn(read)
  new QueryObserver(queries, { queryKey: [name], queryFn, staleTime: Infinity, retry: false }).subscribe(() => undefined)
  return queryFn
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', { hidden: false })
  queries = new QueryClient()
  refresher = new Refresher(queries)
})

afterEach(() => {
  queries.clear()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('reading again what has changed', () => {
  it('happens at once, and only where it matters', async () => {
    const notices = watched('notices')
    const users = watched('users')
    await vi.advanceTimersByTimeAsync(0)
    refresher.changed(NOTICE)
    await vi.advanceTimersByTimeAsync(0)
    expect([notices.mock.calls.length, users.mock.calls.length]).toEqual([2, 1])
  })

  it('happens about once a second however often something changes, and once more at the end', async () => {
    const notices = watched('notices')
    await vi.advanceTimersByTimeAsync(0)
    for (let at = 0; at < 50; at += 1) {
      refresher.changed(NOTICE)
      await vi.advanceTimersByTimeAsync(100)
    }
    await vi.advanceTimersByTimeAsync(2_000)
    const calls = notices.mock.calls.length
    expect(calls).toBeGreaterThanOrEqual(5)
    expect(calls).toBeLessThanOrEqual(8)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(notices).toHaveBeenCalledTimes(calls)
  })

  it('lets a reading under way end and reads once more: its answer may be from before', async () => {
    let finish: (value: unknown) => void = () => undefined
    const notices = watched('notices', () => new Promise((done) => (finish = done)))
    await vi.advanceTimersByTimeAsync(0)
    refresher.changed(NOTICE)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(notices).toHaveBeenCalledTimes(1)
    finish('old')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(notices).toHaveBeenCalledTimes(2)
  })

  it('goes on after a reading that failed', async () => {
    const notices = watched('notices', () => Promise.reject(new Error('away')))
    await vi.advanceTimersByTimeAsync(0)
    refresher.changed(NOTICE)
    await vi.advanceTimersByTimeAsync(1_500)
    refresher.changed(NOTICE)
    await vi.advanceTimersByTimeAsync(0)
    expect(notices).toHaveBeenCalledTimes(3)
  })

  it('only marks a hidden page as old', async () => {
    const notices = watched('notices')
    await vi.advanceTimersByTimeAsync(0)
    vi.stubGlobal('document', { hidden: true })
    refresher.changed(NOTICE)
    await vi.advanceTimersByTimeAsync(0)
    expect(notices).toHaveBeenCalledTimes(1)
    expect(queries.getQueryState(['notices'])?.isInvalidated).toBe(true)
  })
})
