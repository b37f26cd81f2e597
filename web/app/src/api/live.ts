/** `off`: nobody is signed in, or nobody looks; `joining`: not yet answered; `lost`: broken off. */
export type LiveState = 'off' | 'joining' | 'on' | 'lost'

export type Hearer = {
  /** Something of these topics has changed. */
  changed: (topics: ReadonlySet<string>) => void
  /** Joined again after a break: anything may have changed meanwhile. */
  rejoined: () => void
  /** The server turned the stream away; perhaps the session is over. */
  refused: () => void
}

const FIRST_WAIT = 2_000
const LONGEST_WAIT = 60_000
// A browser opens six connections to a server and no more: a tab that nobody looks at gives its own back.
const HIDDEN_FOR = 10_000

/** How long to wait before asking again, doubling, with a little chance so that not all come at once. */
export function wait(failures: number, chance: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(failures, 10)) * (0.75 + chance / 2)
}

/** The topics in the data of a `changed` event; none when it is not as it should be. */
export function topicsOf(data: unknown): ReadonlySet<string> {
  try {
    const { topics } = JSON.parse(String(data)) as { topics?: unknown }
    return new Set(Array.isArray(topics) ? topics.filter((one) => typeof one === 'string') : [])
  } catch {
    return new Set()
  }
}

/** The one stream on which the server tells this tab that something has changed. */
export class Live {
  private source: EventSource | null = null
  private hearer: Hearer | null = null
  private state: LiveState = 'off'
  private broken = false
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly watchers = new Set<() => void>()

  constructor(private readonly make: () => EventSource) {}

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  readonly current = (): LiveState => this.state

  /** Begin to listen for somebody; ends with `stop`. */
  start(hearer: Hearer): void {
    this.hearer = hearer
    this.broken = false
    this.failures = 0
    this.join()
  }

  /** Nobody is signed in any more. */
  stop(): void {
    this.hearer = null
    this.leave('off')
  }

  /** The tab came to the front or went behind another. */
  looked(hidden: boolean): void {
    if (this.hearer === null) return
    if (!hidden) {
      if (this.source === null) this.join()
      else clearTimeout(this.timer)
    } else {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.rest(), HIDDEN_FOR)
    }
  }

  /** The network is back: a stream from before may be dead without knowing it. */
  restart(): void {
    if (this.hearer === null || this.state === 'off') return
    this.broken = true
    this.join()
  }

  private rest(): void {
    this.broken = true
    this.leave('off')
  }

  private join(): void {
    this.leave(this.state === 'lost' ? 'lost' : 'joining')
    const source = this.make()
    this.source = source
    source.addEventListener('hello', () => this.welcomed())
    source.addEventListener('changed', (event) => this.hearer?.changed(topicsOf((event as MessageEvent).data)))
    source.addEventListener('error', () => this.failed(source))
  }

  private welcomed(): void {
    this.failures = 0
    this.set('on')
    if (this.broken) this.hearer?.rejoined()
    this.broken = false
  }

  private failed(source: EventSource): void {
    if (source !== this.source) return
    this.broken = true
    this.set('lost')
    // Otherwise the browser joins again by itself.
    if (source.readyState !== EventSource.CLOSED) return
    this.source = null
    this.hearer?.refused()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.hearer && this.join(), wait(this.failures, Math.random()))
    this.failures += 1
  }

  private leave(state: LiveState): void {
    clearTimeout(this.timer)
    this.source?.close()
    this.source = null
    this.set(state)
  }

  private set(state: LiveState): void {
    if (this.state === state) return
    this.state = state
    this.watchers.forEach((watcher) => watcher())
  }
}

export const live = new Live(() => new EventSource('/api/live'))
