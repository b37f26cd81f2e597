import { describe, expect, it } from 'vitest'
import type { RoutingCandidate } from '../api/types'
import { candidatesOf, keyOf } from './candidates'

const routing = (item_id: string, version: number): RoutingCandidate => ({
  item_id,
  version,
  item_code: item_id,
  item_name: '',
  drawing_no: null,
  score: null,
  operations: [],
  est_hours: '1',
})
const keys = (proposal: RoutingCandidate | null, candidates: RoutingCandidate[]): string[] =>
  candidatesOf({ proposal, candidates }).map(keyOf)

describe('the routings to choose from', () => {
  it('are the nearest now, first', () => expect(keys(null, [routing('a', 1), routing('b', 1)])).toEqual(['a/1', 'b/1']))
  it('have what was proposed before at their end', () =>
    expect(keys(routing('c', 2), [routing('a', 1)])).toEqual(['a/1', 'c/2']))
  it('name a routing once', () => expect(keys(routing('a', 1), [routing('a', 1)])).toEqual(['a/1']))
  it('tell versions apart', () => expect(keys(routing('a', 2), [routing('a', 1)])).toEqual(['a/1', 'a/2']))
})
