import type { RunRow } from '../api/types'
import { useLanguage } from '../i18n'

const LOOK: Record<RunRow['state'], [string, string]> = {
  running: ['syncing', '↻'],
  succeeded: ['ok', '●'],
  partial: ['stale', '◐'],
  cancelled: ['paused', '‖'],
  failed: ['failing', '▲'],
  interrupted: ['stale', '■'],
}

/** The state of a run, as a shape and a word. */
export function RunStateTag({ state }: { state: RunRow['state'] }) {
  const { t } = useLanguage()
  const [look, shape] = LOOK[state]
  return (
    <span className={`source-state source-state--${look}`}>
      <span aria-hidden="true">{shape}</span> {t(`runs.state.${state}`)}
    </span>
  )
}
