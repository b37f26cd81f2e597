import { describe, expect, it } from 'vitest'
import { told } from './told'

describe('a value of a run', () => {
  it('is nothing, a word, a line each, or JSON', () => {
    for (const nothing of [null, undefined, '']) expect(told(nothing)).toBeNull()
    expect([told('TW-1'), told(0), told(false)]).toEqual(['TW-1', '0', 'false'])
    expect(told([])).toBe('[]')
    expect(told(['a', 2])).toBe('a\n2')
    expect(told(['a', { push: 'mes_job' }])).toBe('a\n{"push":"mes_job"}')
    expect(told({ a: 1 })).toBe('{\n "a": 1\n}')
  })
})
