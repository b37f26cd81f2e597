/**
 * Reports on their way: kept in IndexedDB before anything is sent, so that neither a dead network
 * nor a closed page loses one. Sent in the order they were made; the server knows each by its id.
 */

import { type Answer, Refusal, ask, device } from './api'

export interface Kept {
  id: string
  made: number
  label: string
  token: string
  body: object
  state: 'waiting' | 'recorded' | 'review' | 'undone' | 'rejected' | 'refused'
  message?: string
  undoUntil?: number
}

const KEEP = 86_400_000
const LONGEST = 60_000

let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open('tenon-report', 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore('reports', { keyPath: 'id' })
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
  return opened
}

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>) {
  const db = await open()
  return new Promise<T>((resolve, reject) => {
    const tx = db.transaction('reports', mode)
    const asked = act(tx.objectStore('reports'))
    tx.oncomplete = () => resolve(asked.result)
    tx.onerror = tx.onabort = () => reject(tx.error)
  })
}

export async function all(): Promise<Kept[]> {
  const found: Kept[] = await within('readonly', (s) => s.getAll() as IDBRequest<Kept[]>)
  return found.sort((a, b) => a.made - b.made)
}

export async function put(one: Kept): Promise<void> {
  await within('readwrite', (s) => s.put(one))
}

export async function drop(id: string): Promise<void> {
  await within('readwrite', (s) => s.delete(id))
}

/** Keep a report; one with the same id is there once, however often the button is hit. */
export async function keep(one: Kept): Promise<void> {
  const there = await within('readonly', (s) => s.get(one.id) as IDBRequest<Kept | undefined>)
  if (!there) await put(one)
}

let sending = false
let pause = 0
let timer: ReturnType<typeof setTimeout> | undefined

/** Send what waits; afterwards, and after each one, `changed` is called. */
export async function flush(changed: () => void): Promise<void> {
  if (sending) return
  sending = true
  clearTimeout(timer)
  try {
    for (const one of await all()) {
      if (one.state === 'waiting') await send(one)
      else if (one.state !== 'refused' && one.made < Date.now() - KEEP) await drop(one.id)
      changed()
    }
    pause = 0
  } catch (error) {
    const asked = error instanceof Refusal ? error.seconds * 1000 : 0
    pause = Math.min(LONGEST, Math.max(asked, pause * 2, 2000))
    timer = setTimeout(() => void flush(changed), pause * (0.75 + Math.random() / 2))
    changed()
  } finally {
    sending = false
  }
}

async function send(one: Kept): Promise<void> {
  try {
    const now = new Date().toISOString()
    const body = { ...one.body, token: one.token, device: device(), sent_at: now }
    const answer = await ask<Answer>('', body)
    await put({ ...one, state: answer.state, undoUntil: Date.parse(answer.undo_until) })
  } catch (error) {
    if (!(error instanceof Refusal) || error.again) throw error
    await put({ ...one, state: 'refused', message: error.message })
  }
}

/** Take a report back: one that was not sent is never sent, one that was is undone there. */
export async function undo(one: Kept): Promise<void> {
  if (one.state === 'waiting' && !sending) {
    await put({ ...one, state: 'undone' })
    return
  }
  const answer = await ask<Answer>('/undo', {
    token: one.token,
    device: device(),
    report_id: one.id,
  })
  await put({ ...one, state: answer.state })
}
