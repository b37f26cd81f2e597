import { useCallback, useEffect, useState } from 'react'
import { accepted, allAccepted, began, did, redo, undo, withDraft, withRule, type History, type Work } from './draft'
import type { Draft, Rule } from './types'

const PREFIX = 'tenon.mapping.'

function kept(name: string): Work | null {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PREFIX + name) ?? 'null')
    const work = found as Work | null
    return work && typeof work.draft?.fields === 'object' && typeof work.pending === 'object' ? work : null
  } catch {
    return null
  }
}

function keep(name: string, work: Work | null): void {
  try {
    if (work) localStorage.setItem(PREFIX + name, JSON.stringify(work))
    else localStorage.removeItem(PREFIX + name)
  } catch {
    // Without storage the changes live as long as the page.
  }
}

export type Mapping = {
  work: Work
  /** Changes of an earlier visit were taken up again. */
  restored: boolean
  changed: boolean
  rule: (field: string, rule: Rule | null) => void
  draft: (change: Partial<Draft>) => void
  accept: (field: string) => void
  acceptAll: () => void
  undo: (() => void) | undefined
  redo: (() => void) | undefined
  /** Back to where it began. */
  discard: () => void
  /** What was kept here is published and need not be kept any more. */
  published: () => void
}

/** A mapping being made: each change can be undone and outlives the page until it is published. */
export function useMapping(name: string, start: Work): Mapping {
  const [restored, setRestored] = useState(() => kept(name) !== null)
  const [history, setHistory] = useState<History>(() => began(kept(name) ?? start))
  const { now, past, future } = history
  const changed = past.length > 0 || restored
  useEffect(() => {
    if (past.length > 0) keep(name, now)
  }, [name, now, past.length])
  const make = useCallback((change: (work: Work) => Work) => setHistory((before) => did(before, change(before.now))), [])
  const clear = (): void => {
    keep(name, null)
    setRestored(false)
  }
  return {
    work: now,
    restored,
    changed,
    rule: (field, rule) => make((work) => withRule(work, field, rule)),
    draft: (change) => make((work) => withDraft(work, change)),
    accept: (field) => make((work) => accepted(work, field)),
    acceptAll: () => make(allAccepted),
    undo: past.length > 0 ? () => setHistory(undo) : undefined,
    redo: future.length > 0 ? () => setHistory(redo) : undefined,
    discard: () => {
      clear()
      setHistory(began(start))
    },
    published: clear,
  }
}
