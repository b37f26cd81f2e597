import { Link } from 'react-router'
import type { OrderRow } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { Flags } from '../parts/Flags'
import { StageTag } from '../parts/StageTag'
import '../parts/Table.css'

function Row({ row }: { row: OrderRow }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <tr>
      <td className="table__lead">
        <Link to={`/orders/${row.line_id}`} data-row className="nowrap">
          <b>{row.order_no}</b>-{row.line_no}
        </Link>{' '}
        <Flags late={row.late} rush={row.rush} hold={row.on_hold} />
      </td>
      <td className="table__stage">
        <StageTag stage={row.stage} />
      </td>
      <td className="table__wide">
        <span className="table__two">{row.customer || '–'}</span>
        {row.customer_po && <span className="muted small">{row.customer_po}</span>}
      </td>
      <td className="table__wide">
        <span className="table__two">{row.item}</span>
      </td>
      <td className="num table__right" data-label={t('order.shipped_of')}>
        <span>
          {quantity(row.shipped_qty)} / {quantity(row.qty)} <span className="muted">{row.unit}</span>
        </span>
      </td>
      <td className="num" data-label={t('order.due')}>
        <span className={row.late ? 'bad' : undefined}>{dayTime(row.due_at)}</span>
      </td>
      <td className="num" data-label={t('order.promised')}>
        {dayTime(row.promised_at)}
      </td>
    </tr>
  )
}

/** Order lines as a table, and as cards on a phone. */
export function OrderTable({ rows }: { rows: OrderRow[] }) {
  const { t } = useLanguage()
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('order.no')}</th>
            <th scope="col">{t('order.stage')}</th>
            <th scope="col">{t('order.customer')}</th>
            <th scope="col">{t('order.item')}</th>
            <th scope="col" className="table__right">
              {t('order.shipped_of')}
            </th>
            <th scope="col">{t('order.due')}</th>
            <th scope="col">{t('order.promised')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.line_id} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  )
}
