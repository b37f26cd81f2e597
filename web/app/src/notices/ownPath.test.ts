import { describe, expect, it } from 'vitest'
import { ownPath } from './ownPath'

describe('the link of a notice', () => {
  it('stays within this app', () => {
    for (const own of ['/engineering', '/order-changes', '/orders/0193-0068', '/orders?q=//x']) expect(ownPath(own)).toBe(own)
    for (const other of [null, '', 'orders', '//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)'])
      expect(ownPath(other)).toBeNull()
  })
})
