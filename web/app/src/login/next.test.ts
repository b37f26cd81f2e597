import { expect, it } from 'vitest'
import { safeNext } from './next'

it('keeps a path of this app', () => {
  expect(safeNext('/board')).toBe('/board')
  expect(safeNext('/orders?q=SO-1&late=true')).toBe('/orders?q=SO-1&late=true')
})

it.each([
  null,
  '',
  'board',
  '//evil.example',
  '/\\evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  '/\t/evil.example',
  '/..//evil.example',
  '/login?next=/login',
])('leads home instead of to %s', (value) => expect(safeNext(value)).toBe('/'))
