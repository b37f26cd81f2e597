import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { SetAsideRow } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { useSourceDrawer } from '../parts/SourceDrawer'
import '../parts/Table.css'

/** Rows set aside, each openable to what was read. */
export function SetAsideTable({ rows }: { rows: SetAsideRow[] }) {
  const { t, say } = useLanguage()
  const { dayTime, ago } = useFormats()
  const can = useCan()
  const open = useSourceDrawer()
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('aside.row')}</th>
            <th scope="col">{t('aside.reason')}</th>
            <th scope="col">{t('aside.since')}</th>
            <th scope="col" className="table__right">
              {t('aside.tries')}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.source} ${row.stream} ${row.key}`}>
              <td className="table__lead">
                {say(row.source_label)} <span className="code muted">{row.stream}</span>
                <br />
                {can('source_rows.read') ? (
                  <button type="button" className="bare code aside__key" data-row onClick={() => open([row])}>
                    {row.key}
                  </button>
                ) : (
                  <span className="code">{row.key}</span>
                )}
              </td>
              <td className="table__wide">
                {say(row.reason)}
                {row.task_id && can('masters.read') && (
                  <>
                    {' '}
                    <Link className="inline" to={`/tasks?task=${encodeURIComponent(row.task_id)}`}>{t('aside.task')}</Link>
                  </>
                )}
              </td>
              <td className="num" data-label={t('aside.since')}>
                {dayTime(row.first_seen_at)} <span className="muted small">{ago(row.first_seen_at)}</span>
              </td>
              <td className="num table__right" data-label={t('aside.tries')}>
                {row.tries}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
