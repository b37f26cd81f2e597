import type { QueryKey } from '@tanstack/react-query'

const ORDERS = ['orders', 'order', 'order-by-number', 'search', 'board']
const PLANNING = ['order-changes', 'engineering']
const MASTERS = ['masters', 'master']

/** Which queries a topic of the server may have made old, by the first word of their key. */
const READERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['flow_run', ['flows', 'flow-runs', 'flow-run']],
  ['sync_run', ['sources', 'runs', 'run', 'set-aside', 'board']],
  ['task', ['tasks', 'set-aside']],
  ['notice', ['notices']],
  ['hook_event', ['hook-events', 'hook-event']],
  ['report', ['report-reviews']],
])
const RECORDS = 'record:'
const EVERYTHING = '*'
// Who is signed in and the facts of the installation have rhythms of their own; a printed
// traveler does not change under the reader's eyes.
const APART = new Set<unknown>(['session', 'settings', 'traveler'])

/** Whether something of these topics may change what a query answered. */
export function touches(topics: ReadonlySet<string>, key: QueryKey): boolean {
  const name = key[0]
  if (APART.has(name)) return false
  for (const topic of topics) {
    if (topic === EVERYTHING) return true
    // Records of every kind meet on the order page, so all of them reach it.
    const readers = topic.startsWith(RECORDS) ? [...ORDERS, ...PLANNING, ...MASTERS] : READERS.get(topic)
    if (readers?.some((reader) => reader === name)) return true
  }
  return false
}
