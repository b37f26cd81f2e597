import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Refresher } from './refresher'

const OPERATION = new Set(['record:operation'])
const looked = { hidden: false }

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', looked)
  looked.hidden = false
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A page that shows a query, and how often the query was read. */
async function page(key: string, lasts = 10) {
  const queries = new QueryClient({ defaultOptions: { queries: { networkMode: 'always', staleTime: 2_000 } } })
  const read = vi.fn(async () => {
    await new Promise((done) => setTimeout(done, lasts))
    return read.mock.calls.length
  })
  const observer = new QueryObserver(queries, { queryKey: [key], queryFn: read })
  observer.subscribe(() => undefined)
  await vi.advanceTimersByTimeAsync(lasts)
  return { refresher: new Refresher(queries), read, shown: () => observer.getCurrentResult().data }
}

describe('reading again', () => {
  it('is at once, for what the topic touches', async () => {
    const { refresher, read, shown } = await page('order')
    refresher.changed(new Set(['notice']))
    await vi.advanceTimersByTimeAsync(50)
    expect(read).toHaveBeenCalledTimes(1)
    refresher.changed(OPERATION)
    await vi.advanceTimersByTimeAsync(50)
    expect(shown()).toBe(2)
  })

  it('is about once a second, however many changes there are', async () => {
    const { refresher, read } = await page('order')
    for (let at = 0; at < 100; at += 1) {
      refresher.changed(OPERATION)
      await vi.advanceTimersByTimeAsync(50)
    }
    expect(read.mock.calls.length).toBeGreaterThanOrEqual(5)
    expect(read.mock.calls.length).toBeLessThanOrEqual(7)
  })

  it('lets a slow answer end, and asks once more for what changed meanwhile', async () => {
    const { refresher, read, shown } = await page('board', 3_000)
    refresher.changed(OPERATION)
    for (let at = 0; at < 8; at += 1) {
      await vi.advanceTimersByTimeAsync(1_000)
      refresher.changed(OPERATION)
    }
    expect(shown()).toBe(2)
    await vi.advanceTimersByTimeAsync(30_000)
    const calls = read.mock.calls.length
    expect(shown()).toBe(calls)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(read).toHaveBeenCalledTimes(calls)
  })

  it('waits until somebody looks', async () => {
    const { refresher, read } = await page('order')
    looked.hidden = true
    refresher.changed(OPERATION)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(read).toHaveBeenCalledTimes(1)
  })
})
