import { Button } from 'antd'
import { Link } from 'react-router'
import type { EngineeringRow } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { candidatesOf } from './candidates'
import '../masters/Masters.css'
import '../parts/Flags.css'

type Props = { rows: EngineeringRow[]; onOpen: (id: string) => void }

function Row({ row, onOpen }: { row: EngineeringRow; onOpen: (id: string) => void }) {
  const { t } = useLanguage()
  const { dayTime, ago } = useFormats()
  const best = candidatesOf(row)[0]
  return (
    <tr>
      <td className="table__lead">
        <button type="button" className="bare task__open" data-row onClick={() => onOpen(row.work_order_id)}>
          <b className="num">{row.work_order_no}</b>
        </button>
        {row.reason === 'drawing_changed' && <span className="flag flag--rush engineering__why">{t('engineering.drawing_changed')}</span>}
      </td>
      <td className="table__wide">
        <span className="table__two">{row.item_name}</span>
        {row.drawing && <span className="muted code">{row.drawing}</span>}
      </td>
      <td className="table__wide">
        <Link to={`/orders/${row.line_id}`} className="num nowrap">
          {row.order_no}-{row.line_no}
        </Link>
        {row.customer && <span className="changes__item">{row.customer}</span>}
      </td>
      <td className="num table__right" data-label={t('engineering.qty')}>
        {quantity(row.qty)} <span className="muted">{row.unit}</span>
      </td>
      <td className="num" data-label={t('order.due')}>
        {dayTime(row.due_at)}
      </td>
      <td className="num" data-label={t('engineering.since')}>
        {ago(row.since)}
      </td>
      <td className="table__wide" data-label={t('engineering.nearest')}>
        {best ? (
          <>
            {best.item_name}{' '}
            <span className="muted small num">{best.score !== null && `${quantity(best.score)} %`}</span>
          </>
        ) : (
          <span className="muted">{t('engineering.no_candidate')}</span>
        )}
      </td>
      <td>
        <Button size="small" onClick={() => onOpen(row.work_order_id)} aria-label={`${t('engineering.choose')} ${row.work_order_no}`}>
          {t('engineering.choose')}
        </Button>
      </td>
    </tr>
  )
}

/** Work orders that wait for a routing, the oldest first. */
export function EngineeringTable({ rows, onOpen }: Props) {
  const { t } = useLanguage()
  return (
    <CardTable
      heads={[
        { label: t('work.title') },
        { label: t('order.item') },
        { label: t('order.no') },
        { label: t('engineering.qty'), right: true },
        { label: t('order.due') },
        { label: t('engineering.since') },
        { label: t('engineering.nearest') },
        { label: t('users.actions'), hidden: true },
      ]}
    >
      {rows.map((row) => (
        <Row key={row.work_order_id} row={row} onOpen={onOpen} />
      ))}
    </CardTable>
  )
}
