import { Link } from 'react-router'
import type { MasterRow } from '../api/types'
import { useLanguage } from '../i18n'
import { SystemChips } from './SystemChips'
import '../parts/Table.css'

/** Golden records as a table. */
export function MasterTable({ rows }: { rows: MasterRow[] }) {
  const { t } = useLanguage()
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('master.code')}</th>
            <th scope="col">{t('master.name')}</th>
            <th scope="col">{t('master.detail')}</th>
            <th scope="col">{t('master.systems')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td className="num table__lead">
                <Link to={`/masters/${row.entity}/${row.id}`} data-row>
                  {row.code}
                </Link>
              </td>
              <td className="table__wide">{row.name}</td>
              <td className="muted table__wide">{row.detail ?? ''}</td>
              <td>
                <SystemChips systems={row.systems} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
