import { describe, expect, it } from 'vitest'
import { donePercent } from './Progress'

describe('how far a run is', () => {
  it('is not told where nobody knows how much there is', () => {
    expect(donePercent({ read: 5, expected: null })).toBeNull()
    expect(donePercent({ read: 5, expected: 0 })).toBeNull()
  })
  it('is never whole while it goes on', () => {
    expect(donePercent({ read: 0, expected: 200 })).toBe(0)
    expect(donePercent({ read: 150, expected: 200 })).toBe(75)
    expect(donePercent({ read: 300, expected: 200 })).toBe(99)
  })
})
