import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Live, topicsOf, wait, type Hearer } from './live'

const CONNECTING = 0
const CLOSED = 2

/** A stream whose events the test sends. */
class Stream extends EventTarget {
  readyState = CONNECTING
  closed = false

  close(): void {
    this.closed = true
    this.readyState = CLOSED
  }

  say(name: string, data: unknown = {}): void {
    this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }))
  }

  fail(readyState: number): void {
    this.readyState = readyState
    this.dispatchEvent(new Event('error'))
  }
}

let streams: Stream[] = []
let live: Live
let hearer: { [name in keyof Hearer]: ReturnType<typeof vi.fn<Hearer[name]>> }
const last = (): Stream => streams[streams.length - 1] as Stream

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', { CONNECTING, CLOSED })
  streams = []
  live = new Live(() => {
    streams.push(new Stream())
    return last() as unknown as EventSource
  })
  hearer = { changed: vi.fn(), rejoined: vi.fn(), refused: vi.fn() }
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the live stream', () => {
  it('is on once the server said hello, and tells what has changed', () => {
    live.start(hearer)
    expect(live.current()).toBe('joining')
    last().say('hello')
    expect(live.current()).toBe('on')
    last().say('changed', { topics: ['notice', 'record:work_order'] })
    expect(hearer.changed).toHaveBeenCalledWith(new Set(['notice', 'record:work_order']))
    expect(hearer.rejoined).not.toHaveBeenCalled()
  })

  it('is lost while the browser joins again by itself, and then everything may have changed', () => {
    live.start(hearer)
    last().say('hello')
    last().fail(CONNECTING)
    expect(live.current()).toBe('lost')
    last().say('hello')
    expect([live.current(), streams.length]).toEqual(['on', 1])
    expect(hearer.rejoined).toHaveBeenCalledOnce()
    expect(hearer.refused).not.toHaveBeenCalled()
  })

  it('asks again, later each time, after the server turned it away', () => {
    live.start(hearer)
    last().fail(CLOSED)
    expect(hearer.refused).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(1_000)
    expect(streams.length).toBe(1)
    vi.advanceTimersByTime(2_000)
    expect(streams.length).toBe(2)
    expect(live.current()).toBe('lost')
    last().fail(CLOSED)
    vi.advanceTimersByTime(2_900)
    expect(streams.length).toBe(2)
    vi.advanceTimersByTime(2_200)
    expect(streams.length).toBe(3)
  })

  it('hears nothing more of a stream it has left', () => {
    live.start(hearer)
    const first = last()
    first.say('hello')
    live.restart()
    first.fail(CLOSED)
    expect([first.closed, streams.length, live.current()]).toEqual([true, 2, 'joining'])
    expect(hearer.refused).not.toHaveBeenCalled()
  })

  it('gives its connection back when nobody looks, and catches up when somebody does', () => {
    live.start(hearer)
    last().say('hello')
    live.looked(true)
    vi.advanceTimersByTime(9_000)
    live.looked(false)
    vi.advanceTimersByTime(20_000)
    expect([last().closed, streams.length]).toEqual([false, 1])
    live.looked(true)
    vi.advanceTimersByTime(10_000)
    expect([last().closed, live.current()]).toEqual([true, 'off'])
    live.looked(false)
    last().say('hello')
    expect([streams.length, live.current()]).toEqual([2, 'on'])
    expect(hearer.rejoined).toHaveBeenCalledOnce()
  })

  it('stays away after the sign-out', () => {
    live.start(hearer)
    last().fail(CLOSED)
    live.stop()
    vi.advanceTimersByTime(600_000)
    live.looked(false)
    live.restart()
    expect([streams.length, live.current()]).toEqual([1, 'off'])
  })
})

describe('what it reads and how it waits', () => {
  it('takes nothing from data that is not as it should be', () => {
    for (const odd of ['', '{', 'null', '[]', '{"topics":"notice"}', undefined]) expect(topicsOf(odd).size).toBe(0)
    expect(topicsOf('{"topics":["task",3,null]}')).toEqual(new Set(['task']))
  })

  it('doubles up to a minute, give or take a quarter', () => {
    expect([wait(0, 0.5), wait(1, 0.5), wait(4, 0.5)]).toEqual([2_000, 4_000, 32_000])
    expect([wait(50, 0), wait(50, 0.5), wait(50, 1)]).toEqual([45_000, 60_000, 75_000])
  })
})
