import type { MaterialUse } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { SourceLinks } from '../parts/SourceLinks'
import '../parts/Table.css'

/** What was issued to the work order, net of returns. */
export function Materials({ materials }: { materials: MaterialUse[] }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  if (materials.length === 0) return <p className="muted work__materials">{t('material.none')}</p>
  return (
    <div className="work__materials">
      <h3>{t('material.title')}</h3>
      <div className="table-wrap">
        <table className="table table--cards">
          <thead>
            <tr>
              <th scope="col">{t('material.item')}</th>
              <th scope="col">{t('material.lot')}</th>
              <th scope="col" className="table__right">
                {t('material.required')}
              </th>
              <th scope="col" className="table__right">
                {t('material.issued')}
              </th>
              <th scope="col">{t('material.last')}</th>
              <th scope="col">{t('material.source')}</th>
            </tr>
          </thead>
          <tbody>
            {materials.map((use) => (
              <tr key={`${use.item_code} ${use.lot_no}`}>
                <td className="table__wide">
                  <span className="muted num">{use.item_code}</span> {use.item_name}
                </td>
                <td className="num" data-label={t('material.lot')}>
                  {use.lot_no ?? '–'}
                </td>
                <td className="num table__right" data-label={t('material.required')}>
                  {use.required_qty === null ? '–' : `${quantity(use.required_qty)} ${use.unit}`}
                </td>
                <td className="num table__right" data-label={t('material.issued')}>
                  <b>{quantity(use.issued_qty)}</b> {use.unit}
                </td>
                <td className="num" data-label={t('material.last')}>
                  {dayTime(use.last_at)}
                </td>
                <td>
                  <SourceLinks sources={use.sources} of={use.item_name} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}
