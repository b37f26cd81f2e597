import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { SourceState } from '../api/types'
import { useLanguage } from '../i18n'

/** Sources that a package defines and nobody has connected. */
export function Prepared({ sources }: { sources: SourceState[] }) {
  const { t, say } = useLanguage()
  const can = useCan()
  if (sources.length === 0) return null
  return (
    <section className="card prepared" aria-labelledby="prepared">
      <h2 id="prepared">{t('sources.prepared')}</h2>
      <p className="muted small">{t('sources.prepared_hint')}</p>
      <ul className="prepared__list">
        {sources.map((source) => (
          <li key={source.code}>
            <b>{say(source.label)}</b>
            <span className="muted">{say(source.system)}</span>
            {can('sources.manage') && (
              <Link className="inline" to={`/sources/${encodeURIComponent(source.code)}/connection`}>
                {t('connect.edit')}
              </Link>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
