/** What the page asks the server, and what it keeps of itself. */

import { recall, remember } from './memo'
import { chosen } from './words'

export interface Job {
  work_order_no: string
  item_name: string | null
  drawing_no: string | null
  unit: string
  seq: number
  name: string
  qty_plan: string
  qty_good: string
  closed: string | null
  machines: { id: string; code: string; name: string }[]
}

export interface Answer {
  report_id: string
  state: 'recorded' | 'review' | 'undone' | 'rejected'
  undo_seconds: number
}

/**
 * What came instead of an answer: `no` is the server's own and final; `one`: it failed over this
 * request, later it may not; `away`: nobody is there to ask, for `seconds` at least.
 */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly kind: 'no' | 'one' | 'away',
    readonly seconds = 0,
  ) {
    super(message)
  }
}

const PATIENCE = 10_000
const AWAY = [429, 502, 503, 504]

/** Ends a request that takes too long; older engines have no `AbortSignal.timeout`. */
function patience(): AbortSignal {
  if ('timeout' in AbortSignal) return AbortSignal.timeout(PATIENCE)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), PATIENCE)
  return controller.signal
}

interface Said {
  error?: { code?: string; message?: { zh?: string; en?: string } }
}

export async function ask<T>(path: string, body: object): Promise<T> {
  let answer: Response
  let said: (T & Said) | null = null
  try {
    answer = await fetch(`/api/report${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: patience(),
    })
  } catch {
    throw new Refusal('', 'away')
  }
  try {
    said = (await answer.json()) as T & Said
  } catch {
    // A page of something between here and the server, which knows nothing of reports.
  }
  if (answer.ok && said) return said
  const error = said?.error
  const kind = answer.ok || AWAY.includes(answer.status) ? 'away' : error?.code && answer.status < 500 ? 'no' : 'one'
  throw new Refusal(error?.message?.[chosen()] ?? '', kind, Number(answer.headers.get('Retry-After')) || 0)
}

/** A random id; `crypto.randomUUID` is missing on plain HTTP. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

export function device(): string {
  let id = recall('device')
  if (!id) remember('device', (id = newId()))
  return id
}
