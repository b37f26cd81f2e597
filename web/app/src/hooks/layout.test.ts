import { describe, expect, it } from 'vitest'
import { layout } from './layout'

describe('a body laid out', () => {
  it('has a value a line', () => {
    expect(layout('{"a":1,"b":[{"c":"d"}],"e":{},"f":[]}')).toBe(
      '{\n  "a": 1,\n  "b": [\n    {\n      "c": "d"\n    }\n  ],\n  "e": {},\n  "f": []\n}',
    )
  })

  it('keeps every digit, every escape and what stands in texts', () => {
    const body = '{"n":12345678901234567890.10,"t":"a{b}[c], : \\"d\\" \\u0041\\\\"}'
    const laid = layout(body)
    expect(laid).toContain('12345678901234567890.10')
    expect(laid).toContain('"a{b}[c], : \\"d\\" \\u0041\\\\"')
    expect(JSON.parse(laid)).toEqual(JSON.parse(body))
  })

  it('does not fall over what is no JSON', () => {
    for (const odd of ['', '}}}', '"', '[1,', '{"a"']) expect(() => layout(odd)).not.toThrow()
  })
})
