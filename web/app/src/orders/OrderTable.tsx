import { Link } from 'react-router'
import type { OrderRow } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { Flags } from '../parts/Flags'
import { StageTag } from '../parts/StageTag'

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
    <CardTable
      heads={[
        { label: t('order.no') },
        { label: t('order.stage') },
        { label: t('order.customer') },
        { label: t('order.item') },
        { label: t('order.shipped_of'), right: true },
        { label: t('order.due') },
        { label: t('order.promised') },
      ]}
    >
      {rows.map((row) => (
        <Row key={row.line_id} row={row} />
      ))}
    </CardTable>
  )
}
