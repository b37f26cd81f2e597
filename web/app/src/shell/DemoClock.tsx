import { usePlantClock, useSecond } from '../api/settings'
import { dayTime } from '../format/time'
import { useLanguage } from '../i18n'

/** The simulated plant's time and its pace; nothing on a real clock. */
export function DemoClock() {
  const { t } = useLanguage()
  const { zone, pace, now } = usePlantClock()
  useSecond()
  if (pace === null) return null
  const at = now()
  return (
    <span className="clock num" title={t('clock.hint', { pace })}>
      <span className="clock__word">{t('clock.demo')}</span>
      {dayTime(new Date(at).toISOString(), zone, at)}
      <span>×{pace}</span>
    </span>
  )
}
