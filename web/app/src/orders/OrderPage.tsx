import { useQuery } from '@tanstack/react-query'
import { Alert } from 'antd'
import { Link, useParams } from 'react-router'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import { useEvery } from '../api/useLive'
import type { StageCode, WorkOrderLine } from '../api/types'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import { Changes } from './Changes'
import { OrderFacts } from './OrderFacts'
import { OrderHead } from './OrderHead'
import { OrderTable } from './OrderTable'
import { Shipments } from './Shipments'
import { WorkOrder } from './WorkOrder'
import './OrderPage.css'

const EVERY = 10_000
const SETTLED: StageCode[] = ['stocked', 'shipped', 'closed', 'cancelled']

/** What still needs an eye stands above what is settled. */
function unfinishedFirst(work: WorkOrderLine[]): WorkOrderLine[] {
  const settled = (one: WorkOrderLine): number => (SETTLED.includes(one.stage.code) ? 1 : 0)
  return [...work].sort((a, b) => settled(a) - settled(b))
}

/** Everything known of one order line, and where each fact comes from. */
export default function OrderPage() {
  const { t } = useLanguage()
  const can = useCan()
  const { lineId = '' } = useParams()
  const query = useQuery({
    queryKey: ['order', lineId],
    queryFn: () => answer(api.GET('/api/orders/{line_id}', { params: { path: { line_id: lineId } } })),
    refetchInterval: useEvery(EVERY),
  })
  const order = query.data
  if (!order)
    return (
      <div className="page">
        {query.error ? <FailureNote error={query.error} retry={() => void query.refetch()} /> : <Waiting rows={12} />}
      </div>
    )
  return (
    <div className="page order">
      <OrderHead order={order} />
      {order.waiting_rows > 0 && (
        <Alert
          className="order__aside"
          type="warning"
          showIcon
          title={t('order.waiting_rows', { n: order.waiting_rows })}
          action={can('sources.read') && <Link to="/set-aside">{t('order.waiting_open')}</Link>}
        />
      )}
      {order.work_orders.length === 0 && (
        <section className="card">
          <Empty title={t('order.no_work_order')}>{t('order.no_work_order_hint')}</Empty>
        </section>
      )}
      {unfinishedFirst(order.work_orders).map((work) => (
        <WorkOrder key={work.work_order_no} work={work} unit={order.unit} />
      ))}
      <div className="order__columns">
        <Shipments order={order} />
        <Changes order={order} />
        <OrderFacts facts={order.facts} />
      </div>
      {order.other_lines.length > 0 && (
        <section className="order__others">
          <h2>{t('order.others')}</h2>
          <OrderTable rows={order.other_lines} />
        </section>
      )}
    </div>
  )
}
