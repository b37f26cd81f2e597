import { expect, it } from 'vitest'
import { dayTime } from '../format/time'
import { changeValue } from './changeValue'

const shown = (kind: string, raw: string | null): string =>
  changeValue(kind, raw, (iso) => dayTime(iso, 'Asia/Shanghai', Date.parse('2025-11-22T06:42:00Z')))

it.each([
  ['qty', '1200.0000', '1,200'],
  ['date', '2025-11-30', '2025-11-30'],
  ['date', '2025-11-30 08:00:00', '2025-11-30 08:00'],
  ['date', '2025-11-30T08:00', '2025-11-30 08:00'],
  ['date', '2025-11-30T00:00:00Z', '11-30 08:00'],
  ['date', '2025-11-30T08:00:00+08:00', '11-30 08:00'],
  ['date', '月底', '月底'],
  ['date', '2026-99-99T09:00:00Z', '2026-99-99 09:00'],
  ['drawing', 'R3', 'R3'],
  ['cancel', '', '–'],
  ['qty', null, '–'],
])('%s %s is shown as %s', (kind, raw, expected) => expect(shown(kind, raw)).toBe(expected))
