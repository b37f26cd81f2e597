import { describe, expect, it } from 'vitest'
import { onlyHere, pictureOf } from './qr'

describe('a drawn code', () => {
  it('becomes a picture, whatever is in it', () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1" fill="#000"/></svg>\n"榫'
    const [head = '', body = ''] = pictureOf(svg).split(/,(.*)/s)
    expect(head).toBe('data:image/svg+xml;charset=utf-8')
    expect(body).not.toMatch(/[<>"#\s]/)
    expect(decodeURIComponent(body)).toBe(svg)
  })

  it('warns when its address means the server itself', () => {
    for (const here of ['http://localhost:8420/r/#x', 'http://127.0.0.1/r/#x', 'http://[::1]:80/r/', 'http://0.0.0.0/r/', '', 'r/#x'])
      expect(onlyHere(here), here).toBe(true)
    for (const there of ['http://192.168.1.20:8420/r/#x', 'https://tenon.plant.example/r/#x']) expect(onlyHere(there), there).toBe(false)
  })
})
