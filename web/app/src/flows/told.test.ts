import { expect, it } from 'vitest'
import { told } from './told'

it.each([
  [null, null],
  ['', null],
  [false, 'false'],
  [0, '0'],
  ['1200.0000', '1200.0000'],
  [[], '[]'],
  [['a', 'b'], 'a\nb'],
  [[{ push: 'mes_job', state: 'sent' }], '{"push":"mes_job","state":"sent"}'],
  [{ a: [1] }, '{\n "a": [\n  1\n ]\n}'],
])('%j is told as %j', (value, text) => expect(told(value)).toBe(text))
