import type { Query, QueryClient } from '@tanstack/react-query'
import { touches } from './topics'

/** At most about one refresh a second, and never more than a third of the time spent on it. */
const GAP = 1_000
const REST = 2
const LONGEST = 5_000

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/**
 * Reads again what has become old: at once, but one round after the other.
 *
 * A query that is being read already is left to end and then read once more: what it answers may
 * be from before the change, and cutting it off again and again would never show anything.
 */
export class Refresher {
  private readonly old = new Set<string>()
  private running = false

  constructor(private readonly queries: QueryClient) {}

  /** Something of these topics has changed. */
  changed(topics: ReadonlySet<string>): void {
    for (const query of this.queries.getQueryCache().getAll()) {
      if (touches(topics, query.queryKey)) this.old.add(query.queryHash)
    }
    void this.run()
  }

  private async run(): Promise<void> {
    if (this.running) return
    this.running = true
    while (this.old.size > 0) {
      const began = Date.now()
      const due = new Set([...this.old].filter((hash) => !this.reading(hash)))
      due.forEach((hash) => this.old.delete(hash))
      await Promise.race([this.read(due), pause(LONGEST)])
      await pause(Math.max(GAP, REST * (Date.now() - began)))
    }
    this.running = false
  }

  private reading(hash: string): boolean {
    return this.queries.getQueryCache().get(hash)?.state.fetchStatus === 'fetching'
  }

  private read(due: ReadonlySet<string>): Promise<void> {
    // A page that nobody looks at is marked old, and read when it is looked at again.
    const refetchType = document.hidden ? 'none' : 'active'
    const predicate = (query: Query): boolean => due.has(query.queryHash)
    return this.queries.invalidateQueries({ predicate, refetchType })
  }
}
