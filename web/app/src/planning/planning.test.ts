import { describe, expect, it } from 'vitest'
import type { RoutingCandidate } from '../api/types'
import { candidatesOf, keyOf } from './candidates'
import { changeValue } from './changeValue'

const plantTime = (iso: string): string => `plant ${iso}`

describe('a changed value', () => {
  it('is read as what it is', () => {
    expect(changeValue('qty', '1200.5000', plantTime)).toBe('1,200.5')
    expect(changeValue('drawing', 'B', plantTime)).toBe('B')
    expect(changeValue('cancel', null, plantTime)).toBe('–')
    expect(changeValue('date', '', plantTime)).toBe('–')
  })

  it('goes through the plant clock only when it names its zone', () => {
    expect(changeValue('date', '2026-11-10T09:00:00+00:00', plantTime)).toBe('plant 2026-11-10T09:00:00+00:00')
    expect(changeValue('date', '2026-11-10T09:00:00Z', plantTime)).toBe('plant 2026-11-10T09:00:00Z')
    expect(changeValue('date', '2026-11-10', plantTime)).toBe('2026-11-10')
    expect(changeValue('date', '2026-11-10 17:00:00', plantTime)).toBe('2026-11-10 17:00')
    expect(changeValue('date', 'next week', plantTime)).toBe('next week')
    expect(changeValue('date', '2026-99-99T09:00:00Z', plantTime)).not.toContain('plant')
  })
})

describe('the routings to choose from', () => {
  const routing = (item_id: string, version: number) => ({ item_id, version }) as RoutingCandidate

  it('are the nearest now, and what was proposed when it is another', () => {
    const candidates = [routing('a', 1), routing('b', 2)]
    const keys = (proposal: RoutingCandidate | null) => candidatesOf({ proposal, candidates }).map(keyOf)
    expect(keys(null)).toEqual(['a/1', 'b/2'])
    expect(keys(routing('b', 2))).toEqual(['a/1', 'b/2'])
    expect(keys(routing('b', 1))).toEqual(['a/1', 'b/2', 'b/1'])
  })
})
