import { describe, expect, it } from 'vitest'
import { count, isZero, percent, quantity } from './quantity'

describe('quantity', () => {
  it.each([
    ['1200.0000', '1,200'],
    ['820.3750', '820.375'],
    ['0.0000', '0'],
    ['-0.00', '0'],
    ['-12.5000', '−12.5'],
    ['007', '7'],
    ['999', '999'],
    ['1000', '1,000'],
    ['123456789012345678901234567890.1', '123,456,789,012,345,678,901,234,567,890.1'],
    ['0.1000000000000000055', '0.1000000000000000055'],
  ])('shows %s as %s', (value, shown) => expect(quantity(value)).toBe(shown))

  it('shows a dash where there is no value, and leaves alone what is no decimal', () => {
    expect(quantity(null)).toBe('–')
    expect(quantity('12 kg')).toBe('12 kg')
  })
})

describe('isZero', () => {
  it.each(['0', '0.0000', '-0.0'])('knows %s as zero', (value) => expect(isZero(value)).toBe(true))
  it.each(['0.0001', '10', '-3'])('knows %s as more than zero', (value) => expect(isZero(value)).toBe(false))
})

describe('percent', () => {
  it('stays between 0 and 100 and does not say 100 before all is there', () => {
    expect(percent('0', '0')).toBe(0)
    expect(percent('-5', '10')).toBe(0)
    expect(percent('999', '1000')).toBe(99)
    expect(percent('12', '10')).toBe(100)
  })
})

describe('count', () => {
  it('groups thousands', () => expect(count(319408)).toBe('319,408'))
})
