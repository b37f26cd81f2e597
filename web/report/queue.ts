/**
 * Reports on their way: kept before anything is sent, so that neither a dead network nor a closed
 * page loses one. Sent in the order they were made; the server knows each by its id, so sending
 * one again is harmless. Several tabs may be at it: each claims a report before it sends it.
 */

import { type Answer, Refusal, ask, device } from './api'
import { type Kept, all, change, drop } from './store'

const KEEP = 86_400_000
const LONGEST = 60_000
/** A claim this old is of a tab that was closed; sending twice does no harm, waiting for long would. */
const CLAIM = 5_000
/** So many failures in a row are the server's, not the reports'. */
const TOO_MANY = 3

let sending = false
let more = false
let pause = 0
let timer: ReturnType<typeof setTimeout> | undefined
/** Until when a report can be undone, by the page's own clock, which nobody sets. */
const ends = new Map<string, number>()

/** Keep a report; one with the same id is there once, however often the button is hit. */
export async function keep(one: Kept): Promise<void> {
  await change(one.id, (there) => (there ? undefined : one))
}

/** Take a report back: one that was never on its way is never sent; any other is undone there. */
export async function undo(id: string): Promise<void> {
  await change(id, (there) => {
    if (!there) return undefined
    return there.state === 'waiting' && !there.asked ? { ...there, state: 'undone' } : { ...there, undo: true, message: undefined }
  })
}

/** How many milliseconds a report can still be undone; the server decides. */
export function undoLeft(one: Kept): number {
  const end = ends.get(one.id)
  return end === undefined ? (one.undoUntil ?? 0) - Date.now() : end - performance.now()
}

/** Send what waits; afterwards, and after each one, `changed` is called. */
export async function flush(changed: () => void): Promise<void> {
  more = true
  if (sending) return
  sending = true
  clearTimeout(timer)
  let wait = 0
  while (more) {
    more = false
    wait = await round(changed)
  }
  sending = false
  if (!(await all()).some(due)) {
    pause = 0
    return
  }
  pause = Math.min(LONGEST, Math.max(wait, pause * 2, 2000))
  clearTimeout(timer)
  timer = setTimeout(() => void flush(changed), pause * (0.75 + Math.random() / 2))
}

function due(one: Kept): boolean {
  return one.state === 'waiting' || Boolean(one.undo)
}

function claimed(there: Kept | undefined): Kept | undefined {
  if (!there || !due(there)) return undefined
  // A clock that was set back must not hold a report for ever.
  if (there.claim !== undefined && Math.abs(Date.now() - there.claim) < CLAIM) return undefined
  return { ...there, claim: Date.now(), asked: true }
}

/** Each report once, those that failed before at the end; how long the server wants to be left alone. */
async function round(changed: () => void): Promise<number> {
  let failed = 0
  const found = await all()
  for (const one of found) if (!due(one) && one.state !== 'refused' && one.made < Date.now() - KEEP) await drop(one.id)
  for (const { id } of found.filter(due).sort((a, b) => (a.tries ?? 0) - (b.tries ?? 0))) {
    const one = await change(id, claimed)
    if (one) {
      try {
        await settle(one)
        failed = 0
      } catch (error) {
        const refusal = error instanceof Refusal ? error : new Refusal('', 'away')
        const tried = refusal.kind === 'one' ? 1 : 0
        failed += tried
        await change(id, (there) => there && { ...there, claim: undefined, tries: (there.tries ?? 0) + tried })
        if (!tried || failed >= TOO_MANY) {
          changed()
          return refusal.seconds * 1000
        }
      }
    }
    changed()
  }
  return 0
}

/** Send a report, and take it back where somebody did meanwhile. */
async function settle(one: Kept): Promise<void> {
  const now = one.state === 'waiting' ? await send(one) : one
  if (now?.undo) await takeBack(now)
}

async function send(one: Kept): Promise<Kept | undefined> {
  const sent = { ...one.body, token: one.token, device: device(), sent_at: new Date().toISOString() }
  try {
    return await told(one.id, await ask<Answer>('', sent))
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'no') throw error
    const { message } = error
    await change(one.id, (there) =>
      there && { ...there, claim: undefined, undo: undefined, state: there.undo || over(there) ? 'undone' : 'refused', message },
    )
    return undefined
  }
}

async function takeBack(one: Kept): Promise<void> {
  try {
    const answer = await ask<Answer>('/undo', { token: one.token, device: device(), report_id: one.id })
    await told(one.id, answer, false)
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'no') throw error
    const { message } = error
    await change(one.id, (there) => there && { ...there, claim: undefined, undo: undefined, message })
  }
}

/** Keep what the server said; `undo` that was asked for meanwhile stays to be done. */
async function told(id: string, answer: Answer, undo?: boolean): Promise<Kept | undefined> {
  // Something between that answers for the server does not know the report.
  if (answer.report_id !== id) throw new Refusal('', 'away')
  const left = answer.undo_seconds * 1000
  ends.set(id, performance.now() + left)
  return change(id, (there) => {
    // An answer may come after another tab's: what is undone stays so.
    if (!there || over(there)) return undefined
    return { ...there, claim: undefined, state: answer.state, undoUntil: Date.now() + left, undo: undo ?? there.undo }
  })
}

function over(there: Kept): boolean {
  return there.state === 'undone'
}
