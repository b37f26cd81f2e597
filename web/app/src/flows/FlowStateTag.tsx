import type { FlowRunState, FlowRunStep } from '../api/types'
import { useLanguage } from '../i18n'
import '../sources/Sources.css'

type State = FlowRunState | FlowRunStep['state']

const LOOK: Record<State, [string, string]> = {
  running: ['syncing', '↻'],
  waiting: ['stale', '◷'],
  done: ['ok', '●'],
  failed: ['failing', '▲'],
  cancelled: ['paused', '×'],
  skipped: ['never', '–'],
  pending: ['never', '○'],
}

/** The state of a run or a step, as a shape and a word. */
export function FlowStateTag({ state }: { state: State }) {
  const { t } = useLanguage()
  const [look, shape] = LOOK[state]
  return (
    <span className={`source-state source-state--${look}`}>
      <span aria-hidden="true">{shape}</span> {t(`flow.state.${state}`)}
    </span>
  )
}
