import { describe, expect, it } from 'vitest'
import { touches } from './topics'

const touched = (topic: string, keys: string[]): string[] =>
  keys.filter((key) => touches(new Set([topic]), [key, 'more']))

describe('what a topic makes old', () => {
  const all = ['order', 'board', 'runs', 'sources', 'flow-runs', 'flow-run', 'flows', 'tasks', 'notices', 'engineering', 'order-changes', 'session', 'settings', 'users', 'traveler']

  it.each([
    ['record:operation', ['order', 'board', 'engineering', 'order-changes']],
    ['sync_run', ['board', 'runs', 'sources']],
    ['flow_run', ['flow-runs', 'flow-run', 'flows']],
    ['task', ['tasks']],
    ['notice', ['notices']],
    ['something new', []],
  ])('%s', (topic, expected) => expect(touched(topic, all)).toEqual(expected))

  it('is all but the session and what is printed, when anything may have changed', () => {
    const left = all.filter((key) => !touched('*', all).includes(key))
    expect(left).toEqual(['session', 'settings', 'traveler'])
  })
})
