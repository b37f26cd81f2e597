import type { Text } from '../api/types'
import type { Draft, Rule, Stream, Suggestion } from './types'

/** A suggestion that nobody has confirmed yet: why, and how sure (0 to 1). */
export type Pending = { why: Text | null; sure: number }
export type Work = { draft: Draft; pending: Record<string, Pending> }
/** Why a key, a change column or a way to recognise was suggested. */
export type Hints = Record<string, Text>
export type History = { past: Work[]; now: Work; future: Work[] }

const STEPS = 100

/** A draft with what stands for nothing written out: the server leaves it unsaid. */
export function whole(draft: Draft): Draft {
  const identity = draft.identity ? { ...draft.identity, keys: draft.identity.keys ?? {} } : null
  return { ...draft, fields: draft.fields ?? {}, identity, stream: { ...draft.stream, key: draft.stream.key ?? [] } }
}

/** What was suggested, with every field still to be confirmed. */
export function workOf({ draft, why, sure }: Suggestion): Work {
  const pending: Record<string, Pending> = {}
  for (const field of Object.keys(draft.fields)) {
    pending[field] = { why: why[field] ?? null, sure: sure[field] ?? 0 }
  }
  return { draft, pending }
}

export const began = (now: Work): History => ({ past: [], now, future: [] })

export function did(history: History, now: Work): History {
  return { past: [...history.past, history.now].slice(-STEPS), now, future: [] }
}

export function undo({ past, now, future }: History): History {
  const before = past.at(-1)
  return before ? { past: past.slice(0, -1), now: before, future: [now, ...future] } : { past, now, future }
}

export function redo({ past, now, future }: History): History {
  const next = future[0]
  return next ? { past: [...past, now], now: next, future: future.slice(1) } : { past, now, future }
}

function without<T>(all: Record<string, T>, name: string): Record<string, T> {
  const { [name]: _, ...others } = all
  return others
}

/** A field filled otherwise, by a person: nothing is left to confirm. */
export function withRule(work: Work, field: string, rule: Rule | null): Work {
  const fields = rule ? { ...work.draft.fields, [field]: rule } : without(work.draft.fields, field)
  return { draft: { ...work.draft, fields }, pending: without(work.pending, field) }
}

export function withDraft(work: Work, change: Partial<Draft>): Work {
  return { ...work, draft: { ...work.draft, ...change } }
}

export function accepted(work: Work, field: string): Work {
  return { ...work, pending: without(work.pending, field) }
}

export function allAccepted(work: Work): Work {
  return { ...work, pending: {} }
}

/** The columns a rule reads, in order. */
export function columnsOf(rule: Rule | undefined): string[] {
  const from = rule?.from
  return from === undefined || from === null ? [] : Array.isArray(from) ? from : [from]
}

/** The rule reading these columns; null when there are none and nothing else fills the field. */
export function reading(rule: Rule | undefined, columns: string[]): Rule | null {
  const { from: _, const: __, ...kept } = rule ?? {}
  const [first, second] = columns
  if (first === undefined) return null
  return { ...kept, from: second === undefined ? first : columns }
}

/** What a stream reads, by the name the list of tables has for it. */
export function tableOf({ table, path, explode, name }: Stream): string {
  return table ?? (path && explode ? `${path}#${explode}` : path) ?? name
}

/** What stands for itself and need not be written down. */
export function tidy(rule: Rule): Rule {
  const entries = Object.entries(rule).filter(
    ([, value]) =>
      value !== undefined &&
      value !== null &&
      value !== '' &&
      !(typeof value === 'object' && Object.keys(value).length === 0),
  )
  return Object.fromEntries(entries) as Rule
}

/** Required fields that nothing fills; rows that are only recognised need none. */
export function unfilled(draft: Draft, required: string[]): string[] {
  if (draft.identity && !draft.identity.founds) return []
  return required.filter((field) => draft.fields[field] === undefined)
}
