import { describe, expect, it } from 'vitest'
import { ago, clockTime, dayTime, duration, fullTime, span } from './time'

const ZONE = 'Asia/Shanghai'
const NOW = Date.parse('2025-11-22T06:42:00Z')

describe('times in the plant’s zone', () => {
  it('crosses midnight and the year with the zone, not with UTC', () => {
    expect(dayTime('2025-11-21T16:30:00Z', ZONE, NOW)).toBe('11-22 00:30')
    expect(dayTime('2024-12-31T16:00:00Z', ZONE, NOW)).toBe('01-01 00:00')
    expect(dayTime('2024-12-31T15:59:00Z', ZONE, NOW)).toBe('2024-12-31 23:59')
  })

  it('shows another zone its own time', () => {
    expect(dayTime('2025-11-22T06:42:00Z', 'Europe/Berlin', NOW)).toBe('11-22 07:42')
  })

  it('shows a dash where there is no time', () => {
    expect(dayTime(null, ZONE, NOW)).toBe('–')
    expect(fullTime(null, ZONE)).toBe('–')
    expect(span(null, null, ZONE, NOW)).toBe('–')
  })

  it('shows seconds in full times and clocks', () => {
    expect(fullTime('2025-11-22T06:42:09Z', ZONE)).toBe('2025-11-22 14:42:09')
    expect(clockTime(NOW, ZONE)).toBe('14:42:00')
  })

  it('says the day of a span once when both ends share it', () => {
    expect(span('2025-11-22T01:00:00Z', '2025-11-22T03:30:00Z', ZONE, NOW)).toBe('11-22 09:00 → 11:30')
    expect(span('2025-11-21T15:00:00Z', '2025-11-21T17:00:00Z', ZONE, NOW)).toBe('11-21 23:00 → 11-22 01:00')
    expect(span('2025-11-22T01:00:00Z', null, ZONE, NOW)).toBe('11-22 09:00 → …')
  })
})

describe('lengths of time', () => {
  it.each([
    [7, '7 秒', '7 s'],
    [2460, '41 分钟', '41 min'],
    [86_400, '24 小时', '24 h'],
    [86_400 * 3, '3 天', '3 d'],
    [-5, '0 秒', '0 s'],
  ])('%i seconds', (seconds, zh, en) => {
    expect(duration(seconds, 'zh')).toBe(zh)
    expect(duration(seconds, 'en')).toBe(en)
  })

  it('says how long ago', () => {
    expect(ago('2025-11-22T06:39:00Z', NOW, 'zh')).toBe('3 分钟前')
    expect(ago('2025-11-22T06:39:00Z', NOW, 'en')).toBe('3 min ago')
  })
})
