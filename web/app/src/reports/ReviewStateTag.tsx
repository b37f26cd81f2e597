import type { ReviewState } from '../api/types'
import { useLanguage } from '../i18n'
import '../sources/Sources.css'

const LOOK: Record<ReviewState, [string, string]> = {
  review: ['stale', '■'],
  recorded: ['ok', '●'],
  rejected: ['paused', '×'],
  undone: ['never', '–'],
}

/** What was decided of a report, as a shape and a word. */
export function ReviewStateTag({ state }: { state: ReviewState }) {
  const { t } = useLanguage()
  const [look, shape] = LOOK[state]
  return (
    <span className={`source-state source-state--${look}`}>
      <span aria-hidden="true">{shape}</span> {t(`reviews.state.${state}`)}
    </span>
  )
}
