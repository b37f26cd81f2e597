import type { SourceState } from '../api/types'
import { useLanguage } from '../i18n'

const SHAPES: Record<SourceState['state'], string> = {
  ok: '●',
  syncing: '↻',
  stale: '■',
  failing: '▲',
  attention: '◆',
  paused: '‖',
  never: '○',
}

/** The state of a connection, as a shape and a word. */
export function SourceStateTag({ state }: { state: SourceState['state'] }) {
  const { t } = useLanguage()
  return (
    <span className={`source-state source-state--${state}`}>
      <span aria-hidden="true">{SHAPES[state]}</span> {t(`sources.state.${state}`)}
    </span>
  )
}
