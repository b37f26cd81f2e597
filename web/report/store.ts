/**
 * Where reports are kept: in IndexedDB, which all tabs share. What it does not take stays in this
 * page's memory: it is still sent, but the page must stay open, and says so.
 */

import { remember } from './memo'

export interface Kept {
  id: string
  made: number
  label: string
  token: string
  body: object
  state: 'waiting' | 'recorded' | 'review' | 'undone' | 'rejected' | 'refused'
  message?: string
  /** Until when it can be undone, by this phone's clock. */
  undoUntil?: number
  /** Somebody took it back, and the server does not know yet. */
  undo?: boolean
  /** A tab began to send it then; `asked`: it may have arrived, even without an answer. */
  claim?: number
  asked?: boolean
  /** How often the server failed over this very report. */
  tries?: number
}

const PATIENCE = 3_000
const NAME = 'reports'

const memory = new Map<string, Kept>()
let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    // Some engines never answer when their disk is full.
    setTimeout(() => reject(new Error('no answer')), PATIENCE)
    const asked = indexedDB.open('tenon-report', 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore(NAME, { keyPath: 'id' })
    asked.onsuccess = () => {
      asked.result.onclose = () => (opened = undefined)
      resolve(asked.result)
    }
    asked.onerror = () => reject(asked.error)
  })
  return opened
}

/** One transaction: `act` asks the store, and `done` gives what came of it. */
async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => () => T): Promise<T> {
  const db = await open()
  return new Promise<T>((resolve, reject) => {
    const tx = db.transaction(NAME, mode)
    const done = act(tx.objectStore(NAME))
    tx.oncomplete = () => resolve(done())
    tx.onerror = tx.onabort = () => reject(tx.error)
  })
}

function read<T>(ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return within('readonly', (store) => {
    const asked = ask(store)
    return () => asked.result
  })
}

export async function all(): Promise<Kept[]> {
  const found: Kept[] = await read((store) => store.getAll() as IDBRequest<Kept[]>).catch(() => [])
  const kept = new Map([...found, ...memory.values()].map((one) => [one.id, one]))
  return [...kept.values()].sort((a, b) => a.made - b.made)
}

/**
 * Change a report from what it is now, in one step that no other tab can come between; `act`
 * gives undefined where nothing is to change, and so does this.
 */
export async function change(id: string, act: (there: Kept | undefined) => Kept | undefined): Promise<Kept | undefined> {
  let next: Kept | undefined
  try {
    if (memory.has(id)) throw new Error('kept in memory')
    next = await within('readwrite', (store) => {
      let made: Kept | undefined
      const asked = store.get(id) as IDBRequest<Kept | undefined>
      asked.onsuccess = () => {
        made = act(asked.result)
        if (made) store.put(made)
      }
      return () => made
    })
  } catch {
    const there = memory.get(id) ?? (await read((store) => store.get(id) as IDBRequest<Kept | undefined>).catch(() => undefined))
    next = act(there)
    if (next) memory.set(id, next)
  }
  if (next) remember('queue', `${id} ${Date.now()}`) // the other tabs hear of it
  return next
}

export async function drop(id: string): Promise<void> {
  memory.delete(id)
  await within('readwrite', (store) => (store.delete(id), () => undefined)).catch(() => undefined)
}

/** Whether a report would be lost if the page were closed now. */
export function unsafe(): boolean {
  return [...memory.values()].some((one) => one.state === 'waiting')
}
