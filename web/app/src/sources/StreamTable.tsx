import { Link } from 'react-router'
import type { StreamState } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import '../parts/Table.css'

/** The streams of a source: how far each was read, and how much. */
export function StreamTable({ streams, source }: { streams: StreamState[]; source: string }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  if (streams.length === 0) return <p className="muted">{t('stream.none')}</p>
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('stream.name')}</th>
            <th scope="col">{t('stream.target')}</th>
            <th scope="col">{t('stream.watermark')}</th>
            <th scope="col">{t('stream.last')}</th>
            <th scope="col" className="table__right">
              {t('stream.rows')}
            </th>
            <th scope="col" className="table__right">
              {t('stream.set_aside')}
            </th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <tr key={stream.sync}>
              <td className="table__wide">
                <Link to={`/syncs/${encodeURIComponent(stream.sync)}`}>{say(stream.label)}</Link>{' '}
                <span className="code muted">{stream.stream}</span>
              </td>
              <td className="code" data-label={t('stream.target')}>
                {stream.target}
              </td>
              <td className="code" data-label={t('stream.watermark')}>
                {stream.watermark ?? '–'}
              </td>
              <td className="num" data-label={t('stream.last')}>
                {dayTime(stream.last_success_at)}
              </td>
              <td className="num table__right" data-label={t('stream.rows')}>
                {count(stream.rows)}
              </td>
              <td className="num table__right" data-label={t('stream.set_aside')}>
                {stream.set_aside > 0 ? (
                  <Link className="warn" to={`/set-aside?source=${encodeURIComponent(source)}`}>
                    {count(stream.set_aside)}
                  </Link>
                ) : (
                  <span className="muted">0</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
