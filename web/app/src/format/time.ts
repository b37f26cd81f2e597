export type Language = 'zh' | 'en'

const cache = new Map<string, Intl.DateTimeFormat>()

function parts(at: number, zone: string): Record<string, string> {
  let format = cache.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
    cache.set(zone, format)
  }
  return Object.fromEntries(format.formatToParts(at).map((part) => [part.type, part.value]))
}

/** A time in the plant's zone, `11-22 14:05`, with the year when it is not this one. */
export function dayTime(iso: string | null | undefined, zone: string, now: number): string {
  if (!iso) return '–'
  const at = parts(Date.parse(iso), zone)
  const year = at.year === parts(now, zone).year ? '' : `${at.year}-`
  return `${year}${at.month}-${at.day} ${at.hour}:${at.minute}`
}

/** A time in full, to the second, in the plant's zone. */
export function fullTime(iso: string | null | undefined, zone: string): string {
  if (!iso) return '–'
  const at = parts(Date.parse(iso), zone)
  return `${at.year}-${at.month}-${at.day} ${at.hour}:${at.minute}:${at.second}`
}

/** The clock alone, `14:05:09`, in the plant's zone. */
export function clockTime(at: number, zone: string): string {
  const p = parts(at, zone)
  return `${p.hour}:${p.minute}:${p.second}`
}

/** A span such as `11-22 14:05 → 16:30`; the day is said once when both ends share it. */
export function span(
  from: string | null | undefined,
  to: string | null | undefined,
  zone: string,
  now: number,
): string {
  if (!from && !to) return '–'
  const start = dayTime(from, zone, now)
  const end = dayTime(to, zone, now)
  const day = start.slice(0, -6)
  return `${start} → ${from && to && end.startsWith(`${day} `) ? end.slice(-5) : to ? end : '…'}`
}

const UNITS: Record<Language, [string, string, string, string]> = {
  zh: [' 秒', ' 分钟', ' 小时', ' 天'],
  en: [' s', ' min', ' h', ' d'],
}

/** A length of time in its one fitting unit: `7 秒`, `41 分钟`, `3 小时`, `2 天`. */
export function duration(seconds: number, language: Language): string {
  const s = Math.max(0, Math.round(seconds))
  const units = UNITS[language]
  if (s < 60) return `${s}${units[0]}`
  if (s < 3600) return `${Math.floor(s / 60)}${units[1]}`
  if (s < 86_400 * 2) return `${Math.floor(s / 3600)}${units[2]}`
  return `${Math.floor(s / 86_400)}${units[3]}`
}

/** How long ago, `3 分钟前` or `3 min ago`; a moment ahead counts as now. */
export function ago(iso: string, now: number, language: Language): string {
  const length = duration((now - Date.parse(iso)) / 1000, language)
  return language === 'zh' ? `${length}前` : `${length} ago`
}
