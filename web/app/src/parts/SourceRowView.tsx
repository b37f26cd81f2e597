import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { SourceRow } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { rowPath } from '../lineage/paths'
import './SourceRowView.css'

const STATES: Record<SourceRow['state'], Key> = {
  applied: 'source.applied',
  set_aside: 'source.set_aside',
  gone: 'source.gone',
}

/** Marks the blanks at both ends, which are often why two codes do not meet. */
function showSpaces(value: string): string {
  return value.replace(/^ +| +$/g, (blanks) => '\u2423'.repeat(blanks.length))
}

function Value({ value, bytes }: { value: string | null; bytes: string | undefined }) {
  const { t } = useLanguage()
  if (value === null) return <span className="muted">{t('source.null')}</span>
  if (value === '') return <span className="muted">{t('source.blank')}</span>
  return (
    <>
      <span className="source-row__value">{showSpaces(value)}</span>
      {bytes && (
        <span className="warn small code">
          {' '}
          {t('source.bytes')} {bytes}
        </span>
      )}
    </>
  )
}

/** One source row: its columns exactly as read, when, and by which run. */
export function SourceRowView({ row }: { row: SourceRow }) {
  const { t, say } = useLanguage()
  const can = useCan()
  const { fullTime, ago } = useFormats()
  return (
    <section className="source-row">
      <h3>
        {say(row.label)} <span className="code">{row.stream}</span> · <span className="code">{row.key}</span>
      </h3>
      <p className={`small ${row.state === 'applied' ? 'muted' : 'warn'}`}>
        {t(STATES[row.state])}
        {row.reason && `：${say(row.reason)}`}
      </p>
      <table className="source-row__table">
        <thead>
          <tr>
            <th scope="col">{t('source.column')}</th>
            <th scope="col">{t('source.value')}</th>
          </tr>
        </thead>
        <tbody>
          {row.columns.map(([name, value]) => (
            <tr key={name}>
              <th scope="row" className="code">
                {name}
              </th>
              <td className="code">
                <Value value={value} bytes={row.raw_bytes[name]} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="muted small">
        {t('source.read_at')} {fullTime(row.seen_at)}（{ago(row.seen_at)}） · {t('source.first_seen')}{' '}
        {fullTime(row.first_seen_at)}
        {can('sources.read') && (
          <>
            {' · '}
            <Link className="inline" to={`/runs/${row.run_id}`}>{t('source.run')}</Link>
          </>
        )}
        {' · '}
        <Link className="inline" to={rowPath(row.source, row.stream, row.key)}>{t('lineage.forward')}</Link>
      </p>
    </section>
  )
}
