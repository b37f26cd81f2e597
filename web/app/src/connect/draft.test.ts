import { describe, expect, it } from 'vitest'
import { accepted, allAccepted, began, columnsOf, did, reading, redo, tidy, undo, unfilled, whole, withRule, workOf } from './draft'
import type { Draft } from './types'

const label = { zh: '客户', en: 'Customers' }
const draft: Draft = {
  code: '', label, source: 'erp', target: 'customer',
  stream: { name: 'client', table: 'client', key: ['id'] },
  fields: { code: { from: 'id' }, name: { from: 'client_name', clean: 'name' } },
}
const work = workOf({ draft, why: { name: label }, sure: { name: 0.9 }, others: [], missing: [] })

describe('a suggestion', () => {
  it('waits for a person, field by field', () => {
    expect(work.pending).toEqual({ code: { why: null, sure: 0 }, name: { why: label, sure: 0.9 } })
    expect(Object.keys(accepted(work, 'code').pending)).toEqual(['name'])
    expect(allAccepted(work).pending).toEqual({})
  })

  it('is settled by whoever fills the field otherwise or not at all', () => {
    const other = withRule(work, 'name', { from: 'short' })
    expect(other.draft.fields.name).toEqual({ from: 'short' })
    expect(Object.keys(other.pending)).toEqual(['code'])
    expect(withRule(work, 'name', null).draft.fields).toEqual({ code: { from: 'id' } })
    expect(work.draft.fields.name).toEqual({ from: 'client_name', clean: 'name' })
  })
})

it('writes out what a server leaves unsaid', () => {
  const { fields: _, ...said } = { ...draft, identity: { code: 'id', name: 'n' } }
  expect(whole(said as unknown as Draft)).toEqual({ ...said, fields: {}, identity: { code: 'id', name: 'n', keys: {} } })
  expect(whole(draft).identity).toBeNull()
})

describe('history', () => {
  it('goes back and forth, and forgets what was undone once something else is done', () => {
    const second = withRule(work, 'name', null)
    const third = withRule(work, 'code', null)
    const history = did(did(began(work), second), third)
    expect(undo(history).now).toBe(second)
    expect(undo(undo(undo(history))).now).toBe(work)
    expect(redo(undo(history)).now).toBe(third)
    expect(did(undo(history), work).future).toEqual([])
    expect(redo(history).now).toBe(third)
  })
})

describe('a rule', () => {
  it('reads one column, several or none', () => {
    expect(columnsOf({ from: ['a', 'b'] })).toEqual(['a', 'b'])
    expect(columnsOf({ from: null, const: 1 })).toEqual([])
    expect(reading({ const: 1, clean: 'code' }, ['a'])).toEqual({ clean: 'code', from: 'a' })
    expect(reading({ from: 'a' }, ['a', 'b'])).toEqual({ from: ['a', 'b'] })
    expect(reading({ from: 'a' }, [])).toBeNull()
  })

  it('keeps what says something', () => {
    expect(tidy({ from: 'a', by: '', choices: {}, default: false, const: null })).toEqual({ from: 'a', default: false })
  })

  it('that is missing for a required field is named', () => {
    expect(unfilled(draft, ['code', 'unit'])).toEqual(['unit'])
    expect(unfilled({ ...draft, identity: { code: 'id', name: 'n', keys: {} } }, ['unit'])).toEqual([])
    expect(unfilled({ ...draft, identity: { code: 'id', name: 'n', keys: {}, founds: true } }, ['unit'])).toEqual(['unit'])
  })
})
