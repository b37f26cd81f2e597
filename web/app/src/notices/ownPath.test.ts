import { expect, it } from 'vitest'
import { ownPath } from './ownPath'

it.each(['/engineering', '/orders/0193?row=a/b'])('follows %s', (link) => expect(ownPath(link)).toBe(link))
it.each([null, '', '//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', 'orders'])(
  'does not follow %s',
  (link) => expect(ownPath(link)).toBeNull(),
)
