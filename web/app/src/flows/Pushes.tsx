import type { PushRow } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { DataView } from './DataView'
import '../parts/Table.css'

const STATES: Partial<Record<string, [Key, string, string]>> = {
  intended: ['push.intended', '◷', 'stale'],
  sent: ['push.sent', '●', 'ok'],
  changed: ['push.changed', '●', 'ok'],
  same: ['push.same', '●', 'ok'],
  conflict: ['push.conflict', '▲', 'failing'],
  refused: ['push.refused', '▲', 'failing'],
}

/** The state of a row written outward, as a shape and a word. */
export function PushStateTag({ state }: { state: string }) {
  const { t } = useLanguage()
  const known = STATES[state]
  if (known === undefined) return <span className="code">{state}</span>
  const [word, shape, look] = known
  return (
    <span className={`source-state source-state--${look}`}>
      <span aria-hidden="true">{shape}</span> {t(word)}
    </span>
  )
}

/** What a run wrote into other systems, row by row, and whether it was read back since. */
export function Pushes({ pushes }: { pushes: PushRow[] }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  if (pushes.length === 0) return null
  return (
    <section className="card">
      <div className="card__head">
        <h2>{t('push.title', { n: pushes.length })}</h2>
        <span className="muted small">{t('push.hint')}</span>
      </div>
      <div className="table-wrap">
        <table className="table table--cards">
          <thead>
            <tr>
              <th scope="col">{t('push.row')}</th>
              <th scope="col">{t('runs.state')}</th>
              <th scope="col">{t('push.sent_at')}</th>
              <th scope="col">{t('push.echoed_at')}</th>
              <th scope="col">{t('push.columns')}</th>
            </tr>
          </thead>
          <tbody>
            {pushes.map((push) => (
              <tr key={`${push.push} ${push.key}`}>
                <td className="table__lead">
                  <span className="code">{push.table}</span> <b className="code">{push.key}</b>
                </td>
                <td>
                  <PushStateTag state={push.state} />
                </td>
                <td className="num" data-label={t('push.sent_at')}>
                  {dayTime(push.sent_at)}
                </td>
                <td className="num" data-label={t('push.echoed_at')}>
                  {push.echoed_at ? dayTime(push.echoed_at) : <span className="muted">{t('push.not_echoed')}</span>}
                </td>
                <td className="table__wide">
                  <details className="step__data">
                    <summary>{t('push.columns_of', { n: Object.keys(push.columns).length })}</summary>
                    <DataView data={push.columns} />
                  </details>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
