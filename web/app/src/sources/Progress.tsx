import type { RunRow } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'

/** How far a run is, in whole per cent; null when nobody can tell. */
export function donePercent(run: Pick<RunRow, 'read' | 'expected'>): number | null {
  if (run.expected === null || run.expected <= 0) return null
  // A guess may be too low: a run that goes on is never shown as whole.
  return Math.min(99, Math.floor((run.read / run.expected) * 100))
}

/** How far a run under way is, how fast it goes, and how long it will still take. */
export function Progress({ run }: { run: RunRow }) {
  const { t } = useLanguage()
  const { duration } = useFormats()
  if (run.state !== 'running') return null
  const percent = donePercent(run)
  return (
    <div className="progress">
      <div
        className={`progress__bar${percent === null ? ' progress__bar--unknown' : ''}`}
        role="progressbar"
        aria-label={t('progress.title')}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(percent !== null && { 'aria-valuenow': percent })}
      >
        <i style={{ width: `${percent ?? 100}%` }} />
      </div>
      <span className="muted small num">
        {run.expected !== null && t('progress.of', { read: count(run.read), total: count(run.expected) })}
        {run.rate !== null && ` ${t('progress.rate', { rate: count(run.rate) })}`}
        {run.seconds_left !== null && ` ${t('progress.left', { time: duration(run.seconds_left) })}`}
      </span>
    </div>
  )
}
