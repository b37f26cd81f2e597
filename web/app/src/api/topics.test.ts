import { describe, expect, it } from 'vitest'
import { touches } from './topics'

const reaches = (topic: string, name: string): boolean => touches(new Set([topic]), [name, 1])

describe('which queries a topic makes old', () => {
  it('reaches the pages that show it, and no others', () => {
    expect(reaches('flow_run', 'flow-run')).toBe(true)
    expect(reaches('flow_run', 'flows')).toBe(true)
    expect(reaches('notice', 'notices')).toBe(true)
    expect(reaches('task', 'tasks')).toBe(true)
    expect(reaches('sync_run', 'sources')).toBe(true)
    expect(reaches('notice', 'orders')).toBe(false)
    expect(reaches('flow_run', 'runs')).toBe(false)
  })

  it('lets records of any kind reach orders, planning and masters', () => {
    for (const name of ['order', 'orders', 'board', 'engineering', 'order-changes', 'masters'])
      expect(reaches('record:machine', name), name).toBe(true)
    expect(reaches('record:work_order', 'users')).toBe(false)
  })

  it('reaches everything after a break, but what has a rhythm of its own', () => {
    expect(reaches('*', 'users')).toBe(true)
    for (const name of ['session', 'settings', 'traveler']) expect(reaches('*', name), name).toBe(false)
  })

  it('knows nothing of a topic it has never heard of', () => {
    expect(reaches('toString', 'orders')).toBe(false)
    expect(reaches('weather', 'orders')).toBe(false)
  })
})
