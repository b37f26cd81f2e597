import type { Traveler } from '../api/types'
import { usePlantClock } from '../api/settings'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { Joint } from '../parts/Joint'
import { pictureOf } from './qr'

type Props = { traveler: Traveler; paper: 'a4' | 'a5' }
type Operation = Traveler['operations'][number]

function Head({ order }: { order: Traveler['work_order'] }) {
  const { t } = useLanguage()
  const { fullTime } = useFormats()
  const drawing = [order.drawing_no, order.drawing_rev].filter(Boolean).join(' / ')
  const minute = (iso: string | null): string => fullTime(iso).slice(0, 16)
  return (
    <dl className="sheet__facts">
      <div className="sheet__item">
        <dt>{t('order.item')}</dt>
        <dd>
          <b>{order.item_name ?? '–'}</b> <span className="code">{order.item_code}</span>
        </dd>
      </div>
      <div>
        <dt>{t('order.drawing')}</dt>
        <dd>
          <b>{drawing || '–'}</b>
        </dd>
      </div>
      <div>
        <dt>{t('traveler.qty')}</dt>
        <dd className="num">
          <b>{quantity(order.qty)}</b> {order.unit}
        </dd>
      </div>
      <div>
        <dt>{t('order.due')}</dt>
        <dd className="num">
          <b>{minute(order.due_at)}</b>
        </dd>
      </div>
      <div>
        <dt>{t('traveler.plan_end')}</dt>
        <dd className="num">{minute(order.plan_end)}</dd>
      </div>
    </dl>
  )
}

function Row({ operation, unit }: { operation: Operation; unit: string }) {
  const { t } = useLanguage()
  return (
    <tr>
      <td className="sheet__qr">
        <img src={pictureOf(operation.qr_svg)} alt={t('traveler.qr', { seq: operation.seq, name: operation.name })} />
      </td>
      <th scope="row" className="sheet__op">
        <span className="num">{operation.seq}</span> {operation.name}
        <span className="sheet__centre">
          {operation.outside ? t('station.outside') : (operation.work_centre ?? operation.process ?? '')}
        </span>
      </th>
      <td className="num sheet__plan">
        {quantity(operation.qty_plan)} {unit}
      </td>
      <td />
      <td />
      <td />
    </tr>
  )
}

/** The sheet of paper: what is to be made, and for each operation the code that reports it. */
export function TravelerSheet({ traveler, paper }: Props) {
  const { t } = useLanguage()
  const { fullTime } = useFormats()
  const { now } = usePlantClock()
  const { work_order: order, operations } = traveler
  return (
    <article className={`sheet sheet--${paper}`} aria-label={`${t('traveler.title')} ${order.work_order_no}`}>
      <header className="sheet__head">
        <Joint size={26} />
        <span className="sheet__title">{t('traveler.title')}</span>
        <span className="sheet__no num">{order.work_order_no}</span>
      </header>
      <Head order={order} />
      <table className="sheet__table">
        <thead>
          <tr>
            <th scope="col">{t('traveler.scan')}</th>
            <th scope="col">
              {/* Repeated on every sheet of paper, which may come loose. */}
              {t('routing.operation')} <b className="num">{order.work_order_no}</b>
            </th>
            <th scope="col">{t('traveler.plan')}</th>
            <th scope="col">{t('station.good')}</th>
            <th scope="col">{t('station.scrap')}</th>
            <th scope="col">{t('traveler.sign')}</th>
          </tr>
        </thead>
        <tbody>
          {operations.map((operation) => (
            <Row key={operation.id} operation={operation} unit={order.unit} />
          ))}
        </tbody>
      </table>
      <footer className="sheet__foot">
        {t('traveler.how')}
        <span className="num">{t('traveler.printed', { time: fullTime(new Date(now()).toISOString()).slice(0, 16) })}</span>
      </footer>
    </article>
  )
}
