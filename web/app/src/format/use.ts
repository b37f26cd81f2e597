import { usePlantClock } from '../api/settings'
import { useLanguage } from '../i18n'
import { ago, dayTime, duration, fullTime, span } from './time'

type Formats = {
  dayTime: (iso: string | null | undefined) => string
  fullTime: (iso: string | null | undefined) => string
  span: (from: string | null | undefined, to: string | null | undefined) => string
  ago: (iso: string) => string
  duration: (seconds: number) => string
}

/** The formats in the reader's language and the plant's zone. */
export function useFormats(): Formats {
  const { zone, now } = usePlantClock()
  const { language } = useLanguage()
  return {
    dayTime: (iso) => dayTime(iso, zone, now()),
    fullTime: (iso) => fullTime(iso, zone),
    span: (from, to) => span(from, to, zone, now()),
    ago: (iso) => ago(iso, now(), language),
    duration: (seconds) => duration(seconds, language),
  }
}
