import { describe, expect, it } from 'vitest'
import { onlyHere, pictureOf } from './qr'

describe('the picture of a code', () => {
  it('carries the drawing whole', () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><path stroke="#000" d="M2 2.5h7"/></svg>'
    const picture = pictureOf(svg)
    expect(picture.startsWith('data:image/svg+xml')).toBe(true)
    expect(picture).not.toMatch(/[<>"#]/)
    expect(decodeURIComponent(picture.slice(picture.indexOf(',') + 1))).toBe(svg)
  })
})

describe('an address that phones cannot reach', () => {
  it.each(['http://127.0.0.1:8000/r/#x', 'http://localhost/r/#x', 'http://[::1]:8000/r/', 'no address'])('%s', (url) =>
    expect(onlyHere(url)).toBe(true),
  )
  it.each(['https://tenon.example/r/#x', 'http://192.0.2.7:8000/r/#x'])('is not %s', (url) =>
    expect(onlyHere(url)).toBe(false),
  )
})
