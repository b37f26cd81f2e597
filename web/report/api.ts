/** What the page asks the server, and what it keeps of itself. */

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
  undo_until: string
}

/** An answer that is no: `again` says that trying later may help, in `seconds`. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly again: boolean,
    readonly seconds = 0,
  ) {
    super(message)
  }
}

const PATIENCE = 10_000

export async function ask<T>(path: string, body: object): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(`/api/report${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    })
  } catch {
    throw new Refusal('', true)
  }
  if (answer.ok) return (await answer.json()) as T
  const again = answer.status === 429 || answer.status >= 500
  let message = ''
  try {
    const said = (await answer.json()) as { error: { message: { zh: string; en: string } } }
    message = said.error.message[chosen()]
  } catch {
    // A proxy's page: there is nothing to tell.
  }
  throw new Refusal(message, again, Number(answer.headers.get('Retry-After') ?? 0))
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
  let id = localStorage.getItem('device')
  if (!id) localStorage.setItem('device', (id = newId()))
  return id
}
