import { useCan } from '../api/session'
import type { Source } from '../api/types'
import { useLanguage } from '../i18n'
import { useSourceDrawer } from './SourceDrawer'
import './SourceLinks.css'

type Props = { sources: Source[]; of: string }

/** Where a fact comes from: a small link that opens its source rows. */
export function SourceLinks({ sources, of }: Props) {
  const { t, say } = useLanguage()
  const can = useCan()
  const open = useSourceDrawer()
  if (sources.length === 0) return null
  const names = [...new Set(sources.map((source) => say(source.label)))].join('、')
  const extra = sources.length > 1 ? ` ${sources.length}` : ''
  if (!can('source_rows.read')) {
    return <span className="source source--plain">{names}</span>
  }
  return (
    <button
      type="button"
      className="source bare"
      aria-label={t('source.open', { of, names: names + extra })}
      title={t('source.open', { of, names: names + extra })}
      onClick={() => open(sources)}
    >
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        <path d="M1 3h5v1.5h2v2H6V8H1z" fill="currentColor" />
      </svg>
      {names}
      {extra}
    </button>
  )
}
