import type { Revision } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { SourceLinks } from '../parts/SourceLinks'

/** The numbered changes the customer made. */
export function Revisions({ revisions }: { revisions: Revision[] }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  const value = (kind: string, raw: string | null): string => {
    if (raw === null) return '–'
    if (kind === 'qty') return quantity(raw)
    return kind === 'date' && !Number.isNaN(Date.parse(raw)) ? dayTime(raw) : raw
  }
  return (
    <section className="card">
      <h2>{t('revision.title')}</h2>
      {revisions.length === 0 && <p className="muted">{t('revision.none')}</p>}
      <ul className="facts">
        {revisions.map((one) => (
          <li key={`${one.revision} ${one.kind} ${one.changed_at}`}>
            <span className="muted num">#{one.revision}</span>
            <span className="num">{dayTime(one.changed_at)}</span>
            <span>{say(one.label)}</span>
            {(one.old !== null || one.new !== null) && (
              <span className="num">
                <s className="muted">{value(one.kind, one.old)}</s> → <b>{value(one.kind, one.new)}</b>
              </span>
            )}
            <SourceLinks sources={one.sources} of={say(one.label)} />
          </li>
        ))}
      </ul>
    </section>
  )
}
