import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Live, topicsOf, wait } from './live'

const CONNECTING = 0
const OPEN = 1
const CLOSED = 2

/** What the browser gives: an event source that a test speaks for. */
class Source extends EventTarget {
  static readonly made: Source[] = []
  readyState = CONNECTING
  constructor() {
    super()
    Source.made.push(this)
  }
  close(): void {
    this.readyState = CLOSED
  }
  hello(): void {
    this.readyState = OPEN
    this.dispatchEvent(new Event('hello'))
  }
  say(topics: unknown): void {
    this.dispatchEvent(new MessageEvent('changed', { data: JSON.stringify({ topics }) }))
  }
  breaks(state: number): void {
    this.readyState = state
    this.dispatchEvent(new Event('error'))
  }
}

const last = (): Source => Source.made[Source.made.length - 1]!

function listening() {
  const live = new Live(() => new Source() as unknown as EventSource)
  const hearer = { changed: vi.fn(), rejoined: vi.fn(), refused: vi.fn() }
  live.start(hearer)
  return { live, hearer }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', { CONNECTING, OPEN, CLOSED })
  Source.made.length = 0
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the live stream', () => {
  it('hands on topics, and takes its first hello for no news', () => {
    const { live, hearer } = listening()
    expect(live.current()).toBe('joining')
    last().hello()
    expect(live.current()).toBe('on')
    last().say(['record:operation', 7])
    expect(hearer.changed).toHaveBeenCalledWith(new Set(['record:operation']))
    expect(hearer.rejoined).not.toHaveBeenCalled()
  })

  it('says that anything may have changed once it has joined again', () => {
    const { live, hearer } = listening()
    last().hello()
    last().breaks(CONNECTING)
    expect(live.current()).toBe('lost')
    expect(Source.made).toHaveLength(1)
    last().hello()
    expect(live.current()).toBe('on')
    expect(hearer.rejoined).toHaveBeenCalledTimes(1)
  })

  it('asks again by itself, later and later, when it was turned away', () => {
    const { live, hearer } = listening()
    last().breaks(CLOSED)
    expect(hearer.refused).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(1_000)
    expect(Source.made).toHaveLength(1)
    vi.advanceTimersByTime(2_000)
    expect(Source.made).toHaveLength(2)
    expect(live.current()).toBe('lost')
    last().breaks(CLOSED)
    vi.advanceTimersByTime(2_500)
    expect(Source.made).toHaveLength(2)
    vi.advanceTimersByTime(3_000)
    expect(Source.made).toHaveLength(3)
  })

  it('gives its connection back while nobody looks, and catches up afterwards', () => {
    const { live, hearer } = listening()
    last().hello()
    live.looked(true)
    vi.advanceTimersByTime(5_000)
    live.looked(false)
    vi.advanceTimersByTime(60_000)
    expect(live.current()).toBe('on')
    live.looked(true)
    vi.advanceTimersByTime(10_000)
    expect([live.current(), last().readyState]).toEqual(['off', CLOSED])
    live.looked(false)
    last().hello()
    expect(Source.made).toHaveLength(2)
    expect(hearer.rejoined).toHaveBeenCalledTimes(1)
  })

  it('starts anew when the network is back, and hears no more of the old stream', () => {
    const { live, hearer } = listening()
    const old = last()
    old.hello()
    live.restart()
    old.breaks(CLOSED)
    expect(hearer.refused).not.toHaveBeenCalled()
    last().hello()
    expect(live.current()).toBe('on')
    expect(hearer.rejoined).toHaveBeenCalledTimes(1)
  })

  it('is silent once nobody is signed in', () => {
    const { live, hearer } = listening()
    last().breaks(CLOSED)
    live.stop()
    live.restart()
    live.looked(false)
    vi.advanceTimersByTime(600_000)
    expect(Source.made).toHaveLength(1)
    expect(hearer.rejoined).not.toHaveBeenCalled()
    expect(live.current()).toBe('off')
  })
})

describe('its parts', () => {
  it('reads topics, and nothing from what is not as it should be', () => {
    expect(topicsOf('{"topics":["task"]}')).toEqual(new Set(['task']))
    for (const data of ['', '{', '{}', '{"topics":3}', 'null', undefined]) expect(topicsOf(data)).toEqual(new Set())
  })

  it('never waits longer than a little over a minute', () => {
    expect(wait(0, 0.5)).toBe(2_000)
    expect(wait(3, 0.5)).toBe(16_000)
    expect(wait(50, 1)).toBe(75_000)
  })
})
