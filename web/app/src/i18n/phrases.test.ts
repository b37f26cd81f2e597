import { describe, expect, it } from 'vitest'
import { Failure, failureFrom } from '../api/failure'
import { en } from './en'
import { errorKey } from './errors'
import { fill } from './index'
import { zh } from './zh'

const holes = (phrase: string): string[] => (phrase.match(/\{[a-z]+\}/g) ?? []).sort()

describe('the dictionaries', () => {
  it('have the same keys', () => expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort()))

  it('have a phrase for each key, with the same places to fill', () => {
    for (const [key, phrase] of Object.entries(zh)) {
      const other = en[key as keyof typeof zh]
      expect(other.length, key).toBeGreaterThan(0)
      expect(holes(other), key).toEqual(holes(phrase))
    }
  })

  it('use full-width punctuation in Chinese sentences', () => {
    for (const [key, phrase] of Object.entries(zh)) expect(phrase, key).not.toMatch(/[\u4e00-\u9fff][,;:?!]/)
  })
})

describe('fill', () => {
  it('fills what it knows and keeps what it does not', () => {
    expect(fill('{n} of {total}', { n: 3 })).toBe('3 of {total}')
  })
})

describe('errors', () => {
  it('reads the error shape of the API', () => {
    const message = { zh: '没有', en: 'None' }
    const body = { error: { code: 'not_found', message, params: {}, request_id: 'r-1' } }
    const failure = failureFrom(404, body, null)
    expect([failure.code, failure.text, failure.requestId]).toEqual(['not_found', message, 'r-1'])
  })

  it('keeps the status of an answer without that shape', () => {
    const failure = failureFrom(503, '<html>', '7')
    expect([failure.code, failure.text, failure.retryAfter]).toEqual(['http_503', null, 7])
    expect(failureFrom(500, { error: { message: { zh: 1 } } }, 'soon').retryAfter).toBeNull()
  })

  it('finds a phrase for every status', () => {
    expect(errorKey(new Failure(0, 'away', null, null))).toBe('error.away')
    expect(errorKey(new Failure(401, 'wrong_credentials', null, null))).toBe('error.wrong_credentials')
    expect(errorKey(new Failure(409, 'conflict', null, null))).toBe('error.409')
    expect(errorKey(new Failure(418, 'teapot', null, null))).toBe('error.500')
    expect(errorKey(new TypeError('x'))).toBe('error.unknown')
  })
})
