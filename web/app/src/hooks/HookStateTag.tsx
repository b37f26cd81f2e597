import type { HookEventRow } from '../api/types'
import { useLanguage } from '../i18n'
import '../sources/Sources.css'

const LOOK: Record<HookEventRow['state'], [string, string]> = {
  received: ['syncing', '↻'],
  done: ['ok', '●'],
  stale: ['never', '–'],
  failed: ['failing', '▲'],
}

/** What became of a webhook, as a shape and a word. */
export function HookStateTag({ state }: { state: HookEventRow['state'] }) {
  const { t } = useLanguage()
  const [look, shape] = LOOK[state]
  return (
    <span className={`source-state source-state--${look}`}>
      <span aria-hidden="true">{shape}</span> {t(`hooks.state.${state}`)}
    </span>
  )
}
