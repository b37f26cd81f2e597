import type { OrderPage } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { SourceLinks } from '../parts/SourceLinks'

/** What left the plant for this line; a return is negative. */
export function Shipments({ order }: { order: OrderPage }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <section className="card">
      <h2>{t('shipment.title')}</h2>
      {order.shipments.length === 0 && <p className="muted">{t('shipment.none')}</p>}
      <ul className="facts">
        {order.shipments.map((one) => (
          <li key={one.move_no}>
            <span className="num">{dayTime(one.shipped_at)}</span>
            <b className="num">
              {quantity(one.qty)} {one.unit}
            </b>
            {one.qty.startsWith('-') && <span className="warn">{t('shipment.return')}</span>}
            <span className="muted num">{one.move_no}</span>
            <SourceLinks sources={one.sources} of={one.move_no} />
          </li>
        ))}
      </ul>
    </section>
  )
}
