import type { DefinitionRow } from '../api/types'
import { useLanguage } from '../i18n'
import '../parts/Table.css'

type Props = { title: string; rows: DefinitionRow[]; dayTime: (iso: string) => string }

/** The definitions of one kind. */
export function DefinitionGroup({ title, rows, dayTime }: Props) {
  const { t, say } = useLanguage()
  return (
    <section className="card">
      <div className="card__head">
        <h2>{title}</h2>
        <span className="muted num">{rows.length}</span>
      </div>
      <div className="table-wrap">
        <table className="table table--cards table--fixed">
          <thead>
            <tr>
              <th scope="col">{t('definition.label')}</th>
              <th scope="col">{t('definition.code')}</th>
              <th scope="col">{t('definition.package')}</th>
              <th scope="col" className="table__right">
                {t('definition.version')}
              </th>
              <th scope="col">{t('definition.published')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.code}>
                <td className="table__lead">{say(row.label)}</td>
                <td className="code">{row.code}</td>
                <td className="code" data-label={t('definition.package')}>
                  {row.package}
                </td>
                <td className="num table__right" data-label={t('definition.version')}>
                  {row.version}
                </td>
                <td className="num" data-label={t('definition.published')}>
                  {dayTime(row.published_at)} <span className="muted">{row.published_by}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
